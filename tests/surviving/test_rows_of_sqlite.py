"""Base's rows beside head's on SQLite, where most changes make a table anew."""

from __future__ import annotations

from typing import Any

from following import told

from checks.declared.expectations import Expectations
from checks.evidence import Evidence, Statement
from checks.schema.model import Catalogue
from runner.backends import sqlite as backend
from runner.servers.interface import Database
from runner.servers.sqlite.server import SqliteServer, sqlite_server
from runner.servers.sqlite.sessions import session
from runner.surviving.comparing import survivals
from runner.surviving.sqlite import opened

NUMBERS = "with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 40) "
BASE = f"""
create table orders (id integer primary key, total numeric, zip text, note varchar(50), at datetime, flag boolean,
    "odd ""name %s" text collate nocase, gone text, empty text, twice integer generated always as (id * 2));
{NUMBERS} insert into orders select n, n / 8.0, substr('0000' || n, -5), 'note ' || n,
    datetime('2024-01-01', n || ' hours'), n % 2, 'x''' || n, nullif('g' || n, 'g4'), null from numbers;
create table lines (order_id integer, number integer, text, primary key (order_id, number)) without rowid;
{NUMBERS} insert into lines select n, 1, 'line ' || n from numbers where n <= 30;
create table log (line text, n int);
{NUMBERS} insert into log select 'l' || n % 5, n from numbers where n <= 20;
"""


def follow(change: str, base: str = BASE) -> dict[str, Any]:
    """What became of base's rows after some statements, of which a program told."""
    with sqlite_server() as server:
        database = server.create("app")
        with session(database.private) as connection:
            connection.executescript(base)
        golden = server.seal(database)
        with server.clone(golden) as was, server.clone(golden) as now:
            with session(now.private) as connection:
                connection.executescript(change)
            statements = [Statement(text) for text in change.split(";")]
            before, after = (_catalogue(server, each) for each in (was, now))
            with opened(was, now) as rows:
                return told(survivals(rows, before, after, statements))


def _catalogue(server: SqliteServer, database: Database) -> Catalogue:
    with backend.target(server, None, database, Expectations(), Evidence()) as target:
        return target.catalogue


def test_what_changes_no_value_is_nothing() -> None:
    change = """
        create table "_alembic_tmp_orders" (id bigint primary key, total real, zip varchar, note text, at timestamp,
            flag integer, "odd ""name %s" text, kept text, more int default 7);
        insert into "_alembic_tmp_orders" select id, total, zip, note, at || ' ', flag, "odd ""name %s", gone, 8 from orders;
        update "_alembic_tmp_orders" set at = rtrim(at);
        drop table orders;
        alter table "_alembic_tmp_orders" rename to orders;
        alter table "orders" rename to [purchases];
        alter table log rename column n to "number";
        alter table lines rename to old_lines;
        create table lines (order_id text, number integer, text, primary key (order_id, number));
        insert into lines select * from old_lines;
        insert into lines values (77, 1, 'extra');
        drop table old_lines;
    """
    assert follow(change) == {
        "orders": {"now": "purchases", "empty": "gone, 0"},
        "lines": {"missing": 0, "extra": 1},
    }


def test_values_and_rows_that_a_table_made_anew_does_not_hold() -> None:
    change = """
        create table new (id integer primary key, total int, zip integer, note varchar(6), at date, flag text,
            "odd ""name %s" text);
        insert into new select id, cast(total as int), zip, substr(note, 1, 6), date(at),
            case flag when 0 then 'none' else 'some' end, upper("odd ""name %s") from orders where id <= 36;
        drop table orders;
        alter table new rename to orders;
        update log set n = n + 100 where n > 15;
        delete from log where n = 1;
        drop table lines;
    """
    found = follow(change)
    orders = found.pop("orders")
    assert orders.pop("note")[:3] == (27, 0, {"cut": 27})
    assert orders.pop("total")[:3] == (32, 0, {"rounded": 32})
    assert orders.pop("at")[:3] == (35, 0, {"rounded": 35})
    assert orders == {
        "missing": 4,
        "extra": 0,
        "zip": (36, 0, {"cut": 36}, 0),
        "flag": (36, 0, {"another value": 36}, 0),
        'odd "name %s': (36, 0, {"another value": 36}, 0),
        "gone": "gone, 39",
        "empty": "gone, 0",
    }
    assert found == {"log": {"missing": 1, "extra": 0, "n": (5, 0, {}, 0)}, "lines": {"gone": 30}}


def test_what_is_copied_is_followed_and_keys_that_are_rewritten_lose_no_row() -> None:
    change = """
        alter table orders add column comment text;
        update orders set comment = note, gone = coalesce(gone, 'filled');
        alter table orders drop column note;
        update lines set order_id = order_id + 1000;
        create table anew as select n, line from log;
        drop table log;
    """
    assert follow(change) == {"orders": {"gone": (0, 1, {}, 0)}, "log": {"now": "anew"}}


def test_a_primary_key_that_may_be_empty_names_rows_as_long_as_none_is() -> None:
    base = f"create table codes (code text primary key, n int); {NUMBERS} insert into codes select 'c' || n, n from numbers;"
    change = "update codes set n = 0 where code in ('c1', 'c2'); delete from codes where code = 'c9';"
    found = {"missing": 1, "extra": 0, "n": (2, 0, {"another value": 2}, 2)}
    assert follow(change, base) == {"codes": found}
    assert follow(change, f"{base} insert into codes values (null, 1);") == {"codes": {**found, "n": (2, 0, {}, 0)}}


def test_what_cannot_be_read_is_said() -> None:
    with sqlite_server() as server, session(server.create("app").private) as connection:
        connection.execute("create table orders (id integer primary key)")
        before = _catalogue(server, server.database("app"))
        with opened(server.database("app"), server.create("head")) as both:
            found = told(survivals(both, before, before))
    assert found == {"orders": {"gap": "the rows could not be compared: no such table: head.orders"}}
