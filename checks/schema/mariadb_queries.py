"""What is asked of MariaDB's ``information_schema``, each row beginning with its table's name."""

from __future__ import annotations

TABLES = """
SELECT t.table_name, s.default_collation_name
FROM information_schema.tables t JOIN information_schema.schemata s ON s.schema_name = t.table_schema
WHERE t.table_schema = database() AND t.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')
ORDER BY t.table_name
"""

COLUMNS = """
SELECT table_name, column_name, column_type, is_nullable, column_default, extra, collation_name, generation_expression
FROM information_schema.columns WHERE table_schema = database()
ORDER BY table_name, ordinal_position
"""

#: Where the server names no key of the parent, it has none to look it up by: that is gone, or its columns are of another type.
KEYS = """
SELECT u.table_name, u.constraint_name, u.column_name,
       CASE WHEN u.referenced_table_schema = database() THEN '' ELSE u.referenced_table_schema END,
       u.referenced_table_name, u.referenced_column_name, r.delete_rule, r.update_rule,
       r.unique_constraint_name IS NULL
FROM information_schema.key_column_usage u
JOIN information_schema.referential_constraints r
  ON r.constraint_schema = u.constraint_schema AND r.table_name = u.table_name AND r.constraint_name = u.constraint_name
WHERE u.table_schema = database() AND u.constraint_schema = database() AND u.referenced_table_name IS NOT NULL
ORDER BY u.table_name, u.constraint_name, u.ordinal_position
"""

CHECKS = """
SELECT table_name, constraint_name, check_clause
FROM information_schema.check_constraints WHERE constraint_schema = database()
ORDER BY table_name, constraint_name
"""

#: In the order in which the server keeps them, which is that of their making with the unique ones first.
INDEXES = """
SELECT table_name, index_name, non_unique = 0, column_name, sub_part, collation, index_type, ignored
FROM information_schema.statistics WHERE table_schema = database()
ORDER BY table_name, index_name = 'PRIMARY' DESC, index_name, seq_in_index
"""

TRIGGERS = """
SELECT event_object_table, trigger_name,
       concat('CREATE TRIGGER `', replace(trigger_name, '`', '``'), '` ', action_timing, ' ', event_manipulation, ' ON `',
              replace(event_object_table, '`', '``'), '` FOR EACH ROW ', action_statement)
FROM information_schema.triggers WHERE trigger_schema = database()
ORDER BY event_object_table, trigger_name
"""
