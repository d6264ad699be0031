-- The recorder: event triggers that say in the server's log what each statement made, dropped, rewrote and locked.
--
-- Why the log (RAISE LOG): a table of ours would be seen by pg_dump and by tools that walk schemas, and what stands in it is
-- gone with a rollback. A log record stays.
-- Why pg_catalog, and members of the extension plpgsql: nothing that walks schemas meets the functions, and pg_dump writes
-- neither members of an extension nor their grants. A dump with the recorder equals one without, byte for byte.
-- Why ENABLE ALWAYS: session_replication_role = replica, which seed files set, would silence an ordinary trigger.
-- Why SECURITY DEFINER: the log level of the function may be set by a superuser only.
-- Why the settings on each function: the user's session may have other ones. search_path is safe for a definer's function;
-- log_min_error_statement keeps the text of the statement out of our records (the log has it once, with its duration);
-- log_min_messages and client_min_messages see to it that the record reaches the log, and never the client.
-- Why bodies are guarded: a recorder that fails must not make a statement of the user's fail. The subtransaction that a
-- guard opens writes nothing, so it takes no transaction id.
--
-- Each record is `dbproof:` and one JSON object. Objects go by (classid, objid, objsubid), which outlive renames. `at` is the
-- place that the sender set before the statement, where a message has several; else the log has the statement with its stamp.

-- What a statement made. Objects come from the server's own list of commands. Columns and constraints that come with a
-- table are not in that list, nor are the indexes of added constraints: of a table that ALTER TABLE names, and of its partitions
-- and heirs, they are the catalogue's rows that this transaction wrote.
-- age(xmin) is 0 for rows of this transaction and negative for rows of its subtransactions (savepoints, blocks with
-- EXCEPTION). It is negative too for rows of a transaction that began later and has committed; its own statement has
-- said them by then, and the reader knows a row by its object and xmin.
-- So rows that an earlier statement of the same transaction wrote are said again, and so are rows that are merely changed
-- (a rename); the reader keeps the first time. That is exact, and cheaper than remembering here.
-- An object is said as [classid, objid, objsubid, whether a CREATE names it, type, identity, parts]. The part of an index is the
-- table that it stands on; those of a table are its OID, its new columns and its new constraints. Each part is one string, which
-- is cheaper than an array: the OID and name of a table; the number, xmin and name of a column; the OID, xmin, index (or 0) and
-- name of a constraint. Within a CREATE, an ALTER TABLE is only about what the CREATE names too: the foreign keys of a new table.
-- NOT NULL, which PostgreSQL 18 has as constraints, belongs to its column.
--
-- These run after every statement of DDL, so they are written for speed. The triggers name the commands that can make what
-- findings name, and other commands call nothing. Each command has one query, planned once a session for catalogues that will
-- grow, so by an index, with subqueries instead of joins (the planner would hash whole catalogues) and ARRAY instead of
-- aggregates where it serves. The commonest commands have queries of their own: each subquery takes time to begin and to end,
-- even unused. Each setting takes its time too. Names are those that the server has made already.
-- The guard costs most: ending a subtransaction walks all that the transaction has made so far, after every statement. The
-- commonest commands go without it: for them the server's list is plain, and nothing here can fail of itself.
CREATE FUNCTION pg_catalog.dbproof_made() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET log_min_messages = 'warning'
SET log_min_error_statement = 'panic'
SET client_min_messages = 'notice'
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $body$
DECLARE
    told boolean;
BEGIN
    IF tg_tag = 'CREATE TABLE' THEN
        told := dbproof_tell_made();
    ELSE
        BEGIN
            told := dbproof_tell_made();
        EXCEPTION WHEN OTHERS THEN
            RAISE LOG 'dbproof:%', json_build_object('event', 'failed', 'code', SQLSTATE, 'in', 'made');
        END;
    END IF;
END
$body$;

CREATE FUNCTION pg_catalog.dbproof_tell_made() RETURNS boolean
LANGUAGE plpgsql
AS $body$
DECLARE
    made json[];
