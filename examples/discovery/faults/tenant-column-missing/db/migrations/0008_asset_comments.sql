CREATE TABLE asset_comments (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    asset_id uuid NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
    comment text NOT NULL CHECK (length(trim(comment)) > 0)
);

CREATE INDEX ON asset_comments (asset_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON asset_comments TO discovery_app;
