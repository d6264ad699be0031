-- Two workspaces of a mobile operator's rollout: the sites, the vendors who build them, and the acceptance of what was built.
-- Each workspace has 12 users, 40 sites, 30 workflows with three stages each, and the submissions and punchlists that follow.
-- Everything is counted, nothing is drawn by chance: w is the workspace, n the thing in it, k the part of a thing.

CREATE TEMPORARY TABLE spaces AS
SELECT w, format('00000000-0000-4000-8000-%s', lpad(w::text, 12, '0'))::uuid AS workspace_id,
       timestamp '2025-09-01 08:00' AS began
  FROM generate_series(1, 2) AS w;

INSERT INTO workspaces (id, code, name, timezone, created_at, updated_at)
SELECT workspace_id, CASE w WHEN 1 THEN 'NORTH' ELSE 'SOUTH' END,
       format('Rollout %s', CASE w WHEN 1 THEN 'north' ELSE 'south' END),
       'Europe/Berlin', began, began
  FROM spaces;

INSERT INTO users (id, workspace_id, email, full_name, job_title, phone, status, failed_sign_ins, last_sign_in_at, disabled_at,
       created_at, updated_at)
SELECT format('usr_%s_%s', w, n), workspace_id, format('engineer%s@rollout.example', n), format('Engineer %s', n),
       CASE WHEN n % 4 = 3 THEN 'Acceptance board' END, format('+49300000%s', 1000 * w + n),
       CASE n WHEN 12 THEN 'DISABLED' ELSE 'ACTIVE' END,
       n % 3, began + make_interval(days => n), CASE n WHEN 12 THEN began + interval '30 days' END, began,
       began + interval '30 days'
  FROM spaces, generate_series(1, 12) AS n;

INSERT INTO vendor_master (id, workspace_id, code, name, kind, contract_number, rating, contract_start, contract_end, crew_size,
       created_at, updated_at)
SELECT format('ven_%s_%s', w, n), workspace_id, format('VEN-%s', n), format('Vendor %s', n),
       (ARRAY['TOWER', 'RADIO', 'TRANSMISSION', 'POWER'])[1 + n % 4], format('C-2025-%s', 10 * w + n), 1 + n % 5,
       date '2025-01-01', CASE WHEN n <> 5 THEN date '2026-12-31' END, 4 * n, began, began
  FROM spaces, generate_series(1, 5) AS n;

INSERT INTO vendor_contacts (id, vendor_id, full_name, email, phone, title, is_primary)
SELECT format('con_%s_%s_%s', w, n, k), format('ven_%s_%s', w, n), format('Contact %s of vendor %s', k, n),
       format('contact%s@vendor%s.example', k, n), format('+49400000%s', 100 * w + 10 * n + k),
       CASE k WHEN 1 THEN 'Site lead' END, k = 1
  FROM spaces, generate_series(1, 5) AS n, generate_series(1, 2) AS k;

INSERT INTO cluster_master (id, workspace_id, code, name, region, priority, target_sites, freeze_date, launch_date, status,
       created_at, updated_at)
SELECT format('clu_%s_%s', w, n), workspace_id, format('CL-%s', n), format('Cluster %s', n), format('Region %s', w), n, 14,
       date '2025-12-01', date '2026-02-01', CASE n WHEN 1 THEN 'LAUNCHED' ELSE 'ROLLOUT' END, began, began
  FROM spaces, generate_series(1, 3) AS n;

INSERT INTO site_master (id, workspace_id, cluster_id, code, name, latitude, longitude, tower_height_m, site_type, address,
       on_air_date, status, created_at, updated_at)
SELECT format('sit_%s_%s', w, n), workspace_id, format('clu_%s_%s', w, 1 + n % 3), format('SITE-%s', 1000 * w + n),
       format('Site %s', n),
       48 + w * 3 + n * 0.01, 9 + n * 0.02, CASE WHEN n % 4 < 2 THEN 25 + n END,
       (ARRAY['GREENFIELD', 'ROOFTOP', 'SMALL_CELL', 'INDOOR'])[1 + n % 4],
       format('Mast road %s', n), CASE WHEN n <= 10 THEN date '2025-10-01' + n END,
       CASE WHEN n <= 10 THEN 'ON_AIR' ELSE 'BUILDING' END, began, began
  FROM spaces, generate_series(1, 40) AS n;

