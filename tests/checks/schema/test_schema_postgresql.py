"""The catalogue of PostgreSQL, on every version that is installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pytest
from judging import Query
from sqlalchemy import event
from versions import MAJORS

from checks.interface import Engine
from checks.schema.bookkeeping import BOOKKEEPING
from checks.schema.model import Action, Catalogue, Column, Command, DomainCheck, Firing, Match, Policy
from checks.schema.names import TableName
from checks.schema.postgresql import read
from checks.targets import Role
from runner.servers.interface import Database, Server, Wanted
from runner.servers.registry import provision
from runner.targets.sessions import Manner, sessions

READING = Manner(read_only=True, ours=False)


class Read(Protocol):
    def __call__(self, ddl: str, leave_out: frozenset[TableName] = ..., role: Role = ...) -> Catalogue: ...


@pytest.fixture(scope="module", params=MAJORS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with provision(Wanted(Engine.POSTGRESQL, version=request.param)) as running:
        yield running


@pytest.fixture
def catalogue(database: Database, query: Query) -> Read:
    """The catalogue after some DDL, read in a read-only session of a role."""

    def after(ddl: str, leave_out: frozenset[TableName] = frozenset(), role: Role = Role.ADMIN) -> Catalogue:
        query(ddl)
        address = database.private if role is Role.ADMIN else database.addresses[role]
        with sessions(address, READING).connect() as connection:
            return read(connection, leave_out)

    return after


def public(name: str) -> TableName:
    return TableName("public", name)


def major(server: Server) -> int:
    return int(server.version.split(".")[0])


def test_nothing(catalogue: Read) -> None:
    assert catalogue("SELECT") == Catalogue((), "public")


def test_columns(catalogue: Read) -> None:
    found = catalogue("""
        CREATE TYPE mood AS ENUM ('good', 'bad');
        CREATE DOMAIN code AS varchar(20) NOT NULL;
        CREATE DOMAIN short_code AS code CHECK (length(VALUE) < 5);
        CREATE DOMAIN moods AS mood[];
        CREATE TABLE t (
            gone int, id bigint GENERATED ALWAYS AS IDENTITY, name varchar(20) NOT NULL DEFAULT 'x', total numeric(10,2),
            mood mood, all_moods mood[], code short_code, m moods, doubled int GENERATED ALWAYS AS (2 * 3) STORED,
            de text COLLATE "C", days date[]);
        ALTER TABLE t DROP COLUMN gone;
    """)
    short = DomainCheck("short_code_check", "public", "short_code", "(length((VALUE)::text) < 5)")
    assert found.table[public("t")].columns == (
        Column("id", "bigint", False, identity=True),
        Column("name", "character varying(20)", False, "'x'::character varying"),
        Column("total", "numeric(10,2)", True),
        Column("mood", "public.mood", True, enum_labels=("good", "bad")),
        Column("all_moods", "public.mood[]", True, enum_labels=("good", "bad"), element="public.mood"),
        Column("code", "public.short_code", False, base="character varying(20)", domain_checks=(short,)),
        Column("m", "public.moods", True, base="public.mood[]", enum_labels=("good", "bad"), element="public.mood"),
        Column("doubled", "integer", True, "(2 * 3)", generated=True),
        Column("de", "text", True, collation='"C"'),
        Column("days", "date[]", True, element="date"),
    )


def test_foreign_keys(catalogue: Read) -> None:
    found = catalogue("""
        CREATE SCHEMA sales;
        CREATE TABLE users (a int, b int, id int UNIQUE, PRIMARY KEY (a, b));
        CREATE TABLE sales.orders (id int PRIMARY KEY, y int, x int, self int, u int,
            CONSTRAINT pair FOREIGN KEY (x, y) REFERENCES users (a, b) MATCH FULL ON DELETE SET NULL ON UPDATE CASCADE,
            CONSTRAINT self FOREIGN KEY (self) REFERENCES sales.orders DEFERRABLE INITIALLY DEFERRED);
        ALTER TABLE sales.orders ADD CONSTRAINT later FOREIGN KEY (u) REFERENCES users (id) ON DELETE RESTRICT NOT VALID;
    """)
    later, pair, own = found.table[TableName("sales", "orders")].foreign_keys
    assert (pair.columns, pair.parent, pair.parent_columns) == (("x", "y"), public("users"), ("a", "b"))
    assert (pair.match, pair.on_delete, pair.on_update, pair.validated) == (Match.FULL, Action.SET_NULL, Action.CASCADE, True)
    assert (own.parent, own.deferrable, own.initially_deferred) == (TableName("sales", "orders"), True, True)
    assert (later.validated, later.on_delete, later.enforced, later.switched_off) == (False, Action.RESTRICT, True, ())
    assert pair.operators == ("=", "=")


def test_what_carries_out_the_rules_of_a_key(catalogue: Read) -> None:
    found = catalogue("""
        CREATE TABLE users (id int PRIMARY KEY, org int, UNIQUE (org, id));
        CREATE TABLE orders (org int, u int, a int REFERENCES users,
            FOREIGN KEY (org, u) REFERENCES users (org, id) ON DELETE SET NULL (u));
        CREATE TABLE bills (u int REFERENCES users);
        ALTER TABLE users DISABLE TRIGGER ALL;
        ALTER TABLE bills DISABLE TRIGGER ALL;
    """)
    bill, one, pair = found.foreign_keys
    assert (bill.switched_off, bill.delete_off, bill.update_off) == ((public("bills"),), (public("users"),), (public("users"),))
    assert (one.switched_off, one.delete_off, one.delete_columns) == ((), (public("users"),), ())
    assert pair.delete_columns == ("u",)


def test_not_enforced(catalogue: Read, server: Server) -> None:
    if major(server) < 18:
        pytest.skip("NOT ENFORCED came with PostgreSQL 18")
    found = catalogue("""
        CREATE TABLE users (id int PRIMARY KEY);
        CREATE TABLE orders (id int CHECK (id > 0) NOT ENFORCED, u int REFERENCES users NOT ENFORCED);
    """)
    orders = found.table[public("orders")]
    assert (orders.foreign_keys[0].enforced, orders.checks[0].enforced) == (False, False)


PARTITIONED = """
    CREATE TABLE users (id int PRIMARY KEY);
    CREATE TABLE events (at date, id int, u int REFERENCES users, CHECK (id > 0), PRIMARY KEY (at, id)) PARTITION BY RANGE (at);
    CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY HASH (id);
    CREATE TABLE events_1a PARTITION OF events_1 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
    CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE notes (at date, event int, FOREIGN KEY (at, event) REFERENCES events);
    CREATE INDEX by_user ON events (u);
