-- Written by hand (prisma migrate dev --create-only): Prisma's schema has no CHECKs.

ALTER TABLE "workspaces"
    ADD CONSTRAINT "ck_workspaces_code_format" CHECK ("code" ~ '^[A-Z0-9]+([_-][A-Z0-9]+)*$'),
    ADD CONSTRAINT "ck_workspaces_name_not_empty" CHECK (length(btrim("name")) > 0),
    ADD CONSTRAINT "ck_workspaces_status_known" CHECK ("status" IN ('ACTIVE', 'SUSPENDED', 'ARCHIVED')),
    ADD CONSTRAINT "ck_workspaces_timezone_not_empty" CHECK (length(btrim("timezone")) > 0),
    ADD CONSTRAINT "ck_workspaces_locale_format" CHECK ("locale" ~ '^[a-z]{2}(-[A-Z]{2})?$'),
    ADD CONSTRAINT "ck_workspaces_default_currency_format" CHECK ("default_currency" ~ '^[A-Z]{3}$'),
    ADD CONSTRAINT "ck_workspaces_archived_with_status" CHECK (("status" = 'ARCHIVED') = ("archived_at" IS NOT NULL)),
    ADD CONSTRAINT "ck_workspaces_updated_not_before_created" CHECK ("updated_at" >= "created_at");

ALTER TABLE "users"
    ADD CONSTRAINT "ck_users_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_users_email_format" CHECK ("email" ~ '^[^@ ]+@[^@ ]+[.][^@ .]+$'),
    ADD CONSTRAINT "ck_users_email_lower_case" CHECK ("email" = lower("email")),
    ADD CONSTRAINT "ck_users_full_name_not_empty" CHECK (length(btrim("full_name")) > 0),
    ADD CONSTRAINT "ck_users_job_title_not_empty" CHECK (length(btrim("job_title")) > 0),
    ADD CONSTRAINT "ck_users_phone_format" CHECK ("phone" ~ '^[+][0-9]{6,15}$'),
    ADD CONSTRAINT "ck_users_status_known" CHECK ("status" IN ('INVITED', 'ACTIVE', 'DISABLED')),
    ADD CONSTRAINT "ck_users_failed_sign_ins_non_negative" CHECK ("failed_sign_ins" >= 0),
    ADD CONSTRAINT "ck_users_sign_in_not_before_created" CHECK ("last_sign_in_at" >= "created_at"),
    ADD CONSTRAINT "ck_users_disabled_with_status" CHECK (("status" = 'DISABLED') = ("disabled_at" IS NOT NULL)),
    ADD CONSTRAINT "ck_users_updated_not_before_created" CHECK ("updated_at" >= "created_at");

ALTER TABLE "vendor_master"
    ADD CONSTRAINT "ck_vendor_master_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_vendor_master_code_format" CHECK ("code" ~ '^[A-Z0-9]+([_-][A-Z0-9]+)*$'),
    ADD CONSTRAINT "ck_vendor_master_name_not_empty" CHECK (length(btrim("name")) > 0),
    ADD CONSTRAINT "ck_vendor_master_kind_known" CHECK ("kind" IN ('TOWER', 'RADIO', 'TRANSMISSION', 'POWER')),
    ADD CONSTRAINT "ck_vendor_master_contract_number_not_empty" CHECK (length(btrim("contract_number")) > 0),
    ADD CONSTRAINT "ck_vendor_master_rating_range" CHECK ("rating" BETWEEN 1 AND 5),
    ADD CONSTRAINT "ck_vendor_master_contract_period" CHECK ("contract_end" >= "contract_start"),
    ADD CONSTRAINT "ck_vendor_master_crew_size_non_negative" CHECK ("crew_size" >= 0),
    ADD CONSTRAINT "ck_vendor_master_status_known" CHECK ("status" IN ('ACTIVE', 'BLOCKED', 'RETIRED')),
    ADD CONSTRAINT "ck_vendor_master_updated_not_before_created" CHECK ("updated_at" >= "created_at");

