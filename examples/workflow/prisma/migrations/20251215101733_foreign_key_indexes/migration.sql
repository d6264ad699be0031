-- CreateIndex
CREATE INDEX "site_master_cluster_id_idx" ON "site_master"("cluster_id");

-- CreateIndex
CREATE INDEX "user_roles_role_id_idx" ON "user_roles"("role_id");

-- CreateIndex
CREATE INDEX "approval_policy_master_scope_id_idx" ON "approval_policy_master"("scope_id");

-- CreateIndex
CREATE INDEX "approval_policy_stages_role_id_idx" ON "approval_policy_stages"("role_id");

-- CreateIndex
CREATE INDEX "config_versions_previous_version_id_idx" ON "config_versions"("previous_version_id");

-- CreateIndex
CREATE INDEX "config_versions_published_by_id_idx" ON "config_versions"("published_by_id");

-- CreateIndex
CREATE INDEX "workflow_instances_config_version_id_idx" ON "workflow_instances"("config_version_id");

-- CreateIndex
CREATE INDEX "workflow_instances_scope_id_idx" ON "workflow_instances"("scope_id");

-- CreateIndex
CREATE INDEX "workflow_instances_site_id_idx" ON "workflow_instances"("site_id");

-- CreateIndex
CREATE INDEX "workflow_instances_policy_id_idx" ON "workflow_instances"("policy_id");

-- CreateIndex
CREATE INDEX "workflow_instances_vendor_id_idx" ON "workflow_instances"("vendor_id");

-- CreateIndex
CREATE INDEX "workflow_instances_created_by_id_idx" ON "workflow_instances"("created_by_id");

-- CreateIndex
CREATE INDEX "workflow_stages_workspace_id_idx" ON "workflow_stages"("workspace_id");

-- CreateIndex
CREATE INDEX "workflow_stages_role_id_idx" ON "workflow_stages"("role_id");

-- CreateIndex
CREATE INDEX "workflow_stage_actions_actor_id_idx" ON "workflow_stage_actions"("actor_id");

-- CreateIndex
CREATE INDEX "approver_overrides_workspace_id_idx" ON "approver_overrides"("workspace_id");

-- CreateIndex
CREATE INDEX "approver_overrides_approver_id_idx" ON "approver_overrides"("approver_id");

-- CreateIndex
CREATE INDEX "approver_overrides_substitute_id_idx" ON "approver_overrides"("substitute_id");

-- CreateIndex
CREATE INDEX "approver_overrides_role_id_idx" ON "approver_overrides"("role_id");

-- CreateIndex
CREATE INDEX "atp_submissions_workflow_instance_id_idx" ON "atp_submissions"("workflow_instance_id");

-- CreateIndex
CREATE INDEX "atp_submissions_config_version_id_idx" ON "atp_submissions"("config_version_id");

-- CreateIndex
CREATE INDEX "atp_submissions_submitted_by_id_idx" ON "atp_submissions"("submitted_by_id");

-- CreateIndex
CREATE INDEX "atp_submission_documents_workspace_id_idx" ON "atp_submission_documents"("workspace_id");

-- CreateIndex
CREATE INDEX "atp_submission_documents_submission_id_idx" ON "atp_submission_documents"("submission_id");

-- CreateIndex
CREATE INDEX "atp_submission_documents_uploaded_by_id_idx" ON "atp_submission_documents"("uploaded_by_id");

-- CreateIndex
CREATE INDEX "punchlists_workflow_instance_id_idx" ON "punchlists"("workflow_instance_id");

-- CreateIndex
CREATE INDEX "punchlists_submission_id_idx" ON "punchlists"("submission_id");

-- CreateIndex
CREATE INDEX "punchlists_raised_by_id_idx" ON "punchlists"("raised_by_id");

-- CreateIndex
CREATE INDEX "punchlist_items_workspace_id_idx" ON "punchlist_items"("workspace_id");

-- CreateIndex
CREATE INDEX "punchlist_items_closed_by_id_idx" ON "punchlist_items"("closed_by_id");

-- CreateIndex
CREATE INDEX "audit_events_actor_id_idx" ON "audit_events"("actor_id");

-- CreateIndex
CREATE INDEX "audit_events_workflow_instance_id_idx" ON "audit_events"("workflow_instance_id");

-- CreateIndex
CREATE INDEX "notifications_workspace_id_idx" ON "notifications"("workspace_id");

-- CreateIndex
CREATE INDEX "workflow_comments_workspace_id_idx" ON "workflow_comments"("workspace_id");

-- CreateIndex
CREATE INDEX "workflow_comments_workflow_instance_id_idx" ON "workflow_comments"("workflow_instance_id");

-- CreateIndex
CREATE INDEX "workflow_comments_author_id_idx" ON "workflow_comments"("author_id");