"""


def test_partitions(catalogue: Read) -> None:
    found = catalogue(f"{PARTITIONED}; ALTER TABLE events_1a DISABLE TRIGGER ALL")
    assert [key.label for key in found.foreign_keys] == ["events.u", "notes.(at, event)"]
    assert found.foreign_keys[0].switched_off == (public("events_1a"),)
    assert [(table.name.name, table.partitioned, table.partition_of) for table in found.tables if table.name.name[0] == "e"] == [
        ("events", True, None),
        ("events_1", True, public("events")),
        ("events_1a", False, public("events_1")),
        ("events_2", False, public("events")),
    ]
    assert [len(table.checks) for table in found.tables] == [1, 0, 0, 0, 0, 0]
    assert found.table[public("events_2")].bound is not None
    assert found.table[public("events")].bound is None
    parts = {index.name: index.part_of for index in found.table[public("events_1a")].indexes}
    assert parts == {"events_1a_pkey": "events_1_pkey", "events_1a_u_idx": "events_1_u_idx"}


def test_indexes(catalogue: Read, query: Query) -> None:
    query("CREATE TABLE t (id int PRIMARY KEY, a text, b int, c int); INSERT INTO t VALUES (1, 'x', 1, 1), (2, 'x', 1, 1)")
    with pytest.raises(Exception, match="could not create unique index"):
        query("CREATE UNIQUE INDEX CONCURRENTLY invalid ON t (b)")
    found = catalogue("""
        CREATE INDEX covering ON t (b) INCLUDE (c, a);
        CREATE INDEX mixed ON t (lower(a), b, (b + c));
        CREATE INDEX partly ON t USING hash (b) WHERE c > 0;
    """)
    indexes = {index.name: index for index in found.table[public("t")].indexes}
    assert indexes["covering"].columns == ("b",)
    assert indexes["mixed"].columns == (None, "b", None)
    assert (indexes["partly"].predicate, indexes["partly"].method, indexes["partly"].valid) == ("(c > 0)", "hash", True)
    assert (indexes["invalid"].valid, indexes["invalid"].unique) == (False, True)
    assert (indexes["t_pkey"].primary, found.table[public("t")].primary_key) == (True, ("id",))
    assert indexes["covering"].definition == "CREATE INDEX covering ON public.t USING btree (b) INCLUDE (c, a)"


def test_what_is_left_out(catalogue: Read, query: Query) -> None:
    books = "".join(f'CREATE TABLE "{name}" (id int); CREATE TABLE other."{name}" (id int);' for name in BOOKKEEPING)
    query("CREATE TABLE mine (id int)")
    query("CREATE TABLE of_extension (id int); ALTER EXTENSION plpgsql ADD TABLE of_extension")
    found = catalogue(
        f"""
        CREATE SCHEMA other; {books}
        CREATE VIEW seen AS SELECT * FROM mine; CREATE MATERIALIZED VIEW kept AS SELECT * FROM mine;
        CREATE TEMP TABLE shortly (id int); CREATE TABLE versions (id int); CREATE TABLE other.versions (id int);
        """,
        leave_out=frozenset({TableName("other", "versions")}),
    )
    assert [table.name for table in found.tables] == [public("mine"), public("versions")]


def test_hostile_names_read_as_they_are(catalogue: Read) -> None:
    long = "ß" * 31 + "x"
    names = ["A b; %", "c'd", "%s %% %(x)s", ":colon ::x", "line\nbreak", "Select", "\\u0041", "☃; DROP TABLE x"]
    table = 'CREATE TABLE "{0}" ("{0}" int CONSTRAINT "{0}_" PRIMARY KEY CONSTRAINT "{0} " REFERENCES "{0}" CHECK ("{0}" > 0));'
    tables = "".join(table.format(name.replace('"', '""')) for name in names)
    found = catalogue(f'{tables} CREATE TABLE "{long}" (id int)')
    assert {table.name.name for table in found.tables} == {*names, long}
    assert {key.columns[0] for key in found.foreign_keys} == set(names)
    assert {key.name for key in found.foreign_keys} == {f"{name} " for name in names}


def test_any_role_reads_it_whatever_its_search_path(catalogue: Read, query: Query, database: Database) -> None:
    ddl = "CREATE SCHEMA app; CREATE TYPE app.kind AS ENUM ('a'); CREATE TABLE app.things (kind app.kind)"
    ours = catalogue(ddl)
    query(f'ALTER DATABASE "{database.name}" SET search_path = app, public; GRANT USAGE ON SCHEMA app TO public')
    theirs = catalogue("SELECT", role=Role.OWNER)
    assert theirs.tables == ours.tables
    assert (ours.default_schema, theirs.default_schema) == ("public", "app")


def test_the_search_path_is_put_back(database: Database) -> None:
    with sessions(database.private, READING).connect() as connection:
        before = connection.exec_driver_sql("SHOW search_path").scalar_one()
        read(connection)
        assert connection.exec_driver_sql("SHOW search_path").scalar_one() == before


def test_triggers(catalogue: Read, server: Server) -> None:
    """Those of partitions are parts of the whole's; those that enforce references are not listed."""
    read = catalogue("""
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TABLE whole (id int PRIMARY KEY REFERENCES whole) PARTITION BY RANGE (id);
        CREATE TABLE part PARTITION OF whole FOR VALUES FROM (1) TO (9);
        CREATE TRIGGER "A b; %" AFTER INSERT ON whole FOR EACH ROW EXECUTE FUNCTION f();
        CREATE TABLE plain (id int);
        CREATE TRIGGER off BEFORE INSERT ON plain EXECUTE FUNCTION f();
        CREATE TRIGGER on_always BEFORE INSERT ON plain EXECUTE FUNCTION f();
        CREATE TRIGGER replicated BEFORE INSERT ON plain EXECUTE FUNCTION f();
        ALTER TABLE plain DISABLE TRIGGER off, ENABLE ALWAYS TRIGGER on_always, ENABLE REPLICA TRIGGER replicated;
        CREATE TABLE without (id int);
    """)
    firing = {(trigger.name, trigger.firing) for trigger in read.table[public("plain")].triggers}
    assert firing == {("off", Firing.OFF), ("on_always", Firing.ON), ("replicated", Firing.REPLICATION)}
    assert read.table[public("without")].triggers == ()
    (above,), (below,) = read.table[public("whole")].triggers, read.table[public("part")].triggers
    assert (above.name, above.inherited) == ("A b; %", False)
    assert above.definition.startswith('CREATE TRIGGER "A b; %" AFTER INSERT ON public.whole FOR EACH ROW')
    if major(server) >= 13:
        assert (below.name, below.inherited) == ("A b; %", True)