INSERT INTO atp_scope_master (id, workspace_id, code, name, category, sequence, min_documents, max_documents, sla_hours,
       created_at, updated_at)
SELECT format('sco_%s_%s', w, n), workspace_id, kind, format('%s acceptance', initcap(kind)), kind, n, 2, 10, 24 * n, began,
       began
  FROM spaces, unnest(ARRAY['HARDWARE', 'SOFTWARE', 'RADIO', 'POWER', 'CIVIL']) WITH ORDINALITY AS kinds (kind, n);

INSERT INTO approval_role_master (id, workspace_id, code, name, level, can_delegate, max_amount, created_at, updated_at)
SELECT format('rol_%s_%s', w, n), workspace_id, replace(upper(role), ' ', '_'), role, n, n > 2,
       CASE WHEN n < 4 THEN 5000 * n END, began, began
  FROM spaces,
       unnest(ARRAY['Field engineer', 'Vendor lead', 'Radio manager', 'Acceptance board']) WITH ORDINALITY AS roles (role, n);

INSERT INTO user_roles (id, user_id, role_id, granted_at, expires_at, note)
SELECT format('uro_%s_%s', w, n), format('usr_%s_%s', w, n), format('rol_%s_%s', w, 1 + n % 4), began,
       CASE n WHEN 12 THEN began + interval '30 days' END, CASE n WHEN 12 THEN 'Until the end of the project' END
  FROM spaces, generate_series(1, 12) AS n;

INSERT INTO approval_policy_master (id, workspace_id, scope_id, code, name, min_approvals, max_rejections, quorum_percent,
       valid_from, valid_to, status, created_at, updated_at)
SELECT format('pol_%s_%s', w, n), workspace_id, format('sco_%s_%s', w, n), format('POLICY-%s', n),
       format('Approval of scope %s', n), 1 + n % 2, 1, 60,
       date '2025-09-01', date '2026-08-31', 'ACTIVE', began, began
  FROM spaces, generate_series(1, 5) AS n;

INSERT INTO approval_policy_stages (id, workspace_id, role_id, policy_code, sequence, name, sla_hours, required_approvals,
       reminder_hours)
SELECT format('pst_%s_%s_%s', w, n, k), workspace_id, format('rol_%s_%s', w, k + 1), format('POLICY-%s', n), k,
       format('Stage %s', k), 48,
       CASE k WHEN 3 THEN 2 ELSE 1 END, CASE WHEN k < 3 THEN 24 END
  FROM spaces, generate_series(1, 5) AS n, generate_series(1, 3) AS k;

-- Version 1 is retired, 2 is in use, 3 is being written.
INSERT INTO config_versions (id, workspace_id, previous_version_id, published_by_id, version, label, status, checksum, body,
       published_at, retired_at, change_note, created_at, updated_at)
SELECT format('cfg_%s_%s', w, n), workspace_id, CASE WHEN n > 1 THEN format('cfg_%s_%s', w, n - 1) END, format('usr_%s_3', w),
       n, format('Configuration %s', n),
       (ARRAY['RETIRED', 'ACTIVE', 'DRAFT'])[n], encode(sha256(format('configuration %s of %s', n, w)::bytea), 'hex'),
       jsonb_build_object('stages', 3, 'escalation', n > 1),
       CASE WHEN n < 3 THEN began + make_interval(days => 25 * (n - 1)) END,
       CASE n WHEN 1 THEN began + interval '25 days' END, CASE WHEN n > 1 THEN 'Escalation after two days' END, began,
       began + interval '25 days'
  FROM spaces, generate_series(1, 3) AS n;

INSERT INTO workflow_instances (id, workspace_id, config_version_id, scope_id, site_id, policy_id, vendor_id, created_by_id,
       reference, title, status, priority,
       progress_percent, planned_start, planned_end, started_at, completed_at, cancelled_at, cancel_reason, estimated_hours,
       actual_hours, created_at, updated_at)
