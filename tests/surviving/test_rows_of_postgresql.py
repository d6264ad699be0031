"""Base's rows beside head's on PostgreSQL: what is the same, what is lost, and how many rows, exactly."""

from __future__ import annotations

from typing import Protocol

import pytest
from following import told

from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.schema.model import Catalogue
from checks.schema.names import TableName
from checks.survivals import Survival
from runner.backends import postgresql as backend
from runner.servers.interface import Database, Server
from runner.servers.postgresql.sessions import session
from runner.surviving.comparing import survivals
from runner.surviving.postgresql import opened

BASE = """
create type state as enum ('new', 'finished', 'closed');
create table orders (id bigint primary key, total numeric(12,4), weight double precision, state state, placed timestamp,
    note varchar(50), zip text, doc json, at timestamptz, flag int, "odd ""name %s" text, gone text, empty text,
    twice bigint generated always as (id * 2) stored);
insert into orders select n, n / 8.0, n / 3.0, (array['new', 'finished', 'closed'])[1 + n % 3]::state,
    timestamp '2024-01-01' + n * interval '1 h', 'note ' || n, lpad(n::text, 5, '0'), json_build_object('n', n),
    timestamptz '2024-06-01' + n * interval '1 s', n % 2, 'x''' || n, nullif('g' || n, 'g4'), null from generate_series(1, 40) n;
create table lines (order_id bigint, number int, text text, primary key (order_id, number));
insert into lines select n, 1, 'line ' || n from generate_series(1, 30) n;
create table log (line text, n int);
insert into log select 'l' || n % 5, n from generate_series(1, 20) n;
"""


class Follow(Protocol):
    """What became of base's rows after some statements."""

    def __call__(self, change: str, base: str = ..., refilled: frozenset[TableName] = ...) -> list[Survival]: ...


@pytest.fixture
def follow(server: Server, database: Database) -> Follow:
    """On a copy of a copy, which keeps the server's numbers as a fork does."""

    def run(change: str, base: str = BASE, refilled: frozenset[TableName] = frozenset()) -> list[Survival]:
        with session(database.private) as connection:
            connection.execute(base.encode())
        golden = server.seal(database)
        with server.clone(golden) as was, server.clone(golden) as now:
            with session(now.private) as connection:
                connection.execute(change.encode())
            before, after = (_catalogue(server, each) for each in (was, now))
            with opened(was, now) as rows:
                return list(survivals(rows, before, after, refilled=refilled))

    return run


def _catalogue(server: Server, database: Database) -> Catalogue:
    with backend.target(server, None, database, Expectations(), Evidence()) as target:
        return target.catalogue


def test_what_changes_no_value_is_nothing(follow: Follow) -> None:
    change = """
        alter table orders alter column total type numeric(20,6), alter column note type text, alter column flag type bigint;
        alter table orders alter column state type text, alter column doc type jsonb, alter column flag set default 4;
        alter table orders alter column at type timestamp using at at time zone 'UTC', alter column weight type text;
        alter table orders rename column gone to kept;
        alter table orders rename to purchases;
        alter table purchases drop column empty, drop column twice, add column more int default 7;
        create table anew as select * from log;
        drop table log;
        alter table anew rename to log;
        alter table lines drop constraint lines_pkey, alter column order_id type text;
        update purchases set more = 8, total = total + 0.00000, doc = ' {"n":1.0}' where id = 1;
        insert into lines values (77, 1, 'extra');
    """
    assert told(follow(change)) == {
        "orders": {"now": "purchases", "empty": "gone, 0"},
        "lines": {"missing": 0, "extra": 1},
    }


def test_values_that_a_type_does_not_hold_are_counted_by_what_became_of_them(follow: Follow) -> None:
    change = """
        alter table orders alter column total type numeric(12,2), alter column weight type real;
        alter table orders alter column note type varchar(6) using left(note, 6), alter column zip type int using zip::int;
        create type mode as enum ('new', 'done');
        alter table orders alter column state type mode using (case state when 'new' then 'new' else 'done' end)::mode;
        alter table orders alter column placed type date, alter column at type timestamp using at at time zone 'Europe/Berlin';
        alter table orders alter column flag type text using case flag when 0 then 'no' else 'yes' end;
    """
    found = told(follow(change))["orders"]
    assert found.pop("note") == (31, 0, {"cut": 31}, 35)  # note 10 to note 40, and those that are short already
    assert found == {
        "total": (20, 0, {"rounded": 20}, found["total"][3]),
        "weight": (27, 0, {"rounded": 27}, 0),
        "zip": (40, 0, {"cut": 40}, 0),
        "state": (27, 0, {"another value": 27}, 2),
        "placed": (39, 0, {"rounded": 39}, 40),
        "at": (40, 0, {"moved in time": 40}, 0),
        "flag": (40, 0, {"another value": 40}, 0),
    }


def test_rows_and_values_that_statements_change(follow: Follow) -> None:
    change = """
        delete from orders where id > 36;
        insert into orders (id, total) values (100, 1);
        update orders set total = 0, note = null where id <= 3;
        update orders set gone = 'filled' where gone is null;
        update orders a set "odd ""name %s" = b."odd ""name %s" from orders b where a.id in (1, 2) and b.id = 3 - a.id;
        truncate lines;
        update log set n = n + 100 where n > 15;
        delete from log where n = 1;
    """
    found = follow(change)
    assert told(found) == {
        "orders": {
            "missing": 4,
            "extra": 1,
            "total": (3, 0, {"another value": 3}, 3),
            "note": (3, 0, {"emptied": 3}, 3),
            "gone": (0, 1, {}, 0),
            'odd "name %s': (2, 0, {"another value": 2}, 0),
        },
        "lines": {"missing": 30, "extra": 0},
        "log": {"missing": 1, "extra": 0, "n": (5, 0, {}, 0)},
    }
    orders = next(one for one in found if one.table.name == "orders")
    assert (orders.before, orders.after, orders.keys) == (40, 37, ("id=37", "id=38", "id=39", "id=40"))
    assert next(one.keys for one in orders.columns if one.name == "total") == ("id=1", "id=2", "id=3")


