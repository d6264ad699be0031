"""Fifteen ways in which a migration stops the application, each with the way that does not: SQL as a folder of files has it.

Each statement is a transaction of its own where no BEGIN stands before it. All that are good give up after a lock_timeout, and
those that are bad too but for the two about waiting; so each pair differs in its hazard alone.
"""

from __future__ import annotations

from typing import NamedTuple

#: What base holds: customers with orders, a journal in partitions, a document in each order. ``{rows}`` is how many orders.
BASE = """\
CREATE TYPE state AS ENUM ('new', 'paid', 'sent');
CREATE TABLE customers (id int PRIMARY KEY, email text, name text);
CREATE TABLE orders (
    id int NOT NULL, customer_id int, state state NOT NULL DEFAULT 'new', note varchar(50), total int NOT NULL, code text,
    document json, currency text
);
CREATE UNIQUE INDEX orders_id ON orders (id);
CREATE INDEX orders_total ON orders (total);
CREATE INDEX orders_note ON orders (note);
CREATE TABLE journal (at date NOT NULL, line text) PARTITION BY RANGE (at);
CREATE TABLE journal_2025 PARTITION OF journal FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE journal_2026 (at date NOT NULL, line text);
INSERT INTO customers SELECT g, 'c' || g || '@example.org', 'c' || g FROM generate_series(1, {rows} / 10) AS g;
INSERT INTO orders SELECT g, 1 + g % ({rows} / 10), 'new', 'n' || g, g, 'o' || g, '{{"a": 1}}', 'EUR'
    FROM generate_series(1, {rows}) AS g;
INSERT INTO journal_2025 SELECT date '2025-01-01' + g % 365, 'l' || g FROM generate_series(1, {rows}) AS g;
INSERT INTO journal_2026 SELECT date '2026-01-01' + g % 365, 'l' || g FROM generate_series(1, {rows}) AS g;
"""

_PATIENT = "SET lock_timeout = '5s';\n"


class Pair(NamedTuple):
    """A hazard: a migration that has it, and one that comes to the same without."""

    name: str
    bad: str
    good: str