BEGIN
    made := ARRAY(
        SELECT json_build_array(
            classid::bigint, objid::bigint, objsubid, true, object_type, object_identity,
            CASE
                WHEN object_type = 'index' THEN (
                    SELECT to_json(concat_ws(' ', indrelid, indrelid::regclass)) FROM pg_index WHERE indexrelid = objid)
                WHEN object_type IN ('table', 'foreign table') THEN json_build_array(
                    objid::bigint,
                    ARRAY(SELECT concat_ws(' ', attnum, xmin, attname) FROM pg_attribute WHERE attrelid = objid AND attnum > 0),
                    ARRAY(SELECT concat_ws(' ', oid, xmin, CASE WHEN contype IN ('p', 'u', 'x') THEN conindid ELSE 0 END, conname)
                          FROM pg_constraint WHERE conrelid = objid AND contype <> 'n'))
            END)
        FROM pg_event_trigger_ddl_commands()
        WHERE NOT in_extension AND classid IS NOT NULL AND (command_tag LIKE 'CREATE %' OR command_tag = 'SELECT INTO'));

    IF cardinality(made) > 0 THEN
        RAISE LOG 'dbproof:{"event":"made","at":%,"xid":"%","objects":%,"heirs":null}',
            coalesce(to_json(current_setting('dbproof.at', true)), 'null'),
            coalesce(pg_current_xact_id_if_assigned(), '0'), to_json(made);
    END IF;
    RETURN true;
END
$body$;

CREATE FUNCTION pg_catalog.dbproof_indexed() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET log_min_messages = 'warning'
SET log_min_error_statement = 'panic'
SET client_min_messages = 'notice'
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $body$
DECLARE
    command record;
BEGIN
    SELECT classid, objid, object_type, object_identity, in_extension,
        (SELECT concat_ws(' ', indrelid, indrelid::regclass) FROM pg_index WHERE indexrelid = objid) AS stands_on
    INTO command
    FROM pg_event_trigger_ddl_commands();

    IF NOT command.in_extension THEN
        RAISE LOG 'dbproof:{"event":"made","at":%,"xid":"%","objects":[%],"heirs":null}',
            coalesce(to_json(current_setting('dbproof.at', true)), 'null'), coalesce(pg_current_xact_id_if_assigned(), '0'),
            json_build_array(command.classid::bigint, command.objid::bigint, 0, true, command.object_type,
                             command.object_identity, command.stands_on);
    END IF;
END
$body$;

-- Nearly every ALTER TABLE is one command about one table without heirs, of which all is said without aggregates and in a shorter
-- record; nothing is said where it wrote no row of a column or constraint.
CREATE FUNCTION pg_catalog.dbproof_altered() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET log_min_messages = 'warning'
SET log_min_error_statement = 'panic'
SET client_min_messages = 'notice'
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $body$
DECLARE
    command record;
BEGIN
    SELECT objid, object_identity, in_extension,
        command_tag <> 'ALTER TABLE' OR object_type <> 'table' OR count(*) OVER () > 1
            OR (SELECT relhassubclass FROM pg_class WHERE oid = objid) AS is_more,
        ARRAY(SELECT concat_ws(' ', attnum, part.xmin, attname) FROM pg_attribute AS part
              WHERE attrelid = objid AND attnum > 0 AND NOT attisdropped AND age(part.xmin) <= 0) AS columns,
        ARRAY(SELECT concat_ws(' ', oid, part.xmin, CASE WHEN contype IN ('p', 'u', 'x') THEN conindid ELSE 0 END, conname)
              FROM pg_constraint AS part WHERE conrelid = objid AND contype <> 'n' AND age(part.xmin) <= 0) AS constraints
    INTO command
    FROM pg_event_trigger_ddl_commands();

    IF command.is_more THEN
        PERFORM dbproof_tell_altered();
    ELSIF NOT command.in_extension AND (cardinality(command.columns) > 0 OR cardinality(command.constraints) > 0) THEN
        RAISE LOG 'dbproof:{"event":"altered","at":%,"xid":"%","table":%}',
            coalesce(to_json(current_setting('dbproof.at', true)), 'null'), coalesce(pg_current_xact_id_if_assigned(), '0'),
            json_build_array(command.objid::bigint, command.object_identity, command.columns, command.constraints);
    END IF;
END
$body$;

CREATE FUNCTION pg_catalog.dbproof_tell_altered() RETURNS boolean
LANGUAGE plpgsql
AS $body$
DECLARE
    made json;
    heirs json;
    parents oid[];
