-- How many letters have to be changed to come from one name to the other (Levenshtein).
CREATE FUNCTION edits(one text, other text) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    above integer[] := ARRAY(SELECT generate_series(0, length(other)));
    line integer[];
BEGIN
    FOR i IN 1..length(one) LOOP
        line := ARRAY[i];
        FOR j IN 1..length(other) LOOP
            line := line || least(line[j] + 1, above[j + 1] + 1, above[j] + (substr(one, i, 1) <> substr(other, j, 1))::int);
        END LOOP;
        above := line;
    END LOOP;
    RETURN above[length(other) + 1];
END
$$;

-- Two assets may be one where name and address together are nearly the same.
CREATE OR REPLACE VIEW possible_duplicates WITH (security_invoker = true) AS
SELECT one.client_account_id, one.engagement_id, one.id, other.id AS other_id, one.name, other.name AS other_name
  FROM assets AS one
  JOIN assets AS other ON other.client_account_id = one.client_account_id
   AND edits(plain_name(concat(other.name, host(other.ip_address))), plain_name(concat(one.name, host(one.ip_address)))) < 2
 WHERE other.engagement_id = one.engagement_id AND other.id > one.id;
