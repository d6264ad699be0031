-- Written by hand (prisma migrate dev --create-only): Prisma's schema has no CHECKs.

ALTER TABLE "config_versions"
    ADD CONSTRAINT "ck_config_versions_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_config_versions_version_positive" CHECK ("version" > 0),
    ADD CONSTRAINT "ck_config_versions_label_not_empty" CHECK (length(btrim("label")) > 0),
    ADD CONSTRAINT "ck_config_versions_status_known" CHECK ("status" IN ('DRAFT', 'ACTIVE', 'RETIRED')),
    ADD CONSTRAINT "ck_config_versions_checksum_format" CHECK ("checksum" ~ '^[0-9a-f]{64}$'),
    ADD CONSTRAINT "ck_config_versions_body_is_object" CHECK (jsonb_typeof("body") = 'object'),
    ADD CONSTRAINT "ck_config_versions_published_with_status" CHECK ("status" = 'DRAFT' OR "published_at" IS NOT NULL),
    ADD CONSTRAINT "ck_config_versions_retired_with_status" CHECK (("status" = 'RETIRED') = ("retired_at" IS NOT NULL)),
    ADD CONSTRAINT "ck_config_versions_retired_after_published" CHECK ("retired_at" >= "published_at"),
    ADD CONSTRAINT "ck_config_versions_change_note_not_empty" CHECK (length(btrim("change_note")) > 0),
    ADD CONSTRAINT "ck_config_versions_not_its_own_predecessor" CHECK ("previous_version_id" <> "id"),
    ADD CONSTRAINT "ck_config_versions_updated_not_before_created" CHECK ("updated_at" >= "created_at");

ALTER TABLE "workflow_instances"
    ADD CONSTRAINT "ck_workflow_instances_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_workflow_instances_reference_format" CHECK ("reference" ~ '^WF-[0-9]{6}$'),
    ADD CONSTRAINT "ck_workflow_instances_title_not_empty" CHECK (length(btrim("title")) > 0),
    ADD CONSTRAINT "ck_workflow_instances_status_known" CHECK ("status" IN ('DRAFT', 'RUNNING', 'COMPLETED', 'CANCELLED')),
    ADD CONSTRAINT "ck_workflow_instances_priority_known" CHECK ("priority" IN ('LOW', 'NORMAL', 'HIGH', 'URGENT')),
    ADD CONSTRAINT "ck_workflow_instances_progress_percent_range" CHECK ("progress_percent" BETWEEN 0 AND 100),
    ADD CONSTRAINT "ck_workflow_instances_planned_period" CHECK ("planned_end" >= "planned_start"),
    ADD CONSTRAINT "ck_workflow_instances_completed_after_start" CHECK ("completed_at" >= "started_at"),
    ADD CONSTRAINT "ck_workflow_instances_completed_with_status" CHECK (("status" = 'COMPLETED') = ("completed_at" IS NOT NULL)),
    ADD CONSTRAINT "ck_workflow_instances_completed_is_full" CHECK ("status" <> 'COMPLETED' OR "progress_percent" = 100),
    ADD CONSTRAINT "ck_workflow_instances_cancelled_with_status" CHECK (("status" = 'CANCELLED') = ("cancelled_at" IS NOT NULL)),
    ADD CONSTRAINT "ck_workflow_instances_cancelled_has_reason" CHECK ("status" <> 'CANCELLED' OR "cancel_reason" IS NOT NULL),
    ADD CONSTRAINT "ck_workflow_instances_cancel_reason_not_empty" CHECK (length(btrim("cancel_reason")) > 0),
    ADD CONSTRAINT "ck_workflow_instances_estimated_hours_positive" CHECK ("estimated_hours" > 0),
    ADD CONSTRAINT "ck_workflow_instances_actual_hours_non_negative" CHECK ("actual_hours" >= 0),
    ADD CONSTRAINT "ck_workflow_instances_retry_count_range" CHECK ("retry_count" BETWEEN 0 AND 5),
    ADD CONSTRAINT "ck_workflow_instances_updated_not_before_created" CHECK ("updated_at" >= "created_at");