BEGIN
    SELECT
        json_agg(json_build_array(
            classid::bigint, objid::bigint, objsubid, created, object_type, object_identity,
            CASE WHEN relation IS NOT NULL THEN json_build_array(
                relation::bigint,
                ARRAY(SELECT concat_ws(' ', attnum, part.xmin, attname) FROM pg_attribute AS part
                      WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped AND age(part.xmin) <= 0),
                ARRAY(SELECT concat_ws(' ', oid, part.xmin, CASE WHEN contype IN ('p', 'u', 'x') THEN conindid ELSE 0 END,
                                        conname)
                      FROM pg_constraint AS part WHERE conrelid = relation AND contype <> 'n' AND age(part.xmin) <= 0))
            END)),
        array_agg(relation) FILTER (WHERE EXISTS (SELECT FROM pg_inherits WHERE inhparent = relation))
    INTO made, parents
    FROM (
        SELECT classid, objid, objsubid, object_type, object_identity, command_tag LIKE 'CREATE %' AS created,
            CASE WHEN object_type IN ('table', 'table column', 'foreign table') THEN objid
                 WHEN object_type = 'table constraint' THEN (SELECT conrelid FROM pg_constraint WHERE oid = objid)
            END AS relation
        FROM pg_event_trigger_ddl_commands()
        WHERE NOT in_extension AND classid IS NOT NULL
    ) AS command
    WHERE created OR relation IS NOT NULL;

    IF parents IS NOT NULL THEN
        heirs := dbproof_heirs(parents);
    END IF;

    IF made IS NOT NULL THEN
        RAISE LOG 'dbproof:{"event":"made","at":%,"xid":"%","objects":%,"heirs":%}',
            coalesce(to_json(current_setting('dbproof.at', true)), 'null'),
            coalesce(pg_current_xact_id_if_assigned(), '0'), made, coalesce(heirs, 'null');
    END IF;
    RETURN true;
END
$body$;

-- Partitions and heirs, which ALTER TABLE reaches without naming them. A plan for the given values would be made anew each time.
CREATE FUNCTION pg_catalog.dbproof_heirs(parents oid[]) RETURNS json
LANGUAGE plpgsql
SET plan_cache_mode = 'force_generic_plan'
AS $body$
BEGIN
    RETURN (
        WITH RECURSIVE family (relation) AS (
            SELECT inhrelid FROM pg_inherits WHERE inhparent = ANY (parents)
            UNION
            SELECT inhrelid FROM family JOIN pg_inherits ON inhparent = relation
        )
        SELECT json_agg(json_build_array(
            'pg_class'::regclass::oid::bigint, relation::bigint, 0, false, 'table', identity,
            json_build_array(
                relation::bigint,
                ARRAY(SELECT concat_ws(' ', attnum, part.xmin, attname) FROM pg_attribute AS part
                      WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped AND age(part.xmin) <= 0),
                ARRAY(SELECT concat_ws(' ', oid, part.xmin, CASE WHEN contype IN ('p', 'u', 'x') THEN conindid ELSE 0 END,
                                        conname)
                      FROM pg_constraint AS part WHERE conrelid = relation AND contype <> 'n' AND age(part.xmin) <= 0))))
        FROM family CROSS JOIN LATERAL pg_identify_object('pg_class'::regclass, relation, 0)
    );
END
$body$;

-- What a statement dropped, with all that went along and has a name of its own.
CREATE FUNCTION pg_catalog.dbproof_dropped() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET log_min_messages = 'warning'
SET log_min_error_statement = 'panic'
SET client_min_messages = 'notice'
AS $body$
DECLARE
    told boolean;
BEGIN
    IF tg_tag IN ('ALTER TABLE', 'DROP INDEX', 'DROP TABLE') THEN
        told := dbproof_tell_dropped();
    ELSE
        BEGIN
            told := dbproof_tell_dropped();
        EXCEPTION WHEN OTHERS THEN
            RAISE LOG 'dbproof:%', json_build_object('event', 'failed', 'code', SQLSTATE, 'in', 'dropped');
        END;
    END IF;
END
$body$;

CREATE FUNCTION pg_catalog.dbproof_tell_dropped() RETURNS boolean
LANGUAGE plpgsql
AS $body$
DECLARE
    dropped json[];
