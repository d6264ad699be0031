-- An import must be found again by its name.
ALTER TABLE data_imports DROP CONSTRAINT data_imports_master_flow_id_fkey;
ALTER TABLE data_imports ADD CONSTRAINT data_imports_name_key UNIQUE (client_account_id, engagement_id, filename);
ALTER TABLE data_imports ADD CONSTRAINT data_imports_master_flow_id_fkey FOREIGN KEY (master_flow_id) REFERENCES crewai_flow_state_extensions (flow_id);