ALTER TABLE "cluster_master"
    ADD CONSTRAINT "ck_cluster_master_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_cluster_master_code_format" CHECK ("code" ~ '^[A-Z0-9]+([_-][A-Z0-9]+)*$'),
    ADD CONSTRAINT "ck_cluster_master_name_not_empty" CHECK (length(btrim("name")) > 0),
    ADD CONSTRAINT "ck_cluster_master_region_not_empty" CHECK (length(btrim("region")) > 0),
    ADD CONSTRAINT "ck_cluster_master_priority_range" CHECK ("priority" BETWEEN 1 AND 5),
    ADD CONSTRAINT "ck_cluster_master_target_sites_non_negative" CHECK ("target_sites" >= 0),
    ADD CONSTRAINT "ck_cluster_master_launch_not_before_freeze" CHECK ("launch_date" >= "freeze_date"),
    ADD CONSTRAINT "ck_cluster_master_status_known" CHECK ("status" IN ('PLANNED', 'ROLLOUT', 'LAUNCHED')),
    ADD CONSTRAINT "ck_cluster_master_updated_not_before_created" CHECK ("updated_at" >= "created_at");

ALTER TABLE "site_master"
    ADD CONSTRAINT "ck_site_master_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_site_master_code_format" CHECK ("code" ~ '^[A-Z0-9]+([_-][A-Z0-9]+)*$'),
    ADD CONSTRAINT "ck_site_master_name_not_empty" CHECK (length(btrim("name")) > 0),
    ADD CONSTRAINT "ck_site_master_latitude_range" CHECK ("latitude" BETWEEN -90 AND 90),
    ADD CONSTRAINT "ck_site_master_longitude_range" CHECK ("longitude" BETWEEN -180 AND 180),
    ADD CONSTRAINT "ck_site_master_tower_height_m_positive" CHECK ("tower_height_m" > 0),
    ADD CONSTRAINT "ck_site_master_site_type_known" CHECK ("site_type" IN ('GREENFIELD', 'ROOFTOP', 'SMALL_CELL', 'INDOOR')),
    ADD CONSTRAINT "ck_site_master_address_not_empty" CHECK (length(btrim("address")) > 0),
    ADD CONSTRAINT "ck_site_master_status_known" CHECK ("status" IN ('PLANNED', 'BUILDING', 'ON_AIR', 'DISMANTLED')),
    ADD CONSTRAINT "ck_site_master_on_air_has_date" CHECK ("status" <> 'ON_AIR' OR "on_air_date" IS NOT NULL),
    ADD CONSTRAINT "ck_site_master_updated_not_before_created" CHECK ("updated_at" >= "created_at");

ALTER TABLE "atp_scope_master"
    ADD CONSTRAINT "ck_atp_scope_master_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_atp_scope_master_code_format" CHECK ("code" ~ '^[A-Z0-9]+([_-][A-Z0-9]+)*$'),
    ADD CONSTRAINT "ck_atp_scope_master_name_not_empty" CHECK (length(btrim("name")) > 0),
    ADD CONSTRAINT "ck_atp_scope_master_description_not_empty" CHECK (length(btrim("description")) > 0),
    ADD CONSTRAINT "ck_atp_scope_master_category_known" CHECK ("category" IN ('HARDWARE', 'SOFTWARE', 'RADIO', 'POWER', 'CIVIL')),
    ADD CONSTRAINT "ck_atp_scope_master_sequence_positive" CHECK ("sequence" > 0),
    ADD CONSTRAINT "ck_atp_scope_master_min_documents_non_negative" CHECK ("min_documents" >= 0),
    ADD CONSTRAINT "ck_atp_scope_master_documents_order" CHECK ("max_documents" >= "min_documents"),
    ADD CONSTRAINT "ck_atp_scope_master_sla_hours_range" CHECK ("sla_hours" BETWEEN 1 AND 2160),
    ADD CONSTRAINT "ck_atp_scope_master_status_known" CHECK ("status" IN ('ACTIVE', 'RETIRED')),
    ADD CONSTRAINT "ck_atp_scope_master_updated_not_before_created" CHECK ("updated_at" >= "created_at");

