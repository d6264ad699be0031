-- An asset that is typed in finds the record of an import that it stands in.
CREATE FUNCTION find_raw_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.raw_import_record_id := (
        SELECT raw_import_records.id FROM raw_import_records
         WHERE raw_data ->> 'Hostname' = NEW.name
           AND NOT EXISTS (SELECT FROM assets WHERE assets.raw_import_record_id = raw_import_records.id)
         ORDER BY raw_import_records.id LIMIT 1);
    RETURN NEW;
END
$$;

CREATE TRIGGER find_raw_record BEFORE INSERT ON assets FOR EACH ROW WHEN (NEW.source = 'manual') EXECUTE FUNCTION find_raw_record();