BEGIN
    dropped := ARRAY(
        SELECT json_build_array(classid::bigint, objid::bigint, objsubid, false, object_type, object_identity, NULL)
        FROM pg_event_trigger_dropped_objects()
        WHERE (original OR normal OR object_type IN ('table constraint', 'index', 'trigger', 'sequence', 'policy'))
          AND object_type <> 'default value'
          AND schema_name IS DISTINCT FROM 'pg_toast'
          AND (object_type <> 'trigger' OR address_names[3] NOT LIKE 'RI\_ConstraintTrigger\_%'));

    IF cardinality(dropped) > 0 THEN
        RAISE LOG 'dbproof:{"event":"dropped","at":%,"xid":"%","objects":%}',
            coalesce(to_json(current_setting('dbproof.at', true)), 'null'),
            coalesce(pg_current_xact_id_if_assigned(), '0'), to_json(dropped);
    END IF;
    RETURN true;
END
$body$;

-- A table that a statement is about to rewrite; empty tables too. The reasons are bits of AT_REWRITE_* in
-- PostgreSQL's event_trigger.h.
CREATE FUNCTION pg_catalog.dbproof_rewritten() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET log_min_messages = 'warning'
SET log_min_error_statement = 'panic'
SET client_min_messages = 'notice'
AS $body$
BEGIN
    RAISE LOG 'dbproof:%', (
        SELECT json_build_object('event', 'rewritten', 'at', current_setting('dbproof.at', true),
                                 'xid', pg_current_xact_id_if_assigned(),
                                 'relation', json_build_array(entry.oid::bigint, nspname, relname),
                                 'reason', pg_event_trigger_table_rewrite_reason())
        FROM pg_class AS entry
        JOIN pg_namespace AS namespace ON namespace.oid = entry.relnamespace
        WHERE entry.oid = pg_event_trigger_table_rewrite_oid()
    );
EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'dbproof:%', json_build_object('event', 'failed', 'code', SQLSTATE, 'in', 'rewritten');
END
$body$;

-- The locks that this session holds after a statement, on relations that the transaction did not make itself, and what the
-- statement changed without making it. Off unless watched: reading pg_locks after each of very many statements costs the square
-- of their number. `held` has the transaction's name, `in`: the reader tells a lock once in it.
-- A table's system columns are never written again, so the xmin of ctid's row tells when the table was made.
CREATE FUNCTION pg_catalog.dbproof_locked() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET log_min_messages = 'warning'
SET log_min_error_statement = 'panic'
SET client_min_messages = 'notice'
AS $body$
DECLARE
    held json;
    changed json;
BEGIN
    held := dbproof_locks(pg_backend_pid());
    SELECT json_agg(json_build_array(classid::bigint, objid::bigint, objsubid, false, object_type, object_identity, NULL))
    INTO changed
    FROM pg_event_trigger_ddl_commands()
    WHERE NOT in_extension AND classid IS NOT NULL AND command_tag LIKE 'ALTER %';

    IF held ->> 'locks' IS NOT NULL OR changed IS NOT NULL THEN
        RAISE LOG 'dbproof:%', json_build_object('event', 'locked', 'at', current_setting('dbproof.at', true),
                                                 'xid', pg_current_xact_id_if_assigned(), 'held', held, 'changed', changed);
    END IF;
EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'dbproof:%', json_build_object('event', 'failed', 'code', SQLSTATE, 'in', 'locked');
END
$body$;

-- Whoever calls it sets search_path. In a long transaction most locks are on what it made itself, and on indexes: those of the
-- session's own that are passed over are noted in a setting of ours, which ends with the transaction, and not looked at again.
CREATE FUNCTION pg_catalog.dbproof_locks(of_session int) RETURNS json
LANGUAGE plpgsql
AS $body$
DECLARE
    passed oid[] := coalesce(nullif(current_setting('dbproof.passed', true), ''), '{}')::oid[];
    also_passed oid[];
    held_in text;
    locks json;