ALTER TABLE "approval_role_master"
    ADD CONSTRAINT "ck_approval_role_master_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_approval_role_master_code_format" CHECK ("code" ~ '^[A-Z0-9]+([_-][A-Z0-9]+)*$'),
    ADD CONSTRAINT "ck_approval_role_master_name_not_empty" CHECK (length(btrim("name")) > 0),
    ADD CONSTRAINT "ck_approval_role_master_level_range" CHECK ("level" BETWEEN 1 AND 9),
    ADD CONSTRAINT "ck_approval_role_master_max_amount_non_negative" CHECK ("max_amount" >= 0),
    ADD CONSTRAINT "ck_approval_role_master_notify_after_hours_positive" CHECK ("notify_after_hours" > 0),
    ADD CONSTRAINT "ck_approval_role_master_escalates_after_notice" CHECK ("escalate_after_hours" >= "notify_after_hours"),
    ADD CONSTRAINT "ck_approval_role_master_status_known" CHECK ("status" IN ('ACTIVE', 'RETIRED')),
    ADD CONSTRAINT "ck_approval_role_master_updated_not_before_created" CHECK ("updated_at" >= "created_at");

ALTER TABLE "user_roles"
    ADD CONSTRAINT "ck_user_roles_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_user_roles_expires_after_grant" CHECK ("expires_at" >= "granted_at"),
    ADD CONSTRAINT "ck_user_roles_note_not_empty" CHECK (length(btrim("note")) > 0);

ALTER TABLE "approval_policy_master"
    ADD CONSTRAINT "ck_approval_policy_master_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_approval_policy_master_code_format" CHECK ("code" ~ '^[A-Z0-9]+([_-][A-Z0-9]+)*$'),
    ADD CONSTRAINT "ck_approval_policy_master_name_not_empty" CHECK (length(btrim("name")) > 0),
    ADD CONSTRAINT "ck_approval_policy_master_version_positive" CHECK ("version" > 0),
    ADD CONSTRAINT "ck_approval_policy_master_min_approvals_range" CHECK ("min_approvals" BETWEEN 1 AND 10),
    ADD CONSTRAINT "ck_approval_policy_master_max_rejections_non_negative" CHECK ("max_rejections" >= 0),
    ADD CONSTRAINT "ck_approval_policy_master_quorum_percent_range" CHECK ("quorum_percent" BETWEEN 1 AND 100),
    ADD CONSTRAINT "ck_approval_policy_master_validity" CHECK ("valid_to" >= "valid_from"),
    ADD CONSTRAINT "ck_approval_policy_master_status_known" CHECK ("status" IN ('DRAFT', 'ACTIVE', 'RETIRED')),
    ADD CONSTRAINT "ck_approval_policy_master_updated_not_before_created" CHECK ("updated_at" >= "created_at");

ALTER TABLE "approval_policy_stages"
    ADD CONSTRAINT "ck_approval_policy_stages_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_approval_policy_stages_policy_code_format" CHECK ("policy_code" ~ '^[A-Z0-9]+([_-][A-Z0-9]+)*$'),
    ADD CONSTRAINT "ck_approval_policy_stages_sequence_positive" CHECK ("sequence" > 0),
    ADD CONSTRAINT "ck_approval_policy_stages_name_not_empty" CHECK (length(btrim("name")) > 0),
    ADD CONSTRAINT "ck_approval_policy_stages_sla_hours_range" CHECK ("sla_hours" BETWEEN 1 AND 720),
    ADD CONSTRAINT "ck_approval_policy_stages_required_approvals_positive" CHECK ("required_approvals" > 0),
    ADD CONSTRAINT "ck_approval_policy_stages_on_timeout_known" CHECK ("on_timeout" IN ('ESCALATE', 'APPROVE', 'REJECT', 'NOTHING')),
    ADD CONSTRAINT "ck_approval_policy_stages_reminder_hours_positive" CHECK ("reminder_hours" > 0),
    ADD CONSTRAINT "ck_approval_policy_stages_reminder_before_sla" CHECK ("reminder_hours" < "sla_hours");

ALTER TABLE "approver_overrides"
    ADD CONSTRAINT "ck_approver_overrides_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_approver_overrides_not_oneself" CHECK ("approver_id" <> "substitute_id"),
    ADD CONSTRAINT "ck_approver_overrides_workflow_reference_format" CHECK ("workflow_reference" ~ '^WF-[0-9]{6}$'),
    ADD CONSTRAINT "ck_approver_overrides_reason_not_empty" CHECK (length(btrim("reason")) > 0),
    ADD CONSTRAINT "ck_approver_overrides_validity" CHECK ("valid_to" >= "valid_from"),
    ADD CONSTRAINT "ck_approver_overrides_status_known" CHECK ("status" IN ('ACTIVE', 'REVOKED', 'EXPIRED')),
    ADD CONSTRAINT "ck_approver_overrides_revoked_with_status" CHECK (("status" = 'REVOKED') = ("revoked_at" IS NOT NULL)),
    ADD CONSTRAINT "ck_approver_overrides_updated_not_before_created" CHECK ("updated_at" >= "created_at");