SELECT format('wfi_%s_%s', w, n), workspace_id, format('cfg_%s_%s', w, CASE status WHEN 'COMPLETED' THEN 1 ELSE 2 END),
       format('sco_%s_%s', w, 1 + n % 5),
       format('sit_%s_%s', w, n), format('pol_%s_%s', w, 1 + n % 5),
       CASE WHEN n % 7 <> 0 THEN format('ven_%s_%s', w, 1 + n % 5) END, format('usr_%s_4', w),
       format('WF-%s', lpad((1000 * w + n)::text, 6, '0')), format('Acceptance of site %s', n), status,
       (ARRAY['LOW', 'NORMAL', 'HIGH', 'URGENT'])[1 + n % 4],
       CASE status WHEN 'COMPLETED' THEN 100 WHEN 'RUNNING' THEN 20 + n WHEN 'CANCELLED' THEN 10 ELSE 0 END, created::date + 2,
       created::date + 23,
       CASE WHEN status IN ('RUNNING', 'COMPLETED') THEN created + interval '1 day' END,
       CASE status WHEN 'COMPLETED' THEN created + interval '20 days' END,
       CASE status WHEN 'CANCELLED' THEN created + interval '6 days' END,
       CASE status WHEN 'CANCELLED' THEN 'The landlord refused access' END,
       16 + n, CASE status WHEN 'COMPLETED' THEN 14.5 + n END, created, created + interval '20 days'
  FROM spaces, generate_series(1, 30) AS n,
       LATERAL (SELECT CASE WHEN n % 10 = 0 THEN 'CANCELLED' WHEN n % 6 = 0 THEN 'DRAFT'
                            WHEN n % 3 = 0 THEN 'COMPLETED' ELSE 'RUNNING' END AS status,
                       began + make_interval(days => n) AS created) AS one;

-- A stage is worked on by somebody who holds its role.
INSERT INTO workflow_stages (id, workspace_id, workflow_instance_id, role_id, assignee_id, sequence, name, status, sla_hours,
       entered_at, due_at, completed_at,
       approvals_required, approvals_given, outcome, created_at, updated_at)
SELECT format('stg_%s_%s', substr(flow.id, 5), k), flow.workspace_id, flow.id, format('rol_%s_%s', w, k + 1),
       CASE WHEN one.status <> 'WAITING' THEN format('usr_%s_%s', w, k + 4 * (n % 3)) END, k, format('Stage %s', k), one.status,
       48,
       CASE WHEN one.status <> 'WAITING' THEN entered END,
       CASE WHEN one.status <> 'WAITING' THEN entered + interval '48 hours' END,
       CASE one.status WHEN 'DONE' THEN entered + make_interval(hours => 12 + 2 * n) END, needed,
       CASE WHEN one.status = 'DONE' AND flow.status <> 'CANCELLED' THEN needed ELSE 0 END,
       CASE one.status WHEN 'DONE' THEN CASE flow.status WHEN 'CANCELLED' THEN 'REJECTED' ELSE 'APPROVED' END END,
       flow.created_at, flow.created_at + interval '20 days'
  FROM spaces JOIN workflow_instances AS flow USING (workspace_id), generate_series(1, 3) AS k,
       LATERAL (SELECT right(flow.reference, 3)::int AS n, flow.created_at + make_interval(days => 4 * k - 3) AS entered,
                       CASE k WHEN 3 THEN 2 ELSE 1 END AS needed,
                       CASE WHEN flow.status = 'COMPLETED' THEN 'DONE' WHEN flow.status = 'DRAFT' THEN 'WAITING'
                            WHEN k = 1 THEN 'DONE' WHEN flow.status = 'RUNNING' AND k = 2 THEN 'OPEN' ELSE 'WAITING' END AS status) AS one;

INSERT INTO workflow_stage_actions (id, workspace_id, actor_id, stage_reference, action, reason, acted_at, duration_seconds,
       client)
SELECT format('act_%s', substr(stage.id, 5)), stage.workspace_id, stage.assignee_id,
       format('%s/%s', flow.reference, stage.sequence),
       CASE stage.outcome WHEN 'APPROVED' THEN 'APPROVE' ELSE 'REJECT' END,
       CASE stage.outcome WHEN 'REJECTED' THEN 'No access to the site' END,
       stage.completed_at, 60 * stage.sequence, CASE stage.sequence WHEN 1 THEN 'MOBILE' ELSE 'WEB' END
  FROM workflow_stages AS stage JOIN workflow_instances AS flow ON flow.id = stage.workflow_instance_id
 WHERE stage.status = 'DONE';

