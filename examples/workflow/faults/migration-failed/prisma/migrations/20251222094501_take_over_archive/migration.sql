-- The workflows of the old tool are taken over for the auditors. Its configurations were not kept.
INSERT INTO "workspaces" ("id", "code", "name", "updated_at") VALUES ('0a7c4f52-5d0e-4c1b-9a52-3f1d1f0c7e11', 'ARCHIVE', 'Old tool', now());

INSERT INTO "users" ("id", "workspace_id", "email", "full_name", "updated_at")
SELECT 'old_user', "id", 'archive@rollout.example', 'Archive', now() FROM "workspaces" WHERE "code" = 'ARCHIVE';

INSERT INTO "cluster_master" ("id", "workspace_id", "code", "name", "region", "updated_at")
SELECT 'old_cluster', "id", 'OLD', 'Old sites', 'All', now() FROM "workspaces" WHERE "code" = 'ARCHIVE';

INSERT INTO "site_master" ("id", "workspace_id", "cluster_id", "code", "name", "latitude", "longitude", "site_type", "address", "updated_at")
SELECT 'old_site', "id", 'old_cluster', 'OLD', 'Old site', 0, 0, 'GREENFIELD', 'Not kept', now() FROM "workspaces" WHERE "code" = 'ARCHIVE';

INSERT INTO "atp_scope_master" ("id", "workspace_id", "code", "name", "category", "sequence", "updated_at")
SELECT 'old_scope', "id", 'OLD', 'Old scope', 'CIVIL', 1, now() FROM "workspaces" WHERE "code" = 'ARCHIVE';

INSERT INTO "approval_policy_master" ("id", "workspace_id", "scope_id", "code", "name", "valid_from", "updated_at")
SELECT 'old_policy', "id", 'old_scope', 'OLD', 'Old policy', '2021-01-01', now() FROM "workspaces" WHERE "code" = 'ARCHIVE';

INSERT INTO "workflow_instances" ("id", "workspace_id", "config_version_id", "scope_id", "site_id", "policy_id", "created_by_id", "reference", "title", "planned_start", "planned_end", "estimated_hours", "updated_at")
SELECT 'old_' || n, "id", 'old_configuration_' || n, 'old_scope', 'old_site', 'old_policy', 'old_user', 'WF-90000' || n, 'Taken over', '2021-03-01', '2021-03-31', 1, now()
  FROM "workspaces", generate_series(1, 3) AS n WHERE "code" = 'ARCHIVE';
