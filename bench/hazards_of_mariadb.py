"""Fifteen ways in which a migration stops the application on MariaDB, each with the way that does not.

All that are good give up after a lock_wait_timeout, and those that are bad too but for the one about waiting; so each pair
differs in its hazard alone. A line is a statement.
"""

from __future__ import annotations

from bench.hazards import Pair

#: What base holds: customers with orders. ``{rows}`` is how many orders.
BASE = """\
CREATE TABLE customers (id INT PRIMARY KEY, email VARCHAR(80), name VARCHAR(50));
CREATE TABLE orders (id INT PRIMARY KEY, number INT NOT NULL, customer_id INT, state ENUM('new', 'paid', 'sent') NOT NULL, \
note VARCHAR(50), total INT NOT NULL, KEY orders_customer (customer_id));
INSERT INTO customers SELECT seq, concat('c', seq, '@example.org'), concat('c', seq) FROM seq_1_to_{rows};
INSERT INTO orders SELECT seq, seq, seq, 'new', concat('n', seq), seq FROM seq_1_to_{rows};
"""

_PATIENT = "SET SESSION lock_wait_timeout = 5;\n"

_OF_WORK = tuple(
    Pair(name, _PATIENT + bad, _PATIENT + good)
    for name, bad, good in (
        (
            "another type",
            "ALTER TABLE orders MODIFY total BIGINT NOT NULL;",
            "ALTER TABLE orders ADD COLUMN total_big BIGINT;",
        ),
        (
            "a VARCHAR across 255 bytes",
            "ALTER TABLE orders MODIFY note VARCHAR(100);",
            "ALTER TABLE orders MODIFY note VARCHAR(60);",
        ),
        (
            "a value before others of an ENUM",
            "ALTER TABLE orders MODIFY state ENUM('draft', 'new', 'paid', 'sent') NOT NULL;",
            "ALTER TABLE orders MODIFY state ENUM('new', 'paid', 'sent', 'draft') NOT NULL;",
        ),
        (
            "another character set",
            "ALTER TABLE customers CONVERT TO CHARACTER SET latin1;",
            "ALTER TABLE customers DEFAULT CHARACTER SET latin1;",
        ),
        (
            "a foreign key",
            "ALTER TABLE orders ADD CONSTRAINT orders_customers FOREIGN KEY (customer_id) REFERENCES customers (id);",
            "SET foreign_key_checks = 0;\n"
            "ALTER TABLE orders ADD CONSTRAINT orders_customers FOREIGN KEY (customer_id) REFERENCES customers (id);\n"
            "SET foreign_key_checks = 1;",
        ),
        (
            "a CHECK on a column from before",
            "ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0);",
            "ALTER TABLE orders ADD COLUMN discount INT CHECK (discount > 0);",
        ),
        (
            "a STORED column",
            "ALTER TABLE orders ADD COLUMN doubled INT AS (total * 2) STORED;",
            "ALTER TABLE orders ADD COLUMN doubled INT AS (total * 2) VIRTUAL;",
        ),
        (
            "a default that is computed for each row",
            "ALTER TABLE orders ADD COLUMN code CHAR(36) DEFAULT (uuid());",
            "ALTER TABLE orders ADD COLUMN code CHAR(36) DEFAULT 'none';",
        ),
        (
            "a primary key dropped",
            "ALTER TABLE orders DROP PRIMARY KEY;\nALTER TABLE orders ADD PRIMARY KEY (number);",
            "ALTER TABLE orders DROP PRIMARY KEY, ADD PRIMARY KEY (number);",
        ),
        (
            "a FULLTEXT index",
            "ALTER TABLE orders ADD FULLTEXT INDEX orders_words (note);",
            "ALTER TABLE orders ADD INDEX orders_words (note);",
        ),
        (
            "an AUTO_INCREMENT column",
            "ALTER TABLE orders ADD COLUMN counted INT NOT NULL AUTO_INCREMENT UNIQUE;",
            "ALTER TABLE orders ADD COLUMN counted INT;",
        ),
        (
            "ALGORITHM=COPY",
            "ALTER TABLE orders ADD COLUMN remark VARCHAR(20), ALGORITHM=COPY;",
            "ALTER TABLE orders ADD COLUMN remark VARCHAR(20), ALGORITHM=INSTANT;",
        ),
        (
            "LOCK=SHARED",
            "CREATE INDEX orders_total ON orders (total) LOCK=SHARED;",
            "CREATE INDEX orders_total ON orders (total) LOCK=NONE;",
        ),
        (
            "rows written under LOCK TABLES",
            "LOCK TABLES orders WRITE;\nUPDATE orders SET note = 'old';\nUNLOCK TABLES;",
            "UPDATE orders SET note = 'old' WHERE id BETWEEN 1 AND 500;\n"
            "UPDATE orders SET note = 'old' WHERE id BETWEEN 501 AND 1000;",
        ),
    )
)

PAIRS = (
    *_OF_WORK,
    Pair(
        "no lock_wait_timeout",
        "ALTER TABLE orders ADD COLUMN remark VARCHAR(20);",
        "ALTER TABLE orders WAIT 5 ADD COLUMN remark VARCHAR(20);",
    ),
)
