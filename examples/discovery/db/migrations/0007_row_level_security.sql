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

-- The look for a parent asks no policy, so what a row names has to be there for the tenant, too.
CREATE POLICY tenant ON data_imports TO discovery_app USING (client_account_id = current_client_account())
  WITH CHECK (client_account_id = current_client_account()
    AND EXISTS (SELECT FROM crewai_flow_state_extensions AS flow WHERE flow.flow_id = master_flow_id));
CREATE POLICY tenant ON raw_import_records TO discovery_app USING (client_account_id = current_client_account())
  WITH CHECK (client_account_id = current_client_account()
    AND EXISTS (SELECT FROM crewai_flow_state_extensions AS flow WHERE flow.flow_id = master_flow_id)
    AND EXISTS (SELECT FROM data_imports AS import WHERE import.id = data_import_id));
CREATE POLICY tenant ON import_field_mappings TO discovery_app USING (client_account_id = current_client_account())
  WITH CHECK (client_account_id = current_client_account()
    AND EXISTS (SELECT FROM data_imports AS import WHERE import.id = data_import_id));
CREATE POLICY tenant ON discovery_flows TO discovery_app USING (client_account_id = current_client_account())
  WITH CHECK (client_account_id = current_client_account()
    AND (master_flow_id IS NULL OR EXISTS (SELECT FROM crewai_flow_state_extensions AS flow WHERE flow.flow_id = master_flow_id))
    AND (data_import_id IS NULL OR EXISTS (SELECT FROM data_imports AS import WHERE import.id = data_import_id)));
CREATE POLICY tenant ON assets TO discovery_app USING (client_account_id = current_client_account())
  WITH CHECK (client_account_id = current_client_account()
    AND EXISTS (SELECT FROM crewai_flow_state_extensions AS flow WHERE flow.flow_id = master_flow_id)
    AND (discovery_flow_id IS NULL OR EXISTS (SELECT FROM discovery_flows AS flow WHERE flow.flow_id = discovery_flow_id))
    AND (raw_import_record_id IS NULL
         OR EXISTS (SELECT FROM raw_import_records AS record WHERE record.id = raw_import_record_id)));
CREATE POLICY tenant ON asset_dependencies TO discovery_app USING (client_account_id = current_client_account())
  WITH CHECK (client_account_id = current_client_account()
    AND EXISTS (SELECT FROM assets AS asset WHERE asset.id = asset_id)
    AND EXISTS (SELECT FROM assets AS asset WHERE asset.id = depends_on_id));

GRANT SELECT ON client_accounts, possible_duplicates TO discovery_app;
GRANT SELECT, INSERT, UPDATE, DELETE
   ON engagements, crewai_flow_state_extensions, data_imports, raw_import_records, import_field_mappings, discovery_flows, assets,
      asset_dependencies
   TO discovery_app;
