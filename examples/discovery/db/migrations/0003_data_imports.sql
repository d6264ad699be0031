CREATE TABLE data_imports (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    client_account_id uuid NOT NULL,
    engagement_id uuid NOT NULL,
    master_flow_id uuid NOT NULL REFERENCES crewai_flow_state_extensions (flow_id) ON DELETE CASCADE,
    filename text NOT NULL CHECK (length(trim(filename)) > 0),
    mime_type text NOT NULL CHECK (mime_type LIKE '%_/_%'),
    total_records integer NOT NULL DEFAULT 0 CHECK (total_records >= 0),
    processed_records integer NOT NULL DEFAULT 0,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (client_account_id, engagement_id) REFERENCES engagements (client_account_id, id) ON DELETE RESTRICT,
    CHECK (processed_records BETWEEN 0 AND total_records)
);

CREATE INDEX ON data_imports (client_account_id, engagement_id);
CREATE INDEX ON data_imports (master_flow_id);

-- One line of an import, as it came.
CREATE TABLE raw_import_records (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    client_account_id uuid NOT NULL,
    engagement_id uuid NOT NULL,
    data_import_id uuid NOT NULL REFERENCES data_imports (id) ON DELETE CASCADE,
    master_flow_id uuid NOT NULL REFERENCES crewai_flow_state_extensions (flow_id) ON DELETE CASCADE,
    row_number integer NOT NULL CHECK (row_number > 0),
    raw_data jsonb NOT NULL CHECK (jsonb_typeof(raw_data) = 'object'),
    is_processed boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (client_account_id, engagement_id) REFERENCES engagements (client_account_id, id) ON DELETE RESTRICT,
    UNIQUE (data_import_id, row_number)
);

CREATE INDEX ON raw_import_records (client_account_id, engagement_id) WHERE NOT is_processed;
CREATE INDEX ON raw_import_records (client_account_id, engagement_id);
CREATE INDEX ON raw_import_records (master_flow_id);

-- Which field of a file means which field of an asset.
CREATE TABLE import_field_mappings (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    client_account_id uuid NOT NULL,
    engagement_id uuid NOT NULL,
    data_import_id uuid NOT NULL REFERENCES data_imports (id) ON DELETE CASCADE,
    source_field text NOT NULL CHECK (length(trim(source_field)) > 0),
    target_field text NOT NULL CHECK (target_field IN ('name', 'asset_type', 'ip_address', 'operating_system', 'ignored')),
    confidence numeric(3, 2) NOT NULL DEFAULT 0 CHECK (confidence BETWEEN 0 AND 1),
    is_approved boolean NOT NULL DEFAULT false,
    FOREIGN KEY (client_account_id, engagement_id) REFERENCES engagements (client_account_id, id) ON DELETE RESTRICT,
    UNIQUE (data_import_id, source_field)
);

CREATE INDEX ON import_field_mappings (client_account_id, engagement_id);
