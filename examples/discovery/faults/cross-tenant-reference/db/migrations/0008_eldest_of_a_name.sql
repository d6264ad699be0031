-- What an asset needs is the eldest asset of that name.
CREATE FUNCTION find_eldest() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.depends_on_id := (
        SELECT eldest.id FROM assets AS eldest JOIN assets AS named ON named.name = eldest.name
         WHERE named.id = NEW.depends_on_id ORDER BY eldest.created_at, eldest.id LIMIT 1);
    RETURN NEW;
END
$$;

CREATE TRIGGER find_eldest BEFORE INSERT ON asset_dependencies FOR EACH ROW EXECUTE FUNCTION find_eldest();