def test_what_is_dropped_is_counted_and_what_was_copied_first_is_followed(follow: Follow) -> None:
    change = """
        alter table orders add column comment text;
        update orders set comment = note;
        alter table orders drop column note, drop column gone, drop column flag;
        alter table orders add column flag int not null default 0;
        create table lines_of_orders (like lines including all);
        insert into lines_of_orders select * from lines;
        drop table lines, log;
    """
    assert told(follow(change)) == {
        "orders": {"gone": "gone, 39", "flag": (20, 0, {"another value": 20}, 2)},
        "lines": {"now": "lines_of_orders"},
        "log": {"gone": 20},
    }


def test_keys_that_are_rewritten_lose_no_row(follow: Follow) -> None:
    """What names a row is another value: the rest says that the rows are there."""
    change = """
        update lines set order_id = order_id + 1000;
        alter table orders add column key uuid not null default gen_random_uuid();
        alter table orders drop constraint orders_pkey, drop column id cascade;
    """
    assert told(follow(change)) == {"orders": {"id": "gone, 40"}}


def test_a_table_that_was_filled_again_lost_its_rows(follow: Follow) -> None:
    found = told(follow("truncate log; insert into log values ('made', 1)", refilled=frozenset({TableName("public", "log")})))
    assert found == {"log": {"missing": 20, "extra": 0}}


PARTITIONS = """
create table events (id int, day date, primary key (id, day)) partition by range (day);
create table events_1 partition of events for values from ('2024-01-01') to ('2024-02-01');
create table events_2 partition of events for values from ('2024-02-01') to ('2024-03-01');
insert into events select n, date '2024-01-01' + n from generate_series(1, 50) n;
create unlogged table cache (id int primary key);
insert into cache values (1);
create table parent (id int primary key);
create table child () inherits (parent);
insert into parent values (1), (2);
insert into child values (3);
create table nothing (id int);
create table more (id int) partition by range (id);
create table more_1 partition of more for values from (0) to (9);
insert into more values (1);
"""


def test_partitions_are_their_table_and_what_a_copy_has_not_is_not_judged(follow: Follow) -> None:
    change = """
        alter table events detach partition events_2;
        create table events_3 partition of events for values from ('2024-02-01') to ('2024-04-01');
        insert into events select * from events_2;
        drop table events_2;
        drop table events_1;
        delete from parent where id = 3;
        alter table more detach partition more_1;
    """
    assert told(follow(change, PARTITIONS)) == {
        "events": {"missing": 30, "extra": 0},
        "cache": {"gap": "UNLOGGED: a copy of the server has none of its rows"},
        "child": {"missing": 1, "extra": 0},
        "more": {"gap": "partitions stand alone since: more_1"},
    }


ODD = """
create type pair as (a int, b text);
create domain code as varchar(9) check (value <> '');
create table odd (id uuid primary key default gen_random_uuid(), pair pair, points point, range int4range, tags text[],
    bits bit(4), money money, doc xml, address inet, span interval, code code, name name, day time with time zone, bytes bytea,
    big bigint);
insert into odd (pair, points, range, tags, bits, money, address, span, code, name, day, bytes, big)
    select row(n, 'b')::pair, point(n, n), int4range(n, n + 2), array['a', n::text], n::bit(4), n::money, '10.0.0.1', '30 days',
    'c' || n, 'n', '10:00+02', decode(md5(n::text), 'hex'), n from generate_series(1, 9) n;
create table "no columns" ();
insert into "no columns" default values;
create table swapped (id int primary key, v text);
insert into swapped values (1, 'a'), (2, 'b');
"""


def test_types_of_every_kind_and_changes_that_a_weaker_digest_would_not_see(follow: Follow) -> None:
    """Shifted by 32 bits, an equal interval of other parts, values swapped between rows."""
    change = """
        update odd set big = big << 32, span = '1 month', points = point(0, 0) where code <> 'c9';
        update swapped set v = case id when 1 then 'b' else 'a' end;
        insert into "no columns" default values;
    """
    found = told(follow(change, ODD))
    assert {name: count for name, (count, *_) in found["odd"].items()} == {"big": 8, "span": 8, "points": 8}
    assert found["swapped"] == {"v": (2, 0, {"another value": 2}, 0)}
    assert found["no columns"] == {"missing": 0, "extra": 1}


def test_a_table_that_the_server_does_not_read_is_said_and_the_others_are_judged(follow: Follow) -> None:
    """A cast of the project's own that fails."""
    base = """
        create type pair as (a int, b text);
        create function refuse(pair) returns text language plpgsql as 'begin raise exception ''not readable''; end';
        create cast (pair as text) with function refuse(pair);
        create table bad (id int primary key, pair pair);
        insert into bad values (1, (1, 'a'));
        create table good (id int primary key);
        insert into good values (1), (2);
    """
    found = told(follow("delete from good where id = 1", base))
    assert found == {"bad": {"gap": "the rows could not be compared: not readable"}, "good": {"missing": 1, "extra": 0}}
