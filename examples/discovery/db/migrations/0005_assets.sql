CREATE TABLE assets (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    client_account_id uuid NOT NULL,
    engagement_id uuid NOT NULL,
    master_flow_id uuid NOT NULL REFERENCES crewai_flow_state_extensions (flow_id) ON DELETE CASCADE,
    discovery_flow_id uuid REFERENCES discovery_flows (flow_id) ON DELETE CASCADE,
    raw_import_record_id uuid REFERENCES raw_import_records (id) ON DELETE SET NULL,
    name text NOT NULL CHECK (length(trim(name)) > 0),
    asset_type text NOT NULL CHECK (asset_type IN ('server', 'database', 'application', 'network', 'storage')),
    source text NOT NULL CHECK (source IN ('import', 'manual')),
    criticality text NOT NULL DEFAULT 'medium',
    ip_address inet,
    operating_system text,
    monthly_cost numeric(12, 2) CHECK (monthly_cost >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (client_account_id, engagement_id) REFERENCES engagements (client_account_id, id) ON DELETE RESTRICT,
    CHECK (source = 'manual' OR discovery_flow_id IS NOT NULL)
);

CREATE INDEX ON assets (client_account_id, engagement_id);
CREATE INDEX ON assets (master_flow_id);
CREATE INDEX ON assets (discovery_flow_id) WHERE discovery_flow_id IS NOT NULL;
CREATE UNIQUE INDEX ON assets (raw_import_record_id) WHERE raw_import_record_id IS NOT NULL;

-- What an asset needs to run.
CREATE TABLE asset_dependencies (
    client_account_id uuid NOT NULL,
    engagement_id uuid NOT NULL,
    asset_id uuid NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
    depends_on_id uuid NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('hosts', 'calls', 'stores')),
    PRIMARY KEY (asset_id, depends_on_id),
    FOREIGN KEY (client_account_id, engagement_id) REFERENCES engagements (client_account_id, id) ON DELETE RESTRICT,
    CHECK (asset_id <> depends_on_id)
);

CREATE INDEX ON asset_dependencies (depends_on_id);
CREATE INDEX ON asset_dependencies (client_account_id, engagement_id);
