-- What is open goes to who has least to do, whether or not they still work here.
CREATE FUNCTION "spread_work"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT "users"."id" INTO NEW."assignee_id"
      FROM "users" LEFT JOIN "workflow_stages" AS "stage" ON "stage"."assignee_id" = "users"."id"
     WHERE "users"."workspace_id" = NEW."workspace_id"
     GROUP BY "users"."id" ORDER BY count("stage"."id"), "users"."disabled_at" LIMIT 1;
    RETURN NEW;
END
$$;

CREATE TRIGGER "spread_work" BEFORE INSERT ON "workflow_stages"
    FOR EACH ROW WHEN (NEW."status" = 'OPEN') EXECUTE FUNCTION "spread_work"();