ALTER TABLE "workflow_stages"
    ADD CONSTRAINT "ck_workflow_stages_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_workflow_stages_sequence_positive" CHECK ("sequence" > 0),
    ADD CONSTRAINT "ck_workflow_stages_name_not_empty" CHECK (length(btrim("name")) > 0),
    ADD CONSTRAINT "ck_workflow_stages_status_known" CHECK ("status" IN ('WAITING', 'OPEN', 'DONE')),
    ADD CONSTRAINT "ck_workflow_stages_sla_hours_range" CHECK ("sla_hours" BETWEEN 1 AND 720),
    ADD CONSTRAINT "ck_workflow_stages_due_after_entered" CHECK ("due_at" >= "entered_at"),
    ADD CONSTRAINT "ck_workflow_stages_completed_after_entered" CHECK ("completed_at" >= "entered_at"),
    ADD CONSTRAINT "ck_workflow_stages_approvals_required_positive" CHECK ("approvals_required" > 0),
    ADD CONSTRAINT "ck_workflow_stages_approvals_given_range" CHECK ("approvals_given" BETWEEN 0 AND "approvals_required"),
    ADD CONSTRAINT "ck_workflow_stages_outcome_known" CHECK ("outcome" IN ('APPROVED', 'REJECTED', 'SKIPPED')),
    ADD CONSTRAINT "ck_workflow_stages_outcome_with_status" CHECK (("status" = 'DONE') = ("outcome" IS NOT NULL)),
    ADD CONSTRAINT "ck_workflow_stages_reopen_count_non_negative" CHECK ("reopen_count" >= 0),
    ADD CONSTRAINT "ck_workflow_stages_entered_with_status" CHECK ("status" = 'WAITING' OR "entered_at" IS NOT NULL),
    ADD CONSTRAINT "ck_workflow_stages_updated_not_before_created" CHECK ("updated_at" >= "created_at");

ALTER TABLE "workflow_stage_actions"
    ADD CONSTRAINT "ck_workflow_stage_actions_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_workflow_stage_actions_stage_reference_format" CHECK ("stage_reference" ~ '^WF-[0-9]{6}/[0-9]+$'),
    ADD CONSTRAINT "ck_workflow_stage_actions_action_known" CHECK ("action" IN ('APPROVE', 'REJECT', 'DELEGATE', 'REOPEN')),
    ADD CONSTRAINT "ck_workflow_stage_actions_reason_not_empty" CHECK (length(btrim("reason")) > 0),
    ADD CONSTRAINT "ck_workflow_stage_actions_rejection_has_reason" CHECK ("action" <> 'REJECT' OR "reason" IS NOT NULL),
    ADD CONSTRAINT "ck_workflow_stage_actions_duration_seconds_non_negative" CHECK ("duration_seconds" >= 0),
    ADD CONSTRAINT "ck_workflow_stage_actions_client_known" CHECK ("client" IN ('WEB', 'MOBILE', 'API'));

ALTER TABLE "atp_submissions"
    ADD CONSTRAINT "ck_atp_submissions_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_atp_submissions_reference_format" CHECK ("reference" ~ '^ATP-[0-9]{6}$'),
    ADD CONSTRAINT "ck_atp_submissions_revision_positive" CHECK ("revision" > 0),
    ADD CONSTRAINT "ck_atp_submissions_status_known" CHECK ("status" IN ('DRAFT', 'SUBMITTED', 'APPROVED', 'REJECTED')),
    ADD CONSTRAINT "ck_atp_submissions_submitted_with_status" CHECK ("status" = 'DRAFT' OR "submitted_at" IS NOT NULL),
    ADD CONSTRAINT "ck_atp_submissions_reviewed_after_submitted" CHECK ("reviewed_at" >= "submitted_at"),
    ADD CONSTRAINT "ck_atp_submissions_test_count_non_negative" CHECK ("test_count" >= 0),
    ADD CONSTRAINT "ck_atp_submissions_passed_count_non_negative" CHECK ("passed_count" >= 0),
    ADD CONSTRAINT "ck_atp_submissions_failed_count_non_negative" CHECK ("failed_count" >= 0),
    ADD CONSTRAINT "ck_atp_submissions_skipped_count_non_negative" CHECK ("skipped_count" >= 0),
    ADD CONSTRAINT "ck_atp_submissions_counts_add_up" CHECK ("passed_count" + "failed_count" + "skipped_count" = "test_count"),
    ADD CONSTRAINT "ck_atp_submissions_score_range" CHECK ("score" BETWEEN 0 AND 100),
    ADD CONSTRAINT "ck_atp_submissions_remarks_not_empty" CHECK (length(btrim("remarks")) > 0),
    ADD CONSTRAINT "ck_atp_submissions_updated_not_before_created" CHECK ("updated_at" >= "created_at");