INSERT INTO approver_overrides (id, workspace_id, approver_id, substitute_id, role_id, workflow_reference, reason, valid_from,
       valid_to, status, revoked_at, created_at, updated_at)
SELECT format('ovr_%s_%s', w, n), workspace_id, format('usr_%s_%s', w, n), format('usr_%s_%s', w, n + 4),
       format('rol_%s_%s', w, 1 + n),
       CASE n WHEN 1 THEN format('WF-%s', lpad((1000 * w + n)::text, 6, '0')) END, 'On leave', began + interval '10 days',
       began + interval '24 days',
       CASE n WHEN 3 THEN 'REVOKED' ELSE 'ACTIVE' END, CASE n WHEN 3 THEN began + interval '12 days' END, began,
       began + interval '12 days'
  FROM spaces, generate_series(1, 3) AS n;

INSERT INTO atp_submissions (id, workspace_id, workflow_instance_id, config_version_id, submitted_by_id, reference, status,
       submitted_at, reviewed_at,
       test_count, passed_count, failed_count, skipped_count, score, remarks, created_at, updated_at)
SELECT format('sub_%s', substr(flow.id, 5)), flow.workspace_id, flow.id, flow.config_version_id, format('usr_%s_8', w),
       format('ATP-%s', right(flow.reference, 6)), one.status,
       flow.created_at + interval '3 days', CASE WHEN one.status <> 'SUBMITTED' THEN flow.created_at + interval '9 days' END,
       40 + n, 40 + n - failed - skipped, failed, skipped,
       CASE WHEN one.status <> 'SUBMITTED' THEN round(100.0 * (40 + n - failed - skipped) / (40 + n), 2) END,
       CASE one.status WHEN 'REJECTED' THEN 'See the punchlist' END, flow.created_at + interval '2 days',
       flow.created_at + interval '9 days'
  FROM spaces JOIN workflow_instances AS flow USING (workspace_id),
       LATERAL (SELECT right(flow.reference, 3)::int AS n, right(flow.reference, 3)::int % 3 AS skipped,
                       CASE WHEN flow.status = 'RUNNING' AND right(flow.reference, 3)::int % 2 = 0 THEN 5 ELSE 0 END AS failed,
                       CASE WHEN flow.status = 'COMPLETED' THEN 'APPROVED'
                            WHEN right(flow.reference, 3)::int % 2 = 0 THEN 'REJECTED' ELSE 'SUBMITTED' END AS status) AS one
 WHERE flow.status IN ('RUNNING', 'COMPLETED');

INSERT INTO atp_submission_documents (id, workspace_id, submission_id, uploaded_by_id, file_name, mime_type, size_bytes, sha256,
       page_count, kind, storage_key, scanned_at, scan_result, created_at)
SELECT format('doc_%s_%s', substr(id, 5), k), workspace_id, id, submitted_by_id,
       format('%s-%s.%s', reference, k, CASE k WHEN 1 THEN 'pdf' ELSE 'jpg' END),
       CASE k WHEN 1 THEN 'application/pdf' ELSE 'image/jpeg' END, 150000 * k + length(id),
       encode(sha256(format('%s %s', id, k)::bytea), 'hex'), CASE k WHEN 1 THEN 12 END,
       CASE k WHEN 1 THEN 'REPORT' ELSE 'PHOTO' END, format('atp/%s/%s', id, k), submitted_at + interval '5 minutes', 'CLEAN',
       submitted_at
  FROM atp_submissions, generate_series(1, 2) AS k;

-- What was rejected is being mended; what was approved had a punchlist that is closed.
-- Of an open one's three items, two are open.
INSERT INTO punchlists (id, workspace_id, workflow_instance_id, submission_id, raised_by_id, reference, title, status, severity,
       due_date, closed_at, item_count, open_count, created_at, updated_at)
SELECT format('pun_%s', substr(id, 5)), workspace_id, workflow_instance_id, id, format('usr_%s_3', w),
       format('PL-%s', right(reference, 6)), format('Defects of %s', reference),
       CASE status WHEN 'APPROVED' THEN 'CLOSED' ELSE 'OPEN' END, 'MAJOR', reviewed_at::date + 14,
       CASE status WHEN 'APPROVED' THEN reviewed_at + interval '10 days' END,
       3, CASE status WHEN 'APPROVED' THEN 0 ELSE 2 END, reviewed_at, reviewed_at + interval '10 days'
  FROM spaces JOIN atp_submissions USING (workspace_id)
 WHERE status IN ('APPROVED', 'REJECTED');

