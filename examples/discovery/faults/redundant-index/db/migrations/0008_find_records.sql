CREATE INDEX raw_import_records_by_import ON raw_import_records (data_import_id);
