-- A name without what people write in different ways.
CREATE FUNCTION plain_name(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT regexp_replace(lower(name), '[^a-z0-9]', '', 'g')
$$;

CREATE INDEX ON assets (client_account_id, plain_name(name));

CREATE VIEW possible_duplicates WITH (security_invoker = true) AS
SELECT one.client_account_id, one.engagement_id, one.id, other.id AS other_id, one.name, other.name AS other_name
  FROM assets AS one
  JOIN assets AS other ON other.client_account_id = one.client_account_id AND plain_name(other.name) = plain_name(one.name)
 WHERE other.engagement_id = one.engagement_id AND other.id > one.id;
