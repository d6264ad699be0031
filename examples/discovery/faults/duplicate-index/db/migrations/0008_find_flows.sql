CREATE UNIQUE INDEX discovery_flows_by_flow ON discovery_flows (flow_id);