ALTER TABLE "vendor_contacts"
    ADD CONSTRAINT "ck_vendor_contacts_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_vendor_contacts_full_name_not_empty" CHECK (length(btrim("full_name")) > 0),
    ADD CONSTRAINT "ck_vendor_contacts_email_format" CHECK ("email" ~ '^[^@ ]+@[^@ ]+[.][^@ .]+$'),
    ADD CONSTRAINT "ck_vendor_contacts_phone_format" CHECK ("phone" ~ '^[+][0-9]{6,15}$'),
    ADD CONSTRAINT "ck_vendor_contacts_title_not_empty" CHECK (length(btrim("title")) > 0);

ALTER TABLE "import_batches"
    ADD CONSTRAINT "ck_import_batches_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_import_batches_source_known" CHECK ("source" IN ('SITES', 'VENDORS', 'SCOPES')),
    ADD CONSTRAINT "ck_import_batches_file_name_not_empty" CHECK (length(btrim("file_name")) > 0),
    ADD CONSTRAINT "ck_import_batches_sha256_format" CHECK ("sha256" ~ '^[0-9a-f]{64}$'),
    ADD CONSTRAINT "ck_import_batches_row_count_non_negative" CHECK ("row_count" >= 0),
    ADD CONSTRAINT "ck_import_batches_accepted_count_non_negative" CHECK ("accepted_count" >= 0),
    ADD CONSTRAINT "ck_import_batches_rejected_count_non_negative" CHECK ("rejected_count" >= 0),
    ADD CONSTRAINT "ck_import_batches_counts_within_rows" CHECK ("accepted_count" + "rejected_count" <= "row_count"),
    ADD CONSTRAINT "ck_import_batches_status_known" CHECK ("status" IN ('RECEIVED', 'LOADED', 'REFUSED')),
    ADD CONSTRAINT "ck_import_batches_finished_after_start" CHECK ("finished_at" >= "started_at");

ALTER TABLE "holiday_calendar"
    ADD CONSTRAINT "ck_holiday_calendar_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_holiday_calendar_country_code_format" CHECK ("country_code" ~ '^[A-Z]{2}$'),
    ADD CONSTRAINT "ck_holiday_calendar_name_not_empty" CHECK (length(btrim("name")) > 0),
    ADD CONSTRAINT "ck_holiday_calendar_day_range" CHECK ("day" BETWEEN DATE '2020-01-01' AND DATE '2099-12-31');

ALTER TABLE "sla_policies"
    ADD CONSTRAINT "ck_sla_policies_id_not_empty" CHECK (length(btrim("id")) > 0),
    ADD CONSTRAINT "ck_sla_policies_code_format" CHECK ("code" ~ '^[A-Z0-9]+([_-][A-Z0-9]+)*$'),
    ADD CONSTRAINT "ck_sla_policies_name_not_empty" CHECK (length(btrim("name")) > 0),
    ADD CONSTRAINT "ck_sla_policies_response_hours_positive" CHECK ("response_hours" > 0),
    ADD CONSTRAINT "ck_sla_policies_resolution_after_response" CHECK ("resolution_hours" >= "response_hours"),
    ADD CONSTRAINT "ck_sla_policies_warn_percent_range" CHECK ("warn_percent" BETWEEN 1 AND 100),
    ADD CONSTRAINT "ck_sla_policies_escalate_percent_range" CHECK ("escalate_percent" BETWEEN 1 AND 200),
    ADD CONSTRAINT "ck_sla_policies_escalates_after_warning" CHECK ("escalate_percent" >= "warn_percent"),
    ADD CONSTRAINT "ck_sla_policies_status_known" CHECK ("status" IN ('ACTIVE', 'RETIRED')),
    ADD CONSTRAINT "ck_sla_policies_updated_not_before_created" CHECK ("updated_at" >= "created_at");
