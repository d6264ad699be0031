ALTER TABLE assets ADD COLUMN replaced_by uuid;

DO $$
BEGIN
    IF EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'assets' AND column_name = 'replaced_by_id') THEN
        ALTER TABLE assets ADD CONSTRAINT assets_replaced_by_fkey FOREIGN KEY (replaced_by_id) REFERENCES assets (id) ON DELETE SET NULL;
    END IF;
END
$$;