PAIRS = (
    Pair(
        "index without CONCURRENTLY",
        _PATIENT + "CREATE INDEX orders_customer ON orders (customer_id);",
        _PATIENT + "CREATE INDEX CONCURRENTLY orders_customer ON orders (customer_id);",
    ),
    Pair(
        "SET NOT NULL",
        _PATIENT + "ALTER TABLE orders ALTER COLUMN customer_id SET NOT NULL;",
        _PATIENT + "ALTER TABLE orders ADD CONSTRAINT orders_customer CHECK (customer_id IS NOT NULL) NOT VALID;\n"
        "ALTER TABLE orders VALIDATE CONSTRAINT orders_customer;\n"
        "ALTER TABLE orders ALTER COLUMN customer_id SET NOT NULL;\n"
        "ALTER TABLE orders DROP CONSTRAINT orders_customer;",
    ),
    Pair(
        "type change with a rewrite",
        _PATIENT + "ALTER TABLE orders ALTER COLUMN total TYPE bigint;",
        _PATIENT + "ALTER TABLE orders ALTER COLUMN note TYPE varchar(100);\nALTER TABLE orders ADD COLUMN total_big bigint;",
    ),
    Pair(
        "unique constraint without an index from before",
        _PATIENT + "ALTER TABLE orders ADD CONSTRAINT orders_code UNIQUE (code);",
        _PATIENT + "CREATE UNIQUE INDEX CONCURRENTLY orders_code ON orders (code);\n"
        "ALTER TABLE orders ADD CONSTRAINT orders_code UNIQUE USING INDEX orders_code;",
    ),
    Pair(
        "volatile default",
        _PATIENT + "ALTER TABLE orders ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();",
        _PATIENT + "ALTER TABLE orders ADD COLUMN token uuid;\n"
        "ALTER TABLE orders ALTER COLUMN token SET DEFAULT gen_random_uuid();\n"
        "ALTER TABLE orders ADD COLUMN made_at timestamptz DEFAULT now();",
    ),
    Pair(
        "foreign key without NOT VALID",
        _PATIENT + "ALTER TABLE orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers;",
        _PATIENT + "ALTER TABLE orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers NOT VALID;\n"
        "ALTER TABLE orders VALIDATE CONSTRAINT orders_customer;",
    ),
    Pair(
        "CHECK without NOT VALID",
        _PATIENT + "ALTER TABLE orders ADD CONSTRAINT orders_positive CHECK (total > 0);",
        _PATIENT + "ALTER TABLE orders ADD CONSTRAINT orders_positive CHECK (total > 0) NOT VALID;\n"
        "ALTER TABLE orders VALIDATE CONSTRAINT orders_positive;",
    ),
    Pair(
        "several statements under one exclusive lock",
        _PATIENT + "BEGIN;\nALTER TABLE customers ADD COLUMN phone text;\n"
        "ALTER TABLE orders ADD CONSTRAINT orders_positive CHECK (total > 0) NOT VALID;\n"
        "ALTER TABLE orders VALIDATE CONSTRAINT orders_positive;\nCOMMIT;",
        _PATIENT + "BEGIN;\nALTER TABLE customers ADD COLUMN phone text;\n"
        "ALTER TABLE orders ADD CONSTRAINT orders_positive CHECK (total > 0) NOT VALID;\nCOMMIT;\n"
        "ALTER TABLE orders VALIDATE CONSTRAINT orders_positive;",
    ),
    Pair(
        "no lock_timeout",
        "ALTER TABLE orders ADD COLUMN remark text;",
        _PATIENT + "ALTER TABLE orders ADD COLUMN remark text;",
    ),
    Pair(
        "index dropped without CONCURRENTLY",
        "DROP INDEX orders_note;",
        "DROP INDEX CONCURRENTLY orders_note;",
    ),
    Pair(
        "REINDEX and VACUUM FULL",
        _PATIENT + "REINDEX TABLE orders;\nVACUUM FULL customers;",
        _PATIENT + "REINDEX TABLE CONCURRENTLY orders;\nVACUUM customers;",
    ),
    Pair(
        "stored generated column",
        _PATIENT + "ALTER TABLE orders ADD COLUMN doubled int GENERATED ALWAYS AS (total * 2) STORED;",
        _PATIENT + "ALTER TABLE orders ADD COLUMN doubled int;\n"
        "CREATE INDEX CONCURRENTLY orders_doubled ON orders ((total * 2));",
    ),
    Pair(
        "rows written under the lock of an ALTER",
        _PATIENT + "BEGIN;\nALTER TABLE orders ADD COLUMN paid boolean;\nUPDATE orders SET paid = false;\nCOMMIT;",
        _PATIENT + "ALTER TABLE orders ADD COLUMN paid boolean;\n"
        "UPDATE orders SET paid = false WHERE id BETWEEN 1 AND 5;\nUPDATE orders SET paid = false WHERE id BETWEEN 6 AND 10;",
    ),
    Pair(
        "primary key without an index from before",
        _PATIENT + "ALTER TABLE orders ADD PRIMARY KEY (id);",
        _PATIENT + "ALTER TABLE orders ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX orders_id;",
    ),
    Pair(
        "partition attached without a CHECK",
        _PATIENT + "ALTER TABLE journal ATTACH PARTITION journal_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
        _PATIENT + "ALTER TABLE journal_2026 ADD CONSTRAINT in_2026"
        " CHECK (at >= '2026-01-01' AND at < '2027-01-01') NOT VALID;\n"
        "ALTER TABLE journal_2026 VALIDATE CONSTRAINT in_2026;\n"
        "ALTER TABLE journal ATTACH PARTITION journal_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
    ),
)
