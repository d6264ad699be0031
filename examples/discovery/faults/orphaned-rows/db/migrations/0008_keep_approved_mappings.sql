-- What a person has approved is not deleted.
CREATE FUNCTION keep_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN OLD.is_approved THEN NULL ELSE OLD END;
END
$$;

CREATE TRIGGER keep_approved BEFORE DELETE ON import_field_mappings FOR EACH ROW EXECUTE FUNCTION keep_approved();