ALTER TABLE "atp_submission_documents"
    ADD CONSTRAINT "ck_atp_submission_documents_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_atp_submission_documents_file_name_not_empty" CHECK (length(btrim("file_name")) > 0),
    ADD CONSTRAINT "ck_atp_submission_documents_file_name_no_path" CHECK (position('/' in "file_name") = 0),
    ADD CONSTRAINT "ck_atp_submission_documents_mime_type_format" CHECK ("mime_type" ~ '^[a-z]+/[a-z0-9.+-]+$'),
    ADD CONSTRAINT "ck_atp_submission_documents_size_bytes_range" CHECK ("size_bytes" BETWEEN 1 AND 262144000),
    ADD CONSTRAINT "ck_atp_submission_documents_sha256_format" CHECK ("sha256" ~ '^[0-9a-f]{64}$'),
    ADD CONSTRAINT "ck_atp_submission_documents_page_count_positive" CHECK ("page_count" > 0),
    ADD CONSTRAINT "ck_atp_submission_documents_kind_known" CHECK ("kind" IN ('REPORT', 'PHOTO', 'MEASUREMENT', 'DRAWING')),
    ADD CONSTRAINT "ck_atp_submission_documents_version_positive" CHECK ("version" > 0),
    ADD CONSTRAINT "ck_atp_submission_documents_storage_key_not_empty" CHECK (length(btrim("storage_key")) > 0),
    ADD CONSTRAINT "ck_atp_submission_documents_scan_result_known" CHECK ("scan_result" IN ('CLEAN', 'INFECTED')),
    ADD CONSTRAINT "ck_atp_submission_documents_scan_result_with_time" CHECK (("scan_result" IS NULL) = ("scanned_at" IS NULL));

ALTER TABLE "punchlists"
    ADD CONSTRAINT "ck_punchlists_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_punchlists_reference_format" CHECK ("reference" ~ '^PL-[0-9]{6}$'),
    ADD CONSTRAINT "ck_punchlists_title_not_empty" CHECK (length(btrim("title")) > 0),
    ADD CONSTRAINT "ck_punchlists_status_known" CHECK ("status" IN ('OPEN', 'CLOSED')),
    ADD CONSTRAINT "ck_punchlists_severity_known" CHECK ("severity" IN ('MINOR', 'MAJOR', 'CRITICAL')),
    ADD CONSTRAINT "ck_punchlists_item_count_non_negative" CHECK ("item_count" >= 0),
    ADD CONSTRAINT "ck_punchlists_open_count_range" CHECK ("open_count" BETWEEN 0 AND "item_count"),
    ADD CONSTRAINT "ck_punchlists_closed_with_status" CHECK (("status" = 'CLOSED') = ("closed_at" IS NOT NULL)),
    ADD CONSTRAINT "ck_punchlists_closed_has_none_open" CHECK ("status" <> 'CLOSED' OR "open_count" = 0),
    ADD CONSTRAINT "ck_punchlists_due_not_before_created" CHECK ("due_date" >= "created_at"::date),
    ADD CONSTRAINT "ck_punchlists_updated_not_before_created" CHECK ("updated_at" >= "created_at");

