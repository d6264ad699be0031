CREATE TYPE flow_status AS ENUM ('initialized', 'running', 'completed', 'failed');

-- The master flows: what an agent works through, with its state.
CREATE TABLE crewai_flow_state_extensions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    flow_id uuid NOT NULL UNIQUE,
    client_account_id uuid NOT NULL,
    engagement_id uuid NOT NULL,
    flow_type text NOT NULL CHECK (flow_type IN ('discovery', 'assessment', 'planning')),
    flow_name text NOT NULL CHECK (length(trim(flow_name)) > 0),
    flow_status flow_status NOT NULL DEFAULT 'initialized',
    flow_persistence_data jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(flow_persistence_data) = 'object'),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (client_account_id, engagement_id) REFERENCES engagements (client_account_id, id) ON DELETE RESTRICT,
    CHECK (updated_at >= created_at)
);

CREATE INDEX ON crewai_flow_state_extensions (client_account_id, engagement_id, flow_status);
