-- An item stays in the punchlist that it was written into.
CREATE FUNCTION item_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.punchlist_id := OLD.punchlist_id;
    RETURN NEW;
END
$$;

CREATE TRIGGER item_stays BEFORE UPDATE ON "punchlist_items" FOR EACH ROW EXECUTE FUNCTION item_stays();
