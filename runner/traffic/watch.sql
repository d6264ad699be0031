-- What a statement of the migrations holds and has done, said in the server's log before and after it. Only in the copy that new
-- migrations run in under traffic; the recorder (runner/recorder/recorder.sql, with why it is written as it is) is there too.
--
-- The counters of the session itself (pg_stat_xact_…) are exact and at once there; what other sessions could read of them comes
-- only after a transaction, up to a second late. They begin anew at some moment between two statements, so both ends of a
-- statement are said. `dbproof.watched` holds the tables that are counted: their OIDs, with commas between.
CREATE FUNCTION pg_catalog.dbproof_say(phase text, tag text, counts json) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET log_min_messages = 'warning'
SET log_min_error_statement = 'panic'
SET client_min_messages = 'notice'
AS $body$
BEGIN
    RAISE LOG 'dbproof:%', json_build_object(
        'event', 'counted', 'phase', phase, 'tag', tag, 'at', current_setting('dbproof.at', true),
        'timeout', extract(epoch FROM current_setting('lock_timeout')::interval),
        'held', (
            SELECT json_agg(json_build_array(relation::bigint, mode))
            FROM pg_locks
            WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted AND relation >= 16384),
        'counts', counts);
    RETURN true;
EXCEPTION WHEN OTHERS THEN
    RETURN false;
END
$body$;

CREATE FUNCTION pg_catalog.dbproof_counted() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
    PERFORM dbproof_say(CASE tg_event WHEN 'ddl_command_start' THEN 'start' ELSE 'end' END, tg_tag, (
        SELECT json_agg(json_build_array(
            watched,
            pg_stat_get_xact_tuples_returned(watched::oid) + (
                SELECT coalesce(sum(pg_stat_get_xact_tuples_returned(indexrelid)), 0)
                FROM pg_index WHERE indrelid = watched::oid),
            0))
        FROM unnest(string_to_array(current_setting('dbproof.watched', true), ',')::bigint[]) AS watched));
EXCEPTION WHEN OTHERS THEN
    RETURN;
END
$body$;

-- Rows that a transaction has written to a table, said when they are ten, and again whenever they have doubled: a migration may
-- write them one statement at a time. The settings last for the transaction: the counter at its begin, and what was said last.
CREATE FUNCTION pg_catalog.dbproof_wrote() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
    counter text := 'dbproof.t' || tg_relid;
    known bigint[] := string_to_array(nullif(current_setting(counter, true), ''), ',');
    now bigint := pg_stat_get_xact_tuples_inserted(tg_relid) + pg_stat_get_xact_tuples_updated(tg_relid)
        + pg_stat_get_xact_tuples_deleted(tg_relid);
    wrote bigint;
BEGIN
    IF tg_when = 'BEFORE' THEN
        IF known IS NULL THEN
            PERFORM set_config(counter, now || ',0', true);
        END IF;
    ELSE
        wrote := now - known[1];
        IF wrote >= greatest(10, 2 * known[2]) THEN
            PERFORM set_config(counter, known[1] || ',' || wrote, true);
            PERFORM dbproof_say('wrote', tg_op, json_build_array(json_build_array(tg_relid::bigint, 0, wrote)));
        END IF;
    END IF;
    RETURN NULL;
END
$body$;

CREATE EVENT TRIGGER dbproof_counted_before ON ddl_command_start EXECUTE FUNCTION pg_catalog.dbproof_counted();
CREATE EVENT TRIGGER dbproof_counted_after ON ddl_command_end EXECUTE FUNCTION pg_catalog.dbproof_counted();
ALTER EVENT TRIGGER dbproof_counted_before ENABLE ALWAYS;
ALTER EVENT TRIGGER dbproof_counted_after ENABLE ALWAYS;
