-- Punchlists count their open items by themselves.
CREATE FUNCTION "count_open_items"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE "punchlists"
       SET "open_count" = (SELECT count(*) FROM "punchlist_items" WHERE "punchlist_id" = NEW."punchlist_id" AND "status" = 'OPEN')
     WHERE "id" = NEW."punchlist_id";
    RETURN NULL;
END
$$;

CREATE TRIGGER "count_open_items" AFTER INSERT OR UPDATE OF "status" ON "punchlist_items" FOR EACH ROW EXECUTE FUNCTION "count_open_items"();
