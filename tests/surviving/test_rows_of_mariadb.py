"""Base's rows beside head's on MariaDB."""

from __future__ import annotations

from typing import Any

import pytest
from following import told
from mariadb_judging import made, statements

from checks.evidence import Statement
from checks.schema.mariadb import read
from checks.schema.model import Catalogue
from runner.servers.interface import Database
from runner.servers.mariadb.server import MariadbServer
from runner.servers.mariadb.sessions import rows, session
from runner.surviving.comparing import survivals
from runner.surviving.mariadb import opened

BASE = """
    CREATE TABLE orders (id BIGINT PRIMARY KEY, total DECIMAL(12,4), weight DOUBLE, state ENUM('new', 'finished', 'closed'),
        placed DATETIME(6), note VARCHAR(50), zip CHAR(5), doc JSON, raw VARBINARY(20), `odd ``name %s` TEXT, gone TEXT,
        empty TEXT, twice BIGINT AS (id * 2));
    INSERT INTO orders (id, total, weight, state, placed, note, zip, doc, raw, `odd ``name %s`, gone)
        SELECT seq, seq / 8, seq / 3, 1 + seq MOD 3, '2024-01-01' + INTERVAL seq HOUR, concat('note ', seq), lpad(seq, 5, '0'),
            json_object('n', seq), unhex(md5(seq)), concat('x''', seq, 'ü'), nullif(concat('g', seq), 'g4') FROM seq_1_to_40;
    CREATE TABLE `lines` (order_id BIGINT, number INT, text TEXT, PRIMARY KEY (order_id, number));
    INSERT INTO `lines` SELECT seq, 1, concat('line ', seq) FROM seq_1_to_30;
    CREATE TABLE log (line TEXT, n INT);
    INSERT INTO log SELECT concat('l', seq MOD 5), seq FROM seq_1_to_20;
    CREATE TABLE cache (id INT PRIMARY KEY) ENGINE=MEMORY;
    INSERT INTO cache VALUES (1);
"""


@pytest.fixture(scope="module")
def base(mariadb_server: MariadbServer) -> Any:
    """A database of which nothing is changed."""
    with made(mariadb_server, BASE) as database:
        yield database


def follow(server: MariadbServer, base: Database, change: str) -> dict[str, Any]:
    """What became of base's rows after some statements, which the log has."""
    with made(server, f"{BASE}{change}") as now:
        told_of = [Statement(text) for text in statements(change)]
        with opened(base, now) as both:
            found = told(survivals(both, _catalogue(base), _catalogue(now), told_of))
    assert found.pop("cache") == {"gap": "ENGINE=MEMORY: a copy of the server has none of its rows"}
    return found


def _catalogue(database: Database) -> Catalogue:
    with session(database.private) as driver:
        return read(lambda query: rows(driver, query))


def test_what_changes_no_value_is_nothing(mariadb_server: MariadbServer, base: Database) -> None:
    change = """
        ALTER TABLE orders MODIFY total DECIMAL(20,6), MODIFY note TEXT CHARACTER SET latin1, MODIFY state VARCHAR(20),
            MODIFY placed DATETIME, MODIFY zip VARCHAR(9), CHANGE gone kept TEXT, DROP COLUMN empty;
        RENAME TABLE orders TO purchases;
        ALTER TABLE purchases RENAME COLUMN raw TO bytes, ADD COLUMN more INT DEFAULT 7;
        ALTER TABLE log RENAME log_of_lines;
        INSERT INTO `lines` VALUES (77, 1, 'extra');
    """
    assert follow(mariadb_server, base, change) == {
        "orders": {"now": "purchases", "empty": "gone, 0"},
        "lines": {"missing": 0, "extra": 1},
        "log": {"now": "log_of_lines"},
    }


def test_values_and_rows_that_are_lost(mariadb_server: MariadbServer, base: Database) -> None:
    change = """
        ALTER TABLE orders MODIFY total DECIMAL(12,2), MODIFY weight FLOAT, MODIFY zip INT, MODIFY placed DATE;
        UPDATE orders SET note = left(note, 6);
        ALTER TABLE orders MODIFY note VARCHAR(6);
        UPDATE orders SET state = 'finished' WHERE state = 'closed';
        ALTER TABLE orders MODIFY state ENUM('new', 'finished');
        DELETE FROM orders WHERE id > 36;
        UPDATE `lines` SET order_id = order_id + 1000;
        UPDATE log SET n = n + 100 WHERE n > 15;
        DELETE FROM log WHERE n = 1;
        ALTER TABLE orders DROP COLUMN gone;
    """
    found = follow(mariadb_server, base, change)
    orders = found.pop("orders")
    assert {name: orders.pop(name)[:3] for name in ("total", "weight", "zip", "placed", "note")} == {
        "total": (18, 0, {"rounded": 18}),
        "weight": (24, 0, {"rounded": 24}),
        "zip": (36, 0, {"cut": 36}),
        "placed": (35, 0, {"rounded": 35}),
        "note": (27, 0, {"cut": 27}),
    }
    assert orders == {"missing": 4, "extra": 0, "state": (12, 0, {"another value": 12}, 2), "gone": "gone, 39"}
    assert found == {"log": {"missing": 1, "extra": 0, "n": (5, 0, {}, 0)}}
