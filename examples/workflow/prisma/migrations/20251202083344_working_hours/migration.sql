-- Written by hand (prisma migrate dev --create-only): Prisma's schema has no functions.

-- How long something took, without weekends and holidays.
CREATE FUNCTION "working_hours"(began timestamp, ended timestamp) RETURNS numeric LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(extract(epoch FROM least(ended, days.day + interval '1 day') - greatest(began, days.day))) / 3600, 0)
      FROM generate_series(date_trunc('day', began), ended, interval '1 day') AS days (day)
     WHERE extract(isodow FROM days.day) < 6
       AND NOT EXISTS (SELECT FROM holiday_calendar WHERE holiday_calendar.day = days.day::date);
$$;
