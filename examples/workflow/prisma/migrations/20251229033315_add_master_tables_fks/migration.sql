-- From one foreign key to 57. Written by hand (prisma migrate dev --create-only), because Prisma would add each key and read
-- every row under a lock that stops all writers.

-- 1. The keys hold for new rows from here on; no row is read, and COMMIT lets the locks go.
BEGIN;

-- AddForeignKey
ALTER TABLE "users" ADD CONSTRAINT "users_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "vendor_master" ADD CONSTRAINT "vendor_master_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "cluster_master" ADD CONSTRAINT "cluster_master_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "site_master" ADD CONSTRAINT "site_master_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "site_master" ADD CONSTRAINT "site_master_cluster_id_fkey" FOREIGN KEY ("cluster_id") REFERENCES "cluster_master"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "atp_scope_master" ADD CONSTRAINT "atp_scope_master_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "approval_role_master" ADD CONSTRAINT "approval_role_master_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "user_roles" ADD CONSTRAINT "user_roles_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "user_roles" ADD CONSTRAINT "user_roles_role_id_fkey" FOREIGN KEY ("role_id") REFERENCES "approval_role_master"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "approval_policy_master" ADD CONSTRAINT "approval_policy_master_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "approval_policy_master" ADD CONSTRAINT "approval_policy_master_scope_id_fkey" FOREIGN KEY ("scope_id") REFERENCES "atp_scope_master"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "approval_policy_stages" ADD CONSTRAINT "approval_policy_stages_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "approval_policy_stages" ADD CONSTRAINT "approval_policy_stages_role_id_fkey" FOREIGN KEY ("role_id") REFERENCES "approval_role_master"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "config_versions" ADD CONSTRAINT "config_versions_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "config_versions" ADD CONSTRAINT "config_versions_previous_version_id_fkey" FOREIGN KEY ("previous_version_id") REFERENCES "config_versions"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "config_versions" ADD CONSTRAINT "config_versions_published_by_id_fkey" FOREIGN KEY ("published_by_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "workflow_instances" ADD CONSTRAINT "workflow_instances_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "workflow_instances" ADD CONSTRAINT "workflow_instances_config_version_id_fkey" FOREIGN KEY ("config_version_id") REFERENCES "config_versions"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "workflow_instances" ADD CONSTRAINT "workflow_instances_scope_id_fkey" FOREIGN KEY ("scope_id") REFERENCES "atp_scope_master"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "workflow_instances" ADD CONSTRAINT "workflow_instances_site_id_fkey" FOREIGN KEY ("site_id") REFERENCES "site_master"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "workflow_instances" ADD CONSTRAINT "workflow_instances_policy_id_fkey" FOREIGN KEY ("policy_id") REFERENCES "approval_policy_master"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "workflow_instances" ADD CONSTRAINT "workflow_instances_vendor_id_fkey" FOREIGN KEY ("vendor_id") REFERENCES "vendor_master"("id") ON DELETE SET NULL ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "workflow_instances" ADD CONSTRAINT "workflow_instances_created_by_id_fkey" FOREIGN KEY ("created_by_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "workflow_stages" ADD CONSTRAINT "workflow_stages_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "workflow_stages" ADD CONSTRAINT "workflow_stages_workflow_instance_id_fkey" FOREIGN KEY ("workflow_instance_id") REFERENCES "workflow_instances"("id") ON DELETE CASCADE ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "workflow_stages" ADD CONSTRAINT "workflow_stages_role_id_fkey" FOREIGN KEY ("role_id") REFERENCES "approval_role_master"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "workflow_stages" ADD CONSTRAINT "workflow_stages_assignee_id_fkey" FOREIGN KEY ("assignee_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "workflow_stage_actions" ADD CONSTRAINT "workflow_stage_actions_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "workflow_stage_actions" ADD CONSTRAINT "workflow_stage_actions_actor_id_fkey" FOREIGN KEY ("actor_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "approver_overrides" ADD CONSTRAINT "approver_overrides_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "approver_overrides" ADD CONSTRAINT "approver_overrides_approver_id_fkey" FOREIGN KEY ("approver_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "approver_overrides" ADD CONSTRAINT "approver_overrides_substitute_id_fkey" FOREIGN KEY ("substitute_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "approver_overrides" ADD CONSTRAINT "approver_overrides_role_id_fkey" FOREIGN KEY ("role_id") REFERENCES "approval_role_master"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "atp_submissions" ADD CONSTRAINT "atp_submissions_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "atp_submissions" ADD CONSTRAINT "atp_submissions_workflow_instance_id_fkey" FOREIGN KEY ("workflow_instance_id") REFERENCES "workflow_instances"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "atp_submissions" ADD CONSTRAINT "atp_submissions_config_version_id_fkey" FOREIGN KEY ("config_version_id") REFERENCES "config_versions"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "atp_submissions" ADD CONSTRAINT "atp_submissions_submitted_by_id_fkey" FOREIGN KEY ("submitted_by_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "atp_submission_documents" ADD CONSTRAINT "atp_submission_documents_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "atp_submission_documents" ADD CONSTRAINT "atp_submission_documents_submission_id_fkey" FOREIGN KEY ("submission_id") REFERENCES "atp_submissions"("id") ON DELETE CASCADE ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "atp_submission_documents" ADD CONSTRAINT "atp_submission_documents_uploaded_by_id_fkey" FOREIGN KEY ("uploaded_by_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "punchlists" ADD CONSTRAINT "punchlists_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "punchlists" ADD CONSTRAINT "punchlists_workflow_instance_id_fkey" FOREIGN KEY ("workflow_instance_id") REFERENCES "workflow_instances"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "punchlists" ADD CONSTRAINT "punchlists_submission_id_fkey" FOREIGN KEY ("submission_id") REFERENCES "atp_submissions"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "punchlists" ADD CONSTRAINT "punchlists_raised_by_id_fkey" FOREIGN KEY ("raised_by_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "punchlist_items" ADD CONSTRAINT "punchlist_items_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "punchlist_items" ADD CONSTRAINT "punchlist_items_punchlist_id_fkey" FOREIGN KEY ("punchlist_id") REFERENCES "punchlists"("id") ON DELETE CASCADE ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "punchlist_items" ADD CONSTRAINT "punchlist_items_vendor_id_fkey" FOREIGN KEY ("vendor_id") REFERENCES "vendor_master"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "punchlist_items" ADD CONSTRAINT "punchlist_items_closed_by_id_fkey" FOREIGN KEY ("closed_by_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "audit_events" ADD CONSTRAINT "audit_events_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "audit_events" ADD CONSTRAINT "audit_events_actor_id_fkey" FOREIGN KEY ("actor_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "audit_events" ADD CONSTRAINT "audit_events_workflow_instance_id_fkey" FOREIGN KEY ("workflow_instance_id") REFERENCES "workflow_instances"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "notifications" ADD CONSTRAINT "notifications_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "notifications" ADD CONSTRAINT "notifications_recipient_id_fkey" FOREIGN KEY ("recipient_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "workflow_comments" ADD CONSTRAINT "workflow_comments_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspaces"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "workflow_comments" ADD CONSTRAINT "workflow_comments_workflow_instance_id_fkey" FOREIGN KEY ("workflow_instance_id") REFERENCES "workflow_instances"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- AddForeignKey
ALTER TABLE "workflow_comments" ADD CONSTRAINT "workflow_comments_author_id_fkey" FOREIGN KEY ("author_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

-- Keys whose columns not every database has. They are added where the column is there.
DO $$
BEGIN
    IF EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'approval_policy_stages' AND column_name = 'approval_policy_id') THEN
        ALTER TABLE "approval_policy_stages" ADD CONSTRAINT "approval_policy_stages_approval_policy_id_fkey" FOREIGN KEY ("approval_policy_id") REFERENCES "approval_policy_master"("id") ON DELETE CASCADE ON UPDATE CASCADE;
    END IF;

    IF EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'approver_overrides' AND column_name = 'workflow_instance_id') THEN
        ALTER TABLE "approver_overrides" ADD CONSTRAINT "approver_overrides_workflow_instance_id_fkey" FOREIGN KEY ("workflow_instance_id") REFERENCES "workflow_instances"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
    END IF;

    IF EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'workflow_stage_actions' AND column_name = 'stage_id') THEN
        ALTER TABLE "workflow_stage_actions" ADD CONSTRAINT "workflow_stage_actions_stage_id_fkey" FOREIGN KEY ("stage_id") REFERENCES "workflow_stages"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
    END IF;
END
$$;

COMMIT;

-- 2. The older rows are read; nobody waits.
ALTER TABLE "users" VALIDATE CONSTRAINT "users_workspace_id_fkey";
ALTER TABLE "vendor_master" VALIDATE CONSTRAINT "vendor_master_workspace_id_fkey";
ALTER TABLE "cluster_master" VALIDATE CONSTRAINT "cluster_master_workspace_id_fkey";
ALTER TABLE "site_master" VALIDATE CONSTRAINT "site_master_workspace_id_fkey";
ALTER TABLE "site_master" VALIDATE CONSTRAINT "site_master_cluster_id_fkey";
ALTER TABLE "atp_scope_master" VALIDATE CONSTRAINT "atp_scope_master_workspace_id_fkey";
ALTER TABLE "approval_role_master" VALIDATE CONSTRAINT "approval_role_master_workspace_id_fkey";
ALTER TABLE "user_roles" VALIDATE CONSTRAINT "user_roles_user_id_fkey";
ALTER TABLE "user_roles" VALIDATE CONSTRAINT "user_roles_role_id_fkey";
ALTER TABLE "approval_policy_master" VALIDATE CONSTRAINT "approval_policy_master_workspace_id_fkey";
ALTER TABLE "approval_policy_master" VALIDATE CONSTRAINT "approval_policy_master_scope_id_fkey";
ALTER TABLE "approval_policy_stages" VALIDATE CONSTRAINT "approval_policy_stages_workspace_id_fkey";
ALTER TABLE "approval_policy_stages" VALIDATE CONSTRAINT "approval_policy_stages_role_id_fkey";
ALTER TABLE "config_versions" VALIDATE CONSTRAINT "config_versions_workspace_id_fkey";
ALTER TABLE "config_versions" VALIDATE CONSTRAINT "config_versions_previous_version_id_fkey";
ALTER TABLE "config_versions" VALIDATE CONSTRAINT "config_versions_published_by_id_fkey";
ALTER TABLE "workflow_instances" VALIDATE CONSTRAINT "workflow_instances_workspace_id_fkey";
ALTER TABLE "workflow_instances" VALIDATE CONSTRAINT "workflow_instances_config_version_id_fkey";
ALTER TABLE "workflow_instances" VALIDATE CONSTRAINT "workflow_instances_scope_id_fkey";
ALTER TABLE "workflow_instances" VALIDATE CONSTRAINT "workflow_instances_site_id_fkey";
ALTER TABLE "workflow_instances" VALIDATE CONSTRAINT "workflow_instances_policy_id_fkey";
ALTER TABLE "workflow_instances" VALIDATE CONSTRAINT "workflow_instances_vendor_id_fkey";
ALTER TABLE "workflow_instances" VALIDATE CONSTRAINT "workflow_instances_created_by_id_fkey";
ALTER TABLE "workflow_stages" VALIDATE CONSTRAINT "workflow_stages_workspace_id_fkey";
ALTER TABLE "workflow_stages" VALIDATE CONSTRAINT "workflow_stages_workflow_instance_id_fkey";
ALTER TABLE "workflow_stages" VALIDATE CONSTRAINT "workflow_stages_role_id_fkey";
ALTER TABLE "workflow_stages" VALIDATE CONSTRAINT "workflow_stages_assignee_id_fkey";
ALTER TABLE "workflow_stage_actions" VALIDATE CONSTRAINT "workflow_stage_actions_workspace_id_fkey";
ALTER TABLE "workflow_stage_actions" VALIDATE CONSTRAINT "workflow_stage_actions_actor_id_fkey";
ALTER TABLE "approver_overrides" VALIDATE CONSTRAINT "approver_overrides_workspace_id_fkey";
ALTER TABLE "approver_overrides" VALIDATE CONSTRAINT "approver_overrides_approver_id_fkey";
ALTER TABLE "approver_overrides" VALIDATE CONSTRAINT "approver_overrides_substitute_id_fkey";
ALTER TABLE "approver_overrides" VALIDATE CONSTRAINT "approver_overrides_role_id_fkey";
ALTER TABLE "atp_submissions" VALIDATE CONSTRAINT "atp_submissions_workspace_id_fkey";
ALTER TABLE "atp_submissions" VALIDATE CONSTRAINT "atp_submissions_workflow_instance_id_fkey";
ALTER TABLE "atp_submissions" VALIDATE CONSTRAINT "atp_submissions_config_version_id_fkey";
ALTER TABLE "atp_submissions" VALIDATE CONSTRAINT "atp_submissions_submitted_by_id_fkey";
ALTER TABLE "atp_submission_documents" VALIDATE CONSTRAINT "atp_submission_documents_workspace_id_fkey";
ALTER TABLE "atp_submission_documents" VALIDATE CONSTRAINT "atp_submission_documents_submission_id_fkey";
ALTER TABLE "atp_submission_documents" VALIDATE CONSTRAINT "atp_submission_documents_uploaded_by_id_fkey";
ALTER TABLE "punchlists" VALIDATE CONSTRAINT "punchlists_workspace_id_fkey";
ALTER TABLE "punchlists" VALIDATE CONSTRAINT "punchlists_workflow_instance_id_fkey";
ALTER TABLE "punchlists" VALIDATE CONSTRAINT "punchlists_submission_id_fkey";
ALTER TABLE "punchlists" VALIDATE CONSTRAINT "punchlists_raised_by_id_fkey";
ALTER TABLE "punchlist_items" VALIDATE CONSTRAINT "punchlist_items_workspace_id_fkey";
ALTER TABLE "punchlist_items" VALIDATE CONSTRAINT "punchlist_items_punchlist_id_fkey";
ALTER TABLE "punchlist_items" VALIDATE CONSTRAINT "punchlist_items_vendor_id_fkey";
ALTER TABLE "punchlist_items" VALIDATE CONSTRAINT "punchlist_items_closed_by_id_fkey";
ALTER TABLE "audit_events" VALIDATE CONSTRAINT "audit_events_workspace_id_fkey";
ALTER TABLE "audit_events" VALIDATE CONSTRAINT "audit_events_actor_id_fkey";
ALTER TABLE "audit_events" VALIDATE CONSTRAINT "audit_events_workflow_instance_id_fkey";
ALTER TABLE "notifications" VALIDATE CONSTRAINT "notifications_workspace_id_fkey";
ALTER TABLE "notifications" VALIDATE CONSTRAINT "notifications_recipient_id_fkey";
ALTER TABLE "workflow_comments" VALIDATE CONSTRAINT "workflow_comments_workspace_id_fkey";
ALTER TABLE "workflow_comments" VALIDATE CONSTRAINT "workflow_comments_workflow_instance_id_fkey";
ALTER TABLE "workflow_comments" VALIDATE CONSTRAINT "workflow_comments_author_id_fkey";
