ALTER TABLE assets ADD CONSTRAINT assets_manual_cost_check CHECK (source <> 'manual' OR monthly_cost >= 0);
