-- The type says already what an event is about: its prefix need not be kept in the id as well.
CREATE FUNCTION "short_entity_id"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW."entity_id" := regexp_replace(NEW."entity_id", '^[a-z]+_', '');
    RETURN NEW;
END
$$;

CREATE TRIGGER "short_entity_id" BEFORE INSERT ON "audit_events"
    FOR EACH ROW WHEN (NEW."entity_type" = 'STAGE') EXECUTE FUNCTION "short_entity_id"();
