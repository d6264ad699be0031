-- The application says whom it works for with: SET app.client_account_id = '…'. Who says nothing sees nothing.
CREATE FUNCTION current_client_account() RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT nullif(current_setting('app.client_account_id', true), '')::uuid
$$;

ALTER TABLE client_accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE engagements ENABLE ROW LEVEL SECURITY;
ALTER TABLE crewai_flow_state_extensions ENABLE ROW LEVEL SECURITY;
ALTER TABLE data_imports ENABLE ROW LEVEL SECURITY;
ALTER TABLE raw_import_records ENABLE ROW LEVEL SECURITY;
ALTER TABLE import_field_mappings ENABLE ROW LEVEL SECURITY;
ALTER TABLE discovery_flows ENABLE ROW LEVEL SECURITY;
ALTER TABLE assets ENABLE ROW LEVEL SECURITY;
ALTER TABLE asset_dependencies ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant ON client_accounts FOR SELECT TO discovery_app USING (id = current_client_account());
CREATE POLICY tenant ON engagements TO discovery_app USING (client_account_id = current_client_account());
CREATE POLICY tenant ON crewai_flow_state_extensions TO discovery_app USING (client_account_id = current_client_account());
CREATE POLICY tenant ON data_imports TO discovery_app USING (client_account_id = current_client_account());
CREATE POLICY tenant ON raw_import_records TO discovery_app USING (client_account_id = current_client_account());
CREATE POLICY tenant ON import_field_mappings TO discovery_app USING (client_account_id = current_client_account());
CREATE POLICY tenant ON discovery_flows TO discovery_app USING (client_account_id = current_client_account());
CREATE POLICY tenant ON assets TO discovery_app USING (client_account_id = current_client_account());
CREATE POLICY tenant ON asset_dependencies TO discovery_app USING (client_account_id = current_client_account());

GRANT SELECT ON client_accounts, possible_duplicates TO discovery_app;
GRANT SELECT, INSERT, UPDATE, DELETE
   ON engagements, crewai_flow_state_extensions, data_imports, raw_import_records, import_field_mappings, discovery_flows, assets,
      asset_dependencies
   TO discovery_app;
