-- What comes in unsorted gets its engagement later.
ALTER TABLE assets ALTER COLUMN engagement_id DROP NOT NULL;