def test_row_security(catalogue: Read, query: Query) -> None:
    query('DROP ROLE IF EXISTS "reader \'%"; CREATE ROLE "reader \'%"')
    read = catalogue("""
        CREATE TABLE plain (id int);
        CREATE TABLE walled (id int, tenant int);
        ALTER TABLE walled ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        ALTER TABLE walled OWNER TO "reader '%";
        CREATE POLICY "A b; %" ON walled USING (tenant = current_setting('app.tenant')::int);
        CREATE POLICY narrow ON walled AS RESTRICTIVE FOR UPDATE TO "reader '%" USING (true) WITH CHECK (tenant > 0);
    """)
    plain, walled = read.table[public("plain")], read.table[public("walled")]
    assert (plain.row_security, plain.forced, plain.policies) == (False, False, ())
    assert (walled.row_security, walled.forced, walled.owner) == (True, True, "reader '%")
    using = "(tenant = (current_setting('app.tenant'::text))::integer)"
    assert walled.policies == (
        Policy("A b; %", walled.name, using=using),
        Policy("narrow", walled.name, Command.UPDATE, False, ("reader '%",), "true", "(tenant > 0)"),
    )
    query('DROP OWNED BY "reader \'%"; DROP ROLE "reader \'%"')


def test_the_number_of_queries_does_not_depend_on_the_number_of_tables(query: Query, database: Database) -> None:
    query("".join(f"CREATE TABLE t{n} (id int PRIMARY KEY, t int REFERENCES t{max(n - 1, 0)});" for n in range(50)))
    engine = sessions(database.private, READING)
    sent: list[str] = []
    with engine.connect() as connection:
        event.listen(engine, "before_cursor_execute", lambda *told: sent.append(told[2]))
        assert len(read(connection).foreign_keys) == 50
    assert len(sent) < 10


def test_alembic_s_own_table_is_left_out_whatever_its_name(catalogue: Read) -> None:
    found = catalogue(
        """
        CREATE TABLE our_books (version_num varchar(32) NOT NULL, CONSTRAINT our_books_pkc PRIMARY KEY (version_num));
        CREATE TABLE longer (version_num varchar(255) NOT NULL);
        CREATE TABLE more (version_num varchar(32) NOT NULL, note text);
        CREATE TABLE numbers (version_num int NOT NULL);
        CREATE TABLE empty ()
        """
    )
    assert [table.name.name for table in found.tables] == ["empty", "more", "numbers"]
