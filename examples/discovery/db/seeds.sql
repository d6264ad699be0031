-- Two client accounts with three engagements. Each engagement has three master flows with an import of 40 records, of which
-- 30 have become assets, a flow that was started by hand, ten assets that somebody typed in, and a flow that was thrown away.
-- Keys are hashes of what a thing is called, so that every run has the same: e is the engagement, f the flow, n the record.

CREATE TEMPORARY TABLE tenants AS
SELECT e, md5(format('account %s', account))::uuid AS client_account_id, md5(format('engagement %s', e))::uuid AS engagement_id,
       account, timestamptz '2025-06-02 08:00+00' AS began
  FROM (VALUES (1, 1), (2, 1), (3, 2)) AS engagements (e, account);

INSERT INTO client_accounts (id, name, created_at)
SELECT DISTINCT client_account_id, format('Client %s', account), began FROM tenants;

INSERT INTO engagements (id, client_account_id, name, started_on, created_at)
SELECT engagement_id, client_account_id, format('Data centre %s', e), began::date, began FROM tenants;

INSERT INTO crewai_flow_state_extensions (id, flow_id, client_account_id, engagement_id, flow_type, flow_name, flow_status,
       flow_persistence_data, created_at, updated_at)
SELECT md5(format('state %s %s', e, f))::uuid, md5(format('flow %s %s', e, f))::uuid, client_account_id, engagement_id, 'discovery',
       CASE f WHEN 4 THEN format('Wrong file %s', e) ELSE format('Discovery %s of data centre %s', f, e) END,
       (ARRAY['completed', 'completed', 'running', 'failed'])[f]::flow_status, jsonb_build_object('step', f),
       began + make_interval(days => f), began + make_interval(days => f + 1)
  FROM tenants, generate_series(1, 4) AS f;

INSERT INTO data_imports (id, client_account_id, engagement_id, master_flow_id, filename, mime_type, total_records,
       processed_records, status, created_at)
SELECT md5(format('import %s %s', e, f))::uuid, client_account_id, engagement_id, md5(format('flow %s %s', e, f))::uuid,
       format('inventory-%s-%s.csv', e, f), 'text/csv', 40, CASE f WHEN 4 THEN 0 ELSE 30 END,
       CASE f WHEN 4 THEN 'failed' ELSE 'processing' END, began + make_interval(days => f)
  FROM tenants, generate_series(1, 4) AS f;

INSERT INTO raw_import_records (id, client_account_id, engagement_id, data_import_id, master_flow_id, row_number, raw_data,
       is_processed, created_at)
SELECT md5(format('record %s %s %s', e, f, n))::uuid, client_account_id, engagement_id, md5(format('import %s %s', e, f))::uuid,
       md5(format('flow %s %s', e, f))::uuid, n, jsonb_build_object('Hostname', format('host-%s-%s', f, n), 'OS', 'Debian 12'),
       f < 4 AND n <= 30, began + make_interval(days => f)
  FROM tenants, generate_series(1, 4) AS f, generate_series(1, 40) AS n;

INSERT INTO import_field_mappings (id, client_account_id, engagement_id, data_import_id, source_field, target_field, confidence,
       is_approved)
SELECT md5(format('mapping %s %s %s', e, f, source_field))::uuid, client_account_id, engagement_id,
       md5(format('import %s %s', e, f))::uuid, source_field, target_field, 0.95, true
  FROM tenants, generate_series(1, 4) AS f,
       (VALUES ('Hostname', 'name'), ('OS', 'operating_system')) AS fields (source_field, target_field);

INSERT INTO discovery_flows (id, flow_id, client_account_id, engagement_id, master_flow_id, data_import_id, flow_name, status,
       progress_percentage, created_at)
SELECT md5(format('search %s %s', e, f))::uuid, md5(format('discovery %s %s', e, f))::uuid, client_account_id, engagement_id,
       md5(format('flow %s %s', e, f))::uuid, md5(format('import %s %s', e, f))::uuid, format('Discovery %s', f),
       CASE WHEN f < 3 THEN 'completed' ELSE 'running' END::flow_status,
       CASE WHEN f < 3 THEN 100 ELSE 75 END, began + make_interval(days => f)
  FROM tenants, generate_series(1, 3) AS f
UNION ALL
SELECT md5(format('search %s by hand', e))::uuid, md5(format('discovery %s by hand', e))::uuid, client_account_id,
       engagement_id, NULL, NULL, 'Started by hand', 'initialized', 0, began
  FROM tenants;

INSERT INTO assets (id, client_account_id, engagement_id, master_flow_id, discovery_flow_id, raw_import_record_id, name,
       asset_type, source, criticality, ip_address, operating_system, monthly_cost, created_at)
SELECT md5(format('asset %s %s %s', e, f, n))::uuid, client_account_id, engagement_id, md5(format('flow %s %s', e, f))::uuid,
       md5(format('discovery %s %s', e, f))::uuid, md5(format('record %s %s %s', e, f, n))::uuid, format('host-%s-%s', f, n),
       (ARRAY['server', 'database', 'application', 'network', 'storage'])[1 + n % 5], 'import',
       (ARRAY['low', 'medium', 'high'])[1 + n % 3],
       inet '10.0.0.0' + (65536 * e + 256 * f + n), 'Debian 12', 20 + n, began + make_interval(days => f)
  FROM tenants, generate_series(1, 3) AS f, generate_series(1, 30) AS n;

-- Typed in, under the first flow. Five of the ten wait in the last import, and three are there already, written in another way.
INSERT INTO assets (id, client_account_id, engagement_id, master_flow_id, name, asset_type, source, criticality, created_at)
SELECT md5(format('asset %s by hand %s', e, n))::uuid, client_account_id, engagement_id, md5(format('flow %s 1', e))::uuid,
       CASE WHEN n <= 5 THEN format('host-3-%s', 30 + n) WHEN n <= 8 THEN format('HOST 1/%s', n) ELSE format('rack-%s', n) END,
       'server', 'manual', 'medium', began
  FROM tenants, generate_series(1, 10) AS n;

INSERT INTO asset_dependencies (client_account_id, engagement_id, asset_id, depends_on_id, kind)
SELECT client_account_id, engagement_id, md5(format('asset %s %s %s', e, f, n))::uuid,
       md5(format('asset %s %s %s', e, f, n - 1))::uuid,
       (ARRAY['hosts', 'calls', 'stores'])[1 + n % 3]
  FROM tenants, generate_series(1, 3) AS f, generate_series(2, 30) AS n;

-- The wrong files: with their master flow goes all that hangs on it.
DELETE FROM crewai_flow_state_extensions WHERE flow_name LIKE 'Wrong file %';

DROP TABLE tenants;