INSERT INTO punchlist_items (id, workspace_id, punchlist_id, vendor_id, closed_by_id, sequence, description, category, severity,
       status, photo_count, estimated_cost,
       rework_hours, found_at, fixed_at, closed_at, created_at, updated_at)
SELECT format('pit_%s_%s', substr(list.id, 5), k), list.workspace_id, list.id, coalesce(flow.vendor_id, format('ven_%s_1', w)),
       CASE one.status WHEN 'CLOSED' THEN list.raised_by_id END, k,
       (ARRAY['Earth strap is loose', 'Cable without a label', 'Antenna is tilted too far'])[k],
       (ARRAY['GROUNDING', 'LABELLING', 'ALIGNMENT'])[k], (ARRAY['MAJOR', 'MINOR', 'CRITICAL'])[k], one.status, k, 75.50 * k,
       1.5 * k, list.created_at,
       CASE WHEN one.status <> 'OPEN' THEN list.created_at + interval '4 days' END,
       CASE one.status WHEN 'CLOSED' THEN list.created_at + interval '10 days' END,
       list.created_at, list.created_at + interval '10 days'
  FROM spaces JOIN punchlists AS list USING (workspace_id)
       JOIN workflow_instances AS flow ON flow.id = list.workflow_instance_id, generate_series(1, 3) AS k,
       LATERAL (SELECT CASE WHEN list.status = 'CLOSED' OR k = 1 THEN 'CLOSED'
                            WHEN k = 2 THEN 'FIXED' ELSE 'OPEN' END AS status) AS one;

INSERT INTO audit_events (id, workspace_id, actor_id, workflow_instance_id, entity_type, entity_id, action, occurred_at, before,
       after, request_id, source)
SELECT format('aud_%s_%s', substr(id, 5), k), workspace_id, created_by_id, id, 'WORKFLOW', id,
       CASE k WHEN 1 THEN 'CREATED' ELSE 'CHANGED' END,
       created_at + make_interval(days => k - 1), CASE k WHEN 2 THEN '{"status": "DRAFT"}'::jsonb END,
       jsonb_build_object('status', CASE k WHEN 1 THEN 'DRAFT' ELSE status END),
       format('req-%s-%s', reference, k), 'WEB'
  FROM workflow_instances, generate_series(1, 2) AS k
 WHERE k = 1 OR status <> 'DRAFT';

-- What else an event may be about.
INSERT INTO audit_events (id, workspace_id, actor_id, workflow_instance_id, entity_type, entity_id, action, occurred_at)
SELECT 'aud_' || id, workspace_id, assignee_id, workflow_instance_id, 'STAGE', id, 'CHANGED', completed_at
  FROM workflow_stages WHERE status = 'DONE' AND sequence = 3
UNION ALL
SELECT 'aud_' || id, workspace_id, submitted_by_id, workflow_instance_id, 'SUBMISSION', id, 'CHANGED', submitted_at
  FROM atp_submissions WHERE status = 'REJECTED'
UNION ALL
SELECT 'aud_' || id, workspace_id, raised_by_id, workflow_instance_id, 'PUNCHLIST', id, 'CREATED', created_at
  FROM punchlists WHERE open_count > 0;

INSERT INTO notifications (id, workspace_id, recipient_id, channel, template_code, subject, status, attempts, scheduled_at,
       sent_at, read_at, error, created_at)
SELECT format('not_%s', substr(id, 5)), workspace_id, assignee_id, 'EMAIL', 'STAGE_OPENED', format('%s waits for you', name),
       CASE WHEN status = 'OPEN' THEN 'QUEUED' WHEN sequence = 2 THEN 'FAILED' ELSE 'SENT' END,
       CASE status WHEN 'OPEN' THEN 0 ELSE 1 END, entered_at,
       CASE WHEN status = 'DONE' AND sequence <> 2 THEN entered_at + interval '1 minute' END,
       CASE WHEN status = 'DONE' AND sequence = 1 THEN entered_at + interval '1 hour' END,
       CASE WHEN status = 'DONE' AND sequence = 2 THEN 'The mailbox is full' END, entered_at
  FROM workflow_stages
 WHERE assignee_id IS NOT NULL;

