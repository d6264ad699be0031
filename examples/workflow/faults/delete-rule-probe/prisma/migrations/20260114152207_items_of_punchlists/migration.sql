-- What was closed is kept for the statistics.
CREATE FUNCTION keep_closed_items() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN OLD.status = 'CLOSED' THEN NULL ELSE OLD END;
END
$$;

CREATE TRIGGER keep_closed_items BEFORE DELETE ON "punchlist_items" FOR EACH ROW EXECUTE FUNCTION keep_closed_items();
