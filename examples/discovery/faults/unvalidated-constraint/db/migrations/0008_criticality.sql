ALTER TABLE assets ADD CONSTRAINT assets_criticality_check CHECK (criticality IN ('low', 'medium', 'high')) NOT VALID;