INSERT INTO workflow_comments (id, workspace_id, workflow_instance_id, author_id, body, visibility, edited_at, created_at)
SELECT format('com_%s', substr(id, 5)), workspace_id, id, created_by_id, 'Access with the key from the porter.',
       CASE WHEN vendor_id IS NULL THEN 'INTERNAL' ELSE 'VENDOR' END,
       CASE status WHEN 'RUNNING' THEN created_at + interval '2 hours' END, created_at
  FROM workflow_instances;

INSERT INTO email_templates (id, code, locale, subject, body, created_at, updated_at)
SELECT format('tpl_%s_%s', n, locale), code, locale, format('%s (%s)', replace(lower(code), '_', ' '), locale), 'See {link}.',
       began, began
  FROM unnest(ARRAY['STAGE_OPENED', 'STAGE_OVERDUE', 'PUNCHLIST_CLOSED']) WITH ORDINALITY AS codes (code, n),
       unnest(ARRAY['en', 'de']) AS locale, spaces
 WHERE w = 1;

INSERT INTO job_runs (id, job_name, status, started_at, finished_at, rows_read, rows_written, duration_ms, error)
SELECT format('job_%s', n), 'remind-assignees', CASE n WHEN 20 THEN 'RUNNING' WHEN 7 THEN 'FAILED' ELSE 'SUCCEEDED' END,
       began + make_interval(days => n),
       CASE WHEN n <> 20 THEN began + make_interval(days => n, secs => 3) END, 10 * n, n, CASE WHEN n <> 20 THEN 3000 END,
       CASE n WHEN 7 THEN 'The mail server did not answer' END
  FROM spaces, generate_series(1, 20) AS n
 WHERE w = 1;

INSERT INTO import_batches (id, source, file_name, sha256, row_count, accepted_count, rejected_count, status, started_at,
       finished_at)
SELECT format('imp_%s', n), source, format('%s.csv', lower(source)), encode(sha256(source::bytea), 'hex'), 40, 40 - n, n,
       'LOADED', began, began + interval '1 minute'
  FROM unnest(ARRAY['SITES', 'VENDORS', 'SCOPES']) WITH ORDINALITY AS sources (source, n), spaces
 WHERE w = 1;

INSERT INTO holiday_calendar (id, country_code, day, name, is_half_day)
SELECT format('hol_%s', to_char(day, 'YYYYMMDD')), 'DE', day, name, half
  FROM (VALUES (date '2025-10-03', 'Day of German Unity', false), (date '2025-12-24', 'Christmas Eve', true),
               (date '2025-12-25', 'Christmas Day', false), (date '2025-12-26', 'Boxing Day', false),
               (date '2026-01-01', 'New Year', false)) AS days (day, name, half);

INSERT INTO sla_policies (id, code, name, response_hours, resolution_hours, warn_percent, escalate_percent, created_at,
       updated_at)
SELECT format('sla_%s', n), code, initcap(code), 4 * n, 48 * n, 75, 100, began, began
  FROM unnest(ARRAY['CRITICAL', 'MAJOR', 'MINOR']) WITH ORDINALITY AS codes (code, n), spaces
 WHERE w = 1;

INSERT INTO api_clients (id, name, key_prefix, key_hash, rate_per_minute, last_used_at, expires_at, created_at)
SELECT format('api_%s', n), format('Integration %s', n), format('client%s', lpad(n::text, 2, '0')),
       encode(sha256(format('integration %s', n)::bytea), 'hex'), 60 * n,
       began + interval '40 days', began + interval '365 days', began
  FROM spaces, generate_series(1, 3) AS n
 WHERE w = 1;

INSERT INTO feature_flags (key, description, rollout_percent, is_enabled, created_at, updated_at)
VALUES ('offline-checklists', 'Fill in a checklist without a network', 100, true, '2025-09-01', '2025-10-01'),
       ('photo-recognition', 'Read serial numbers from photos', 10, true, '2025-09-01', '2025-10-01'),
       ('vendor-portal', 'Vendors close punchlist items themselves', 0, false, '2025-09-01', '2025-10-01');

DROP TABLE spaces;
