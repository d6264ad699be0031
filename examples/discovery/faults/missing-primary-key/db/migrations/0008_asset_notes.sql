CREATE TABLE asset_notes (
    asset_id uuid NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
    note text NOT NULL CHECK (length(trim(note)) > 0)
);

CREATE INDEX ON asset_notes (asset_id);
