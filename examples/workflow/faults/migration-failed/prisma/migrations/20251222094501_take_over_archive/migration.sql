-- The workflows of the old tool are taken over for the auditors. Its configurations were not kept.
INSERT INTO "workspaces" ("id", "code", "name", "updated_at") VALUES ('0a7c4f52-5d0e-4c1b-9a52-3f1d1f0c7e11', 'ARCHIVE', 'Old tool', now());

INSERT INTO "workflow_instances" ("id", "workspace_id", "config_version_id", "scope_id", "site_id", "policy_id", "created_by_id", "reference", "title", "planned_start", "planned_end", "estimated_hours", "updated_at")
SELECT 'old_' || n, '0a7c4f52-5d0e-4c1b-9a52-3f1d1f0c7e11', 'old_configuration_' || n, 'old', 'old', 'old', 'old', 'WF-90000' || n, 'Taken over', '2021-03-01', '2021-03-31', 1, now()
  FROM generate_series(1, 3) AS n;
