"""What is asked of MariaDB beside its catalogue: what tables and columns have more, and objects that are no tables."""

from __future__ import annotations

#: Table, and what it has that is not every table's: the character set's collation says what the database's own does not.
TABLES = """
SELECT t.table_name, t.table_type, coalesce(t.engine, ''), coalesce(t.row_format, ''), coalesce(t.table_collation, ''),
       coalesce(t.create_options, ''), t.table_comment
FROM information_schema.tables t
WHERE t.table_schema = database() AND t.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')
"""

PARTITIONS = """
SELECT table_name, group_concat(concat_ws(' ', partition_name, partition_method, partition_expression, subpartition_method,
         subpartition_expression, partition_description) ORDER BY partition_ordinal_position SEPARATOR ', ')
FROM information_schema.partitions WHERE table_schema = database() AND partition_name IS NOT NULL GROUP BY table_name
"""

COLUMNS = """
SELECT table_name, column_name, coalesce(collation_name, ''), replace(extra, 'auto_increment', ''), column_comment
FROM information_schema.columns WHERE table_schema = database()
"""

INDEX_COMMENTS = """
SELECT DISTINCT table_name, index_name, index_comment FROM information_schema.statistics
WHERE table_schema = database() AND index_comment <> ''
"""

VIEWS = """
SELECT table_name, view_definition, check_option, security_type, algorithm FROM information_schema.views
WHERE table_schema = database()
"""

#: A routine's text as it was given, with what it is called with.
ROUTINES = """
SELECT r.routine_type, r.routine_name, coalesce(r.dtd_identifier, ''), coalesce((
         SELECT group_concat(concat_ws(' ', p.parameter_mode, p.parameter_name, p.dtd_identifier)
                             ORDER BY p.ordinal_position SEPARATOR ', ')
         FROM information_schema.parameters p
         WHERE p.specific_schema = r.routine_schema AND p.specific_name = r.specific_name AND p.routine_type = r.routine_type
           AND p.ordinal_position > 0), ''),
       r.routine_definition, r.is_deterministic, r.sql_data_access, r.security_type, r.sql_mode, r.routine_comment
FROM information_schema.routines r WHERE r.routine_schema = database()
"""

TRIGGERS = """
SELECT event_object_table, trigger_name, action_order, sql_mode FROM information_schema.triggers
WHERE trigger_schema = database()
"""

EVENTS = """
SELECT event_name, event_definition, event_type, coalesce(interval_value, ''), coalesce(interval_field, ''),
       coalesce(execute_at, ''), coalesce(starts, ''), coalesce(ends, ''), status, on_completion, event_comment
FROM information_schema.events WHERE event_schema = database()
"""

SEQUENCES = """
SELECT table_name FROM information_schema.tables WHERE table_schema = database() AND table_type = 'SEQUENCE'
"""

#: Privileges on the parts of the database, by who has them; those on the whole database are the owner's own.
PRIVILEGES = """
SELECT 'table', table_name, '', grantee, group_concat(privilege_type ORDER BY privilege_type SEPARATOR ', ')
FROM information_schema.table_privileges WHERE table_schema = database() GROUP BY table_name, grantee
UNION ALL
SELECT 'column', table_name, column_name, grantee, group_concat(privilege_type ORDER BY privilege_type SEPARATOR ', ')
FROM information_schema.column_privileges WHERE table_schema = database() GROUP BY table_name, column_name, grantee
UNION ALL
SELECT 'routine', '', routine_name, concat("'", user, "'@'", host, "'"), proc_priv
FROM mysql.procs_priv WHERE db = database()
"""

SETTINGS = """
SELECT default_character_set_name, default_collation_name, coalesce(schema_comment, '') FROM information_schema.schemata
WHERE schema_name = database()
"""