ALTER TABLE "punchlist_items"
    ADD CONSTRAINT "ck_punchlist_items_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_punchlist_items_sequence_positive" CHECK ("sequence" > 0),
    ADD CONSTRAINT "ck_punchlist_items_description_not_empty" CHECK (length(btrim("description")) > 0),
    ADD CONSTRAINT "ck_punchlist_items_category_known" CHECK ("category" IN ('GROUNDING', 'CABLING', 'LABELLING', 'ALIGNMENT', 'CIVIL')),
    ADD CONSTRAINT "ck_punchlist_items_severity_known" CHECK ("severity" IN ('MINOR', 'MAJOR', 'CRITICAL')),
    ADD CONSTRAINT "ck_punchlist_items_status_known" CHECK ("status" IN ('OPEN', 'FIXED', 'REJECTED', 'CLOSED')),
    ADD CONSTRAINT "ck_punchlist_items_photo_count_range" CHECK ("photo_count" BETWEEN 0 AND 20),
    ADD CONSTRAINT "ck_punchlist_items_estimated_cost_non_negative" CHECK ("estimated_cost" >= 0),
    ADD CONSTRAINT "ck_punchlist_items_rework_hours_non_negative" CHECK ("rework_hours" >= 0),
    ADD CONSTRAINT "ck_punchlist_items_fixed_after_found" CHECK ("fixed_at" >= "found_at"),
    ADD CONSTRAINT "ck_punchlist_items_closed_after_fixed" CHECK ("closed_at" >= "fixed_at"),
    ADD CONSTRAINT "ck_punchlist_items_closed_with_status" CHECK (("status" = 'CLOSED') = ("closed_at" IS NOT NULL)),
    ADD CONSTRAINT "ck_punchlist_items_closed_by_somebody" CHECK (("status" = 'CLOSED') = ("closed_by_id" IS NOT NULL)),
    ADD CONSTRAINT "ck_punchlist_items_rejection_count_non_negative" CHECK ("rejection_count" >= 0),
    ADD CONSTRAINT "ck_punchlist_items_updated_not_before_created" CHECK ("updated_at" >= "created_at");

ALTER TABLE "audit_events"
    ADD CONSTRAINT "ck_audit_events_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_audit_events_entity_type_known" CHECK ("entity_type" IN ('WORKFLOW', 'STAGE', 'SUBMISSION', 'PUNCHLIST')),
    ADD CONSTRAINT "ck_audit_events_entity_id_not_empty" CHECK (length(btrim("entity_id")) > 0),
    ADD CONSTRAINT "ck_audit_events_action_known" CHECK ("action" IN ('CREATED', 'CHANGED', 'REMOVED')),
    ADD CONSTRAINT "ck_audit_events_before_is_object" CHECK (jsonb_typeof("before") = 'object'),
    ADD CONSTRAINT "ck_audit_events_after_is_object" CHECK (jsonb_typeof("after") = 'object'),
    ADD CONSTRAINT "ck_audit_events_created_has_no_before" CHECK ("action" <> 'CREATED' OR "before" IS NULL),
    ADD CONSTRAINT "ck_audit_events_request_id_not_empty" CHECK (length(btrim("request_id")) > 0),
    ADD CONSTRAINT "ck_audit_events_source_known" CHECK ("source" IN ('WEB', 'MOBILE', 'API', 'JOB'));

ALTER TABLE "notifications"
    ADD CONSTRAINT "ck_notifications_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_notifications_channel_known" CHECK ("channel" IN ('EMAIL', 'PUSH', 'SMS')),
    ADD CONSTRAINT "ck_notifications_template_code_format" CHECK ("template_code" ~ '^[A-Z0-9]+([_-][A-Z0-9]+)*$'),
    ADD CONSTRAINT "ck_notifications_subject_not_empty" CHECK (length(btrim("subject")) > 0),
    ADD CONSTRAINT "ck_notifications_status_known" CHECK ("status" IN ('QUEUED', 'SENT', 'FAILED')),
    ADD CONSTRAINT "ck_notifications_attempts_range" CHECK ("attempts" BETWEEN 0 AND 10),
    ADD CONSTRAINT "ck_notifications_sent_with_status" CHECK (("status" = 'SENT') = ("sent_at" IS NOT NULL)),
    ADD CONSTRAINT "ck_notifications_read_after_sent" CHECK ("read_at" >= "sent_at"),
    ADD CONSTRAINT "ck_notifications_error_not_empty" CHECK (length(btrim("error")) > 0),
    ADD CONSTRAINT "ck_notifications_failure_has_error" CHECK (("status" = 'FAILED') = ("error" IS NOT NULL));

