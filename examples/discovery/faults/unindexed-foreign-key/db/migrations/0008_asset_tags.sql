CREATE TABLE asset_tags (
    client_account_id uuid NOT NULL,
    engagement_id uuid NOT NULL,
    tag text NOT NULL,
    asset_id uuid NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
    PRIMARY KEY (client_account_id, engagement_id, tag, asset_id),
    FOREIGN KEY (client_account_id, engagement_id) REFERENCES engagements (client_account_id, id) ON DELETE RESTRICT
);

ALTER TABLE asset_tags ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON asset_tags TO discovery_app USING (client_account_id = current_client_account());
GRANT SELECT, INSERT, DELETE ON asset_tags TO discovery_app;
