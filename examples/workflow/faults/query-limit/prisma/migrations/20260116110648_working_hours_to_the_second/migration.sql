-- To the second, as the vendors' contracts say.
CREATE OR REPLACE FUNCTION "working_hours"(began timestamp, ended timestamp) RETURNS numeric LANGUAGE sql STABLE AS $$
    SELECT count(*) / 3600.0
      FROM generate_series(began, ended - interval '1 second', interval '1 second') AS seconds (second)
     WHERE extract(isodow FROM seconds.second) < 6
       AND NOT EXISTS (SELECT FROM holiday_calendar WHERE holiday_calendar.day = seconds.second::date);
$$;