BEGIN
    WITH held AS MATERIALIZED (
        SELECT relation, mode, virtualtransaction FROM pg_locks
        WHERE pid = of_session AND granted AND mode <> 'SIReadLock'
          AND (locktype = 'virtualxid'
               OR (locktype = 'relation' AND relation >= 16384 AND relation NOT IN (SELECT unnest(passed))))
    )
    SELECT
        (SELECT virtualtransaction FROM held WHERE relation IS NULL LIMIT 1),
        json_agg(json_build_array(relation::bigint, nspname, relname, mode)) FILTER (WHERE is_told),
        array_agg(DISTINCT relation) FILTER (WHERE NOT is_told)
    INTO held_in, locks, also_passed
    FROM (
        SELECT relation, mode, relname, relnamespace,
            CASE WHEN relkind IS NULL THEN true
                 WHEN relkind NOT IN ('r', 'p', 'm') THEN false
                 WHEN age(entry.xmin) > 0 THEN true
                 ELSE (SELECT age(made.xmin) > 0 FROM pg_attribute AS made WHERE attrelid = relation AND attnum = -1)
            END AS is_told
        FROM held LEFT JOIN pg_class AS entry ON entry.oid = relation
        WHERE relation IS NOT NULL
    ) AS looked_at
    LEFT JOIN pg_namespace AS namespace ON namespace.oid = relnamespace;

    IF also_passed IS NOT NULL AND of_session = pg_backend_pid() THEN
        PERFORM set_config('dbproof.passed', (passed || also_passed)::text, true);
    END IF;
    RETURN json_build_object('in', held_in, 'locks', locks);
END
$body$;

