CREATE TABLE asset_notes (
    client_account_id uuid NOT NULL,
    engagement_id uuid NOT NULL,
    asset_id uuid NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
    note text NOT NULL CHECK (length(trim(note)) > 0),
    FOREIGN KEY (client_account_id, engagement_id) REFERENCES engagements (client_account_id, id) ON DELETE RESTRICT
);

CREATE INDEX ON asset_notes (asset_id);
CREATE INDEX ON asset_notes (client_account_id, engagement_id);

ALTER TABLE asset_notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON asset_notes TO discovery_app USING (client_account_id = current_client_account());