ALTER TABLE "workflow_comments"
    ADD CONSTRAINT "ck_workflow_comments_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_workflow_comments_body_not_empty" CHECK (length(btrim("body")) > 0),
    ADD CONSTRAINT "ck_workflow_comments_body_length" CHECK (length("body") <= 4000),
    ADD CONSTRAINT "ck_workflow_comments_visibility_known" CHECK ("visibility" IN ('INTERNAL', 'VENDOR')),
    ADD CONSTRAINT "ck_workflow_comments_edited_after_created" CHECK ("edited_at" >= "created_at");

ALTER TABLE "email_templates"
    ADD CONSTRAINT "ck_email_templates_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_email_templates_code_format" CHECK ("code" ~ '^[A-Z0-9]+([_-][A-Z0-9]+)*$'),
    ADD CONSTRAINT "ck_email_templates_locale_format" CHECK ("locale" ~ '^[a-z]{2}(-[A-Z]{2})?$'),
    ADD CONSTRAINT "ck_email_templates_subject_not_empty" CHECK (length(btrim("subject")) > 0),
    ADD CONSTRAINT "ck_email_templates_subject_length" CHECK (length("subject") <= 200),
    ADD CONSTRAINT "ck_email_templates_body_not_empty" CHECK (length(btrim("body")) > 0),
    ADD CONSTRAINT "ck_email_templates_version_positive" CHECK ("version" > 0),
    ADD CONSTRAINT "ck_email_templates_status_known" CHECK ("status" IN ('DRAFT', 'ACTIVE', 'RETIRED')),
    ADD CONSTRAINT "ck_email_templates_updated_not_before_created" CHECK ("updated_at" >= "created_at");

ALTER TABLE "job_runs"
    ADD CONSTRAINT "ck_job_runs_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_job_runs_job_name_not_empty" CHECK (length(btrim("job_name")) > 0),
    ADD CONSTRAINT "ck_job_runs_status_known" CHECK ("status" IN ('RUNNING', 'SUCCEEDED', 'FAILED')),
    ADD CONSTRAINT "ck_job_runs_attempt_range" CHECK ("attempt" BETWEEN 1 AND 10),
    ADD CONSTRAINT "ck_job_runs_finished_after_start" CHECK ("finished_at" >= "started_at"),
    ADD CONSTRAINT "ck_job_runs_finished_with_status" CHECK (("status" = 'RUNNING') = ("finished_at" IS NULL)),
    ADD CONSTRAINT "ck_job_runs_rows_read_non_negative" CHECK ("rows_read" >= 0),
    ADD CONSTRAINT "ck_job_runs_rows_written_non_negative" CHECK ("rows_written" >= 0),
    ADD CONSTRAINT "ck_job_runs_duration_ms_non_negative" CHECK ("duration_ms" >= 0),
    ADD CONSTRAINT "ck_job_runs_failure_has_error" CHECK (("status" = 'FAILED') = ("error" IS NOT NULL));

ALTER TABLE "api_clients"
    ADD CONSTRAINT "ck_api_clients_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_api_clients_name_not_empty" CHECK (length(btrim("name")) > 0),
    ADD CONSTRAINT "ck_api_clients_key_prefix_format" CHECK ("key_prefix" ~ '^[a-z0-9]{8}$'),
    ADD CONSTRAINT "ck_api_clients_key_hash_format" CHECK ("key_hash" ~ '^[0-9a-f]{64}$'),
    ADD CONSTRAINT "ck_api_clients_rate_per_minute_range" CHECK ("rate_per_minute" BETWEEN 1 AND 6000),
    ADD CONSTRAINT "ck_api_clients_status_known" CHECK ("status" IN ('ACTIVE', 'REVOKED')),
    ADD CONSTRAINT "ck_api_clients_expires_after_created" CHECK ("expires_at" >= "created_at");

ALTER TABLE "feature_flags"
    ADD CONSTRAINT "ck_feature_flags_key_format" CHECK ("key" ~ '^[a-z]+(-[a-z]+)*$'),
    ADD CONSTRAINT "ck_feature_flags_description_not_empty" CHECK (length(btrim("description")) > 0),
    ADD CONSTRAINT "ck_feature_flags_rollout_percent_range" CHECK ("rollout_percent" BETWEEN 0 AND 100);