-- What this session has done so far: where the write-ahead log stands, the rows that each table got, lost and had read, the
-- indexes that are not valid. The relay (relay.py) has it called after messages of the project's that leave no transaction open,
-- and thus no lock, by the protocol's function call, which touches no statement and no portal of the session. `seen` is what the
-- last call gave, so that only what changed since is said; without it everything is. Counters of this transaction are the
-- session's own; those of earlier ones are in shared memory as soon as they have been flushed, which is what the first line sees
-- to. The size of a table is asked of its file (its first one, of at most 1 GiB): pg_relation_size would wait for a lock.
CREATE FUNCTION pg_catalog.dbproof_wrote(seen text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET log_min_messages = 'warning'
SET log_min_error_statement = 'panic'
SET client_min_messages = 'notice'
AS $body$
DECLARE
    before jsonb := coalesce(seen, '{}')::jsonb;
    after jsonb;
    tables json;
    invalid json;
BEGIN
    PERFORM pg_stat_force_next_flush();
    SELECT
        jsonb_object_agg(relation, stamp),
        json_agg(json_build_array(
            relation, nspname, relname, inserted, updated, deleted, read, relfilenode::bigint,
            (pg_stat_file(pg_relation_filepath(relation::oid), true)).size))
        FILTER (WHERE before ->> relation::text IS DISTINCT FROM stamp)
    INTO after, tables
    FROM (
        SELECT *, concat_ws(' ', inserted, updated, deleted, read, relfilenode) AS stamp
        FROM (
            SELECT
                entry.oid::bigint AS relation, nspname, relname, relfilenode,
                pg_stat_get_tuples_inserted(entry.oid) + pg_stat_get_xact_tuples_inserted(entry.oid) AS inserted,
                pg_stat_get_tuples_updated(entry.oid) + pg_stat_get_xact_tuples_updated(entry.oid) AS updated,
                pg_stat_get_tuples_deleted(entry.oid) + pg_stat_get_xact_tuples_deleted(entry.oid) AS deleted,
                pg_stat_get_tuples_returned(entry.oid) + pg_stat_get_xact_tuples_returned(entry.oid) AS read
            FROM pg_class AS entry
            JOIN pg_namespace AS namespace ON namespace.oid = entry.relnamespace
            WHERE entry.oid >= 16384 AND entry.relkind IN ('r', 'm') AND entry.relpersistence <> 't'
              AND nspname NOT LIKE 'pg\_%'
        ) AS counted
    ) AS stamped;

    SELECT json_agg(json_build_array(1259, indexrelid::bigint, 0, false, 'index',
                                     (pg_identify_object(1259, indexrelid, 0)).identity,
                                     concat_ws(' ', indrelid, indrelid::regclass)))
    INTO invalid
    FROM pg_index JOIN pg_class AS entry ON entry.oid = indexrelid AND entry.relkind = 'i'
    WHERE NOT indisvalid AND indexrelid >= 16384;

    RAISE LOG 'dbproof:%', json_build_object(
        'event', 'wrote', 'at', NULL, 'xid', pg_current_xact_id_if_assigned(),
        'lsn', (pg_current_wal_insert_lsn() - '0/0')::bigint, 'tables', tables, 'invalid', invalid, 'held', NULL);
    RETURN coalesce(after, '{}');
EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'dbproof:%', json_build_object('event', 'failed', 'code', SQLSTATE, 'in', 'wrote');
    RETURN seen;
END
$body$;

-- The same within a transaction that is open, and cheaper: only tables that this transaction counted something of or gave another
-- file can have moved, and an index that a transaction made is valid. `number` is 0 after a message. From 1 on it counts the
-- statements of a message of several, after one of which it is asked; then the moments say how long that one took. `locks` is
-- false after a statement of which dbproof_locked has told them. What the last call gave is kept in a setting of ours, which ends
-- with the transaction.
CREATE FUNCTION pg_catalog.dbproof_within(number int, locks boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET log_min_messages = 'warning'
SET log_min_error_statement = 'panic'
SET client_min_messages = 'notice'
AS $body$
DECLARE
    began timestamptz := clock_timestamp();
    before jsonb;
    after jsonb;
    tables json;
BEGIN
    before := coalesce(nullif(current_setting('dbproof.seen', true), ''), '{}')::jsonb;
    SELECT
        jsonb_object_agg(relation, stamp),
        json_agg(json_build_array(
            relation, nspname, relname, inserted, updated, deleted, read, relfilenode::bigint,
            (pg_stat_file(pg_relation_filepath(relation::oid), true)).size))
        FILTER (WHERE before ->> relation::text IS DISTINCT FROM stamp)
    INTO after, tables
    FROM (
        SELECT *, concat_ws(' ', inserted, updated, deleted, read, relfilenode) AS stamp
        FROM (
            SELECT
                entry.oid::bigint AS relation, nspname, relname, relfilenode,
                pg_stat_get_tuples_inserted(entry.oid) + pg_stat_get_xact_tuples_inserted(entry.oid) AS inserted,
                pg_stat_get_tuples_updated(entry.oid) + pg_stat_get_xact_tuples_updated(entry.oid) AS updated,
                pg_stat_get_tuples_deleted(entry.oid) + pg_stat_get_xact_tuples_deleted(entry.oid) AS deleted,
                pg_stat_get_tuples_returned(entry.oid) + pg_stat_get_xact_tuples_returned(entry.oid) AS read
            FROM pg_class AS entry
            JOIN pg_namespace AS namespace ON namespace.oid = entry.relnamespace
            WHERE entry.oid >= 16384 AND entry.relkind IN ('r', 'm') AND entry.relpersistence <> 't'
              AND nspname NOT LIKE 'pg\_%'
              AND (age(entry.xmin) <= 0
                   OR pg_stat_get_xact_tuples_returned(entry.oid) + pg_stat_get_xact_tuples_inserted(entry.oid)
                      + pg_stat_get_xact_tuples_updated(entry.oid) + pg_stat_get_xact_tuples_deleted(entry.oid) > 0)
        ) AS counted
    ) AS stamped;

    IF tables IS NOT NULL THEN
        PERFORM set_config('dbproof.seen', after::text, true);
    END IF;

    RAISE LOG 'dbproof:%', json_build_object(
        'event', 'within', 'at', NULL, 'xid', pg_current_xact_id_if_assigned(), 'number', number,
        'lsn', (pg_current_wal_insert_lsn() - '0/0')::bigint, 'tables', tables,
        'held', CASE WHEN locks THEN dbproof_locks(pg_backend_pid()) END,
        'moments', ARRAY(SELECT (extract(epoch FROM moment) * 1000000)::bigint
                         FROM unnest(ARRAY[statement_timestamp(), began, clock_timestamp()]) AS moment));
EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'dbproof:%', json_build_object('event', 'failed', 'code', SQLSTATE, 'in', 'within');
END
$body$;

-- The locks of another session, said by a session of ours while that one waits: CREATE INDEX CONCURRENTLY holds none at its end.
CREATE FUNCTION pg_catalog.dbproof_sampled(of_session int) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET log_min_messages = 'warning'
SET client_min_messages = 'notice'
AS $body$
DECLARE
    held json := dbproof_locks(of_session);
BEGIN
    RAISE LOG 'dbproof:%', json_build_object('event', 'sampled', 'at', NULL, 'xid', NULL, 'pid', of_session, 'held', held);
    RETURN true;
END
$body$;

ALTER EXTENSION plpgsql ADD FUNCTION pg_catalog.dbproof_made();
ALTER EXTENSION plpgsql ADD FUNCTION pg_catalog.dbproof_tell_made();
ALTER EXTENSION plpgsql ADD FUNCTION pg_catalog.dbproof_indexed();
ALTER EXTENSION plpgsql ADD FUNCTION pg_catalog.dbproof_altered();
ALTER EXTENSION plpgsql ADD FUNCTION pg_catalog.dbproof_tell_altered();
ALTER EXTENSION plpgsql ADD FUNCTION pg_catalog.dbproof_heirs(oid[]);
ALTER EXTENSION plpgsql ADD FUNCTION pg_catalog.dbproof_dropped();
ALTER EXTENSION plpgsql ADD FUNCTION pg_catalog.dbproof_tell_dropped();
ALTER EXTENSION plpgsql ADD FUNCTION pg_catalog.dbproof_rewritten();
ALTER EXTENSION plpgsql ADD FUNCTION pg_catalog.dbproof_locked();
ALTER EXTENSION plpgsql ADD FUNCTION pg_catalog.dbproof_locks(int);
ALTER EXTENSION plpgsql ADD FUNCTION pg_catalog.dbproof_wrote(text);
ALTER EXTENSION plpgsql ADD FUNCTION pg_catalog.dbproof_within(int, boolean);
ALTER EXTENSION plpgsql ADD FUNCTION pg_catalog.dbproof_sampled(int);

CREATE EVENT TRIGGER dbproof_dropped ON sql_drop EXECUTE FUNCTION pg_catalog.dbproof_dropped();
CREATE EVENT TRIGGER dbproof_rewritten ON table_rewrite EXECUTE FUNCTION pg_catalog.dbproof_rewritten();
CREATE EVENT TRIGGER dbproof_made ON ddl_command_end
    WHEN TAG IN ('CREATE AGGREGATE', 'CREATE DOMAIN', 'CREATE EXTENSION', 'CREATE FOREIGN TABLE', 'CREATE FUNCTION',
                 'CREATE MATERIALIZED VIEW', 'CREATE POLICY', 'CREATE PROCEDURE', 'CREATE SCHEMA', 'CREATE SEQUENCE',
                 'CREATE TABLE', 'CREATE TABLE AS', 'CREATE TRIGGER', 'CREATE TYPE', 'CREATE VIEW', 'IMPORT FOREIGN SCHEMA',
                 'SELECT INTO')
    EXECUTE FUNCTION pg_catalog.dbproof_made();
CREATE EVENT TRIGGER dbproof_indexed ON ddl_command_end
    WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION pg_catalog.dbproof_indexed();
CREATE EVENT TRIGGER dbproof_altered ON ddl_command_end
    WHEN TAG IN ('ALTER TABLE', 'ALTER FOREIGN TABLE') EXECUTE FUNCTION pg_catalog.dbproof_altered();
CREATE EVENT TRIGGER dbproof_locked ON ddl_command_end EXECUTE FUNCTION pg_catalog.dbproof_locked();

ALTER EVENT TRIGGER dbproof_dropped ENABLE ALWAYS;
ALTER EVENT TRIGGER dbproof_rewritten ENABLE ALWAYS;
ALTER EVENT TRIGGER dbproof_made ENABLE ALWAYS;
ALTER EVENT TRIGGER dbproof_indexed ENABLE ALWAYS;
ALTER EVENT TRIGGER dbproof_altered ENABLE ALWAYS;
ALTER EVENT TRIGGER dbproof_locked DISABLE;

ALTER EXTENSION plpgsql ADD EVENT TRIGGER dbproof_dropped;
ALTER EXTENSION plpgsql ADD EVENT TRIGGER dbproof_rewritten;
ALTER EXTENSION plpgsql ADD EVENT TRIGGER dbproof_made;
ALTER EXTENSION plpgsql ADD EVENT TRIGGER dbproof_indexed;
ALTER EXTENSION plpgsql ADD EVENT TRIGGER dbproof_altered;
ALTER EXTENSION plpgsql ADD EVENT TRIGGER dbproof_locked;
