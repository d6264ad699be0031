CREATE UNIQUE INDEX assets_name_key ON assets (engagement_id, name, raw_import_record_id);
