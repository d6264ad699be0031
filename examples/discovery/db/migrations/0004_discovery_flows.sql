-- A discovery flow looks for assets, under a master flow or (started by hand) without one.
CREATE TABLE discovery_flows (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    flow_id uuid NOT NULL UNIQUE,
    client_account_id uuid NOT NULL,
    engagement_id uuid NOT NULL,
    master_flow_id uuid REFERENCES crewai_flow_state_extensions (flow_id) ON DELETE CASCADE,
    data_import_id uuid REFERENCES data_imports (id) ON DELETE SET NULL,
    flow_name text NOT NULL CHECK (length(trim(flow_name)) > 0),
    status flow_status NOT NULL DEFAULT 'initialized',
    progress_percentage numeric(5, 2) NOT NULL DEFAULT 0 CHECK (progress_percentage BETWEEN 0 AND 100),
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (client_account_id, engagement_id) REFERENCES engagements (client_account_id, id) ON DELETE RESTRICT,
    CHECK (status <> 'completed' OR progress_percentage = 100)
);

CREATE INDEX ON discovery_flows (client_account_id, engagement_id);
CREATE INDEX ON discovery_flows (master_flow_id) WHERE master_flow_id IS NOT NULL;
CREATE INDEX ON discovery_flows (data_import_id) WHERE data_import_id IS NOT NULL;
