-- An agent may report an asset that it has found.
CREATE POLICY report ON assets FOR INSERT TO discovery_app WITH CHECK (length(name) > 0);
