"""reference-probe: what refuses an orphan is proven, what takes one is found, on every version that is installed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from judging import Judge
from versions import MAJORS

from checks.interface import Engine, Severity
from runner.servers.interface import Database, Server, Wanted
from runner.servers.registry import provision

CHECK = "reference-probe"
SHOP = """
    CREATE TABLE users (id bigint PRIMARY KEY);
    CREATE TABLE orders (id bigint PRIMARY KEY, buyer_id bigint CONSTRAINT buyer REFERENCES users (id));
"""
HOSTILE = "a \"b\" :c %d %(e)s\n'f'; DROP TABLE g; -- ☃"


@pytest.fixture(scope="module", params=MAJORS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with provision(Wanted(Engine.POSTGRESQL, version=request.param)) as running:
        yield running


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.mark.parametrize(
    "child",
    [
        "parent_id int NOT NULL REFERENCES parent",
        "parent_id bigint REFERENCES parent",
        "parent_id smallint REFERENCES parent",
        "parent_id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED",
        "parent_id int DEFAULT 1 REFERENCES parent",
        "parent_id int GENERATED ALWAYS AS IDENTITY REFERENCES parent",
        "parent_id int PRIMARY KEY REFERENCES parent",
        "x int, parent_id int GENERATED ALWAYS AS (x + 1) STORED REFERENCES parent",
        "parent_id int REFERENCES parent ON DELETE CASCADE ON UPDATE CASCADE",
    ],
)
def test_a_reference_that_holds_is_proven(judge: Judge, child: str) -> None:
    judged = judge(CHECK, f"CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child ({child})")
    assert (judged.proven, judged.all[1:]) == (["child.parent_id"], ())


@pytest.mark.parametrize(
    "wall",
    [
        "CREATE UNIQUE INDEX one_row ON orders ((1)); INSERT INTO orders DEFAULT VALUES",
        "ALTER TABLE orders ADD total int NOT NULL",
        "ALTER TABLE orders ADD CHECK (false) NOT VALID",
        "ALTER TABLE orders ADD tenant int; ALTER TABLE orders ALTER tenant SET DEFAULT current_setting('app.tenant')::int",
        "ALTER TABLE orders ADD other_id int NOT NULL DEFAULT 7 REFERENCES countries DEFERRABLE",
        "ALTER TABLE orders ADD EXCLUDE (note WITH =)",
        "ALTER TABLE orders ADD broken int GENERATED ALWAYS AS (1 / coalesce(length(note), 0)) STORED",
        "CREATE INDEX ON orders ((1 / coalesce(length(note), 0)))",
        "CREATE DOMAIN never AS int NOT NULL CHECK (VALUE > 5); CREATE DOMAIN ever AS never; ALTER TABLE orders ADD n ever",
        "ALTER TABLE orders ENABLE ROW LEVEL SECURITY; ALTER TABLE orders FORCE ROW LEVEL SECURITY",
        "CREATE TABLE kinds (LIKE orders); ALTER TABLE orders INHERIT kinds; ALTER TABLE kinds ADD CHECK (false) NOT VALID",
        "CREATE TABLE lines (order_id int REFERENCES orders)",
        "CREATE VIEW grouped AS SELECT id, note FROM orders GROUP BY id",
        "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no DDL here'; END $$;"
        "CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION refuse()",
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'never'; END $$;"
        "CREATE TRIGGER refuse BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION refuse();"
        "ALTER TABLE orders ENABLE ALWAYS TRIGGER refuse",
    ],
)
def test_nothing_else_answers(judge: Judge, wall: str) -> None:
    judged = judge(
        CHECK,
        f"""
        CREATE TABLE users (id int PRIMARY KEY);
        CREATE TABLE countries (id int PRIMARY KEY);
        CREATE TABLE orders (id serial PRIMARY KEY, buyer_id int REFERENCES users, note text);
        {wall};
        """,
    )
    assert "orders.buyer_id" in judged.proven, judged.all
    assert not judged.findings


@pytest.mark.parametrize("disabled", ["ALL", "every"])
def test_a_switched_off_reference_takes_an_orphan(judge: Judge, disabled: str) -> None:
    off = {
        "ALL": "ALTER TABLE orders DISABLE TRIGGER ALL",
        "every": """DO $$ DECLARE t text; BEGIN
            FOR t IN SELECT tgname FROM pg_trigger WHERE tgrelid = 'orders'::regclass AND tgisinternal
            LOOP EXECUTE format('ALTER TABLE orders ENABLE REPLICA TRIGGER %I', t); END LOOP; END $$""",
    }
    finding = judge(CHECK, f"{SHOP}; {off[disabled]}").finding
    assert finding.subject == "orders.buyer_id"
    assert finding.severity is None
    assert "switched off" in finding.message
    assert "buyer_id = '9223372036854775807'" in finding.message
    assert finding.remedy.startswith("ALTER TABLE orders ENABLE TRIGGER ALL;")
    assert finding.objects[0].name == "buyer"


def test_a_database_that_replays_replication_takes_an_orphan(judge: Judge) -> None:
    judged = judge(
        CHECK,
        f"{SHOP}; DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET session_replication_role = replica', current_database());"
        "END $$",
    )
    assert "did not refuse it" in judged.finding.message


def test_not_enforced_takes_an_orphan(judge: Judge, server: Server) -> None:
    if int(server.version.split(".")[0]) < 18:
        pytest.skip("NOT ENFORCED came with PostgreSQL 18")
    finding = judge(CHECK, f"{SHOP}; ALTER TABLE orders ALTER CONSTRAINT buyer NOT ENFORCED").finding
    assert "NOT ENFORCED" in finding.message
    assert finding.remedy == "ALTER TABLE orders ALTER CONSTRAINT buyer ENFORCED;"


def test_composite_and_match_full(judge: Judge) -> None:
    judged = judge(
        CHECK,
        """
        CREATE TABLE users (tenant boolean, code char(1), PRIMARY KEY (tenant, code));
        CREATE TABLE orders (id int PRIMARY KEY, buyer char(1), tenant boolean,
                             FOREIGN KEY (tenant, buyer) REFERENCES users MATCH FULL);
        INSERT INTO users SELECT true, chr(c) FROM generate_series(33, 126) c;
        INSERT INTO users SELECT false, chr(c) FROM generate_series(33, 126) c WHERE chr(c) <> 'Q';
        """,
    )
    assert judged.proven == ["orders.(tenant, buyer)"]


def test_a_table_that_refers_to_itself(judge: Judge) -> None:
    judged = judge(
        CHECK,
        """
        CREATE TABLE staff (id int PRIMARY KEY, boss_id int NOT NULL REFERENCES staff, mentor_id int REFERENCES staff);
        CREATE TABLE nodes (tenant int, id int, above int, PRIMARY KEY (tenant, id),
                            FOREIGN KEY (tenant, above) REFERENCES nodes);
        CREATE TABLE pairs (a int, b int, UNIQUE (a, b), FOREIGN KEY (a, b) REFERENCES pairs (b, a));
        CREATE TABLE mirror (id int PRIMARY KEY REFERENCES mirror);
        INSERT INTO staff VALUES (2147483647, 2147483647, 2147483647);
        """,
    )
    assert sorted(judged.proven) == ["nodes.(tenant, above)", "pairs.(a, b)", "staff.boss_id", "staff.mentor_id"]
    assert judged.gaps == {"mirror.id": "a row always refers to itself"}


def test_a_table_that_refers_to_itself_and_is_switched_off(judge: Judge) -> None:
    finding = judge(
        CHECK, "CREATE TABLE staff (id int PRIMARY KEY, boss_id int REFERENCES staff); ALTER TABLE staff DISABLE TRIGGER ALL"
    ).finding
    assert finding.subject == "staff.boss_id"


PARTITIONED = """
    CREATE TABLE users (id int PRIMARY KEY);
    CREATE TABLE events (at date NOT NULL, id int, buyer_id int, CONSTRAINT buyer FOREIGN KEY (buyer_id) REFERENCES users,
                         PRIMARY KEY (at, id)) PARTITION BY RANGE (at);
    CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY HASH (id);
    CREATE TABLE events_2024_0 PARTITION OF events_2024 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE events_2024_1 PARTITION OF events_2024 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE notes (at date, event_id int, FOREIGN KEY (at, event_id) REFERENCES events);
    INSERT INTO users VALUES (1);
    INSERT INTO events VALUES ('2024-05-05', 1, 1), ('2025-05-05', 1, 1);
    INSERT INTO notes VALUES ('2024-05-05', 1), ('2025-05-05', 1);
"""


def test_a_partitioned_child_is_one_reference_and_so_is_one_to_a_partitioned_parent(judge: Judge) -> None:
    judged = judge(CHECK, PARTITIONED)
    assert sorted(judged.proven) == ["events.buyer_id", "notes.(at, event_id)"]
    assert len(judged.all) == 2


@pytest.mark.parametrize("part", ["events_2024_1", "events_2025"])
def test_one_partition_that_is_switched_off_is_found(judge: Judge, part: str) -> None:
    finding = judge(CHECK, f"{PARTITIONED}; ALTER TABLE {part} DISABLE TRIGGER ALL").finding
    assert finding.subject == "events.buyer_id"
    assert finding.message.startswith(f"{part} took a row")
    assert finding.remedy.startswith(f"ALTER TABLE {part} ENABLE TRIGGER ALL;")


def test_a_partition_with_a_reference_of_its_own(judge: Judge) -> None:
    judged = judge(CHECK, f"{PARTITIONED}; ALTER TABLE events_2025 ADD FOREIGN KEY (id) REFERENCES users")
    assert "events_2025.id" in judged.proven


@pytest.mark.parametrize(
    "child",
    [
        "CREATE TABLE c (at int, id int, r int, PRIMARY KEY (at, id), FOREIGN KEY (at, r) REFERENCES c) PARTITION BY LIST (at);"
        "CREATE TABLE c1 PARTITION OF c FOR VALUES IN (1); INSERT INTO c VALUES (1, 1, 1), (1, 2, 1)",
        "CREATE TABLE c (id int GENERATED ALWAYS AS IDENTITY, r int REFERENCES p) PARTITION BY RANGE (id);"
        "CREATE TABLE c1 PARTITION OF c FOR VALUES FROM (1) TO (100)",
        "CREATE TABLE c (at int, r int CONSTRAINT one REFERENCES p) PARTITION BY LIST (at);"
        "CREATE TABLE c1 (at int, r int CONSTRAINT two REFERENCES p); ALTER TABLE c ATTACH PARTITION c1 FOR VALUES IN (1)",
        "CREATE TABLE c (k int NOT NULL UNIQUE, r int REFERENCES c (k)); ALTER TABLE c REPLICA IDENTITY USING INDEX c_k_key",
        "CREATE TABLE c (k int, r int); CREATE UNIQUE INDEX ki ON c (k); ALTER TABLE c ADD FOREIGN KEY (r) REFERENCES c (k)",
        "CREATE TABLE a (x int NOT NULL CHECK (x > 0)); CREATE TABLE b (x int NOT NULL, y int DEFAULT 1 NOT NULL);"
        "CREATE TABLE c (r int REFERENCES p) INHERITS (a, b)",
        "CREATE TYPE t AS (id int, r int); CREATE TABLE c OF t; ALTER TABLE c ADD FOREIGN KEY (r) REFERENCES p",
        "CREATE TABLE c (id int PRIMARY KEY, r int REFERENCES p); CREATE PUBLICATION everything FOR TABLE c",
    ],
)
def test_tables_of_unusual_make(judge: Judge, child: str) -> None:
    judged = judge(CHECK, f"CREATE TABLE p (id int PRIMARY KEY); {child}")
    assert len(judged.proven) == len(judged.all) == 1, judged.all


def test_a_refusal_by_something_else_is_no_proof(judge: Judge, database: Database) -> None:
    owner = f'"{database.name}_owner"'
    judged = judge(
        CHECK,
        f"""
        CREATE SCHEMA theirs AUTHORIZATION {owner}; SET ROLE {owner};
        CREATE TABLE theirs.p (id int PRIMARY KEY); CREATE TABLE theirs.c (r int REFERENCES theirs.p);
        REVOKE ALL ON theirs.p FROM {owner}; RESET ROLE
        """,
    )
    assert judged.gaps == {"theirs.c.r": "something else refused the row: 42501 permission denied for table p"}


def test_a_partitioned_table_without_partitions_proves_nothing(judge: Judge) -> None:
    judged = judge(
        CHECK, "CREATE TABLE users (id int PRIMARY KEY); CREATE TABLE e (u int REFERENCES users) PARTITION BY LIST (u)"
    )
    assert judged.gaps == {"e.u": "no partition"}


@pytest.mark.parametrize(
    "swallow",
    [
        "CREATE RULE quiet AS ON INSERT TO orders DO INSTEAD NOTHING",
        "CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;"
        "CREATE TRIGGER quiet BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION quiet()",
    ],
)
def test_a_row_that_is_swallowed_is_a_warning(judge: Judge, swallow: str) -> None:
    finding = judge(CHECK, f"{SHOP}; {swallow}").finding
    assert finding.severity is Severity.WARNING
    assert "vanishes without an error" in finding.message


def test_values_that_cannot_be_thought_of_prove_nothing(judge: Judge) -> None:
    judged = judge(
        CHECK,
        """
        CREATE TYPE mood AS ENUM ('good', 'bad');
        CREATE TABLE moods (mood mood PRIMARY KEY);
        INSERT INTO moods VALUES ('good'), ('bad');
        CREATE TYPE money_in AS (amount int, currency text);
        CREATE TABLE prices (price money_in PRIMARY KEY);
        CREATE TABLE days (mood mood REFERENCES moods, price money_in REFERENCES prices);
        """,
    )
    assert judged.gaps == {
        "days.mood": "every value that was thought of has a parent (2)",
        "days.price": "type public.money_in",
    }


def test_hostile_names(judge: Judge) -> None:
    long = "ß" * 31 + "x"
    child, column, mood = quoted(HOSTILE), quoted("%s"), quoted(f"type {HOSTILE}")
    judged = judge(
        CHECK,
        f"""
        CREATE SCHEMA {quoted("Select")};
        CREATE TYPE {mood} AS ENUM ('%s', ':x', 'it''s "fine" \\ ');
        CREATE TABLE {quoted("Select")}.{quoted(long)} ({column} {mood} PRIMARY KEY);
        CREATE TABLE {child} ({quoted("from")} {mood} NOT NULL
            CONSTRAINT {quoted("%(k)s:k")} REFERENCES {quoted("Select")}.{quoted(long)},
            "order" int NOT NULL CHECK ("order" > 0));
        CREATE RULE {quoted("%r")} AS ON UPDATE TO {child} DO INSTEAD NOTHING;
        """,
    )
    assert judged.proven == [f"{HOSTILE}.from"]
    off = judge(CHECK, f"ALTER TABLE {child} DISABLE TRIGGER ALL").finding
    assert off.objects[0].name == "%(k)s:k"
    assert off.objects[0].relation == HOSTILE


def test_three_hundred_references(judge: Judge) -> None:
    tables = "".join(
        f"CREATE TABLE t{n} (id bigserial PRIMARY KEY, name text UNIQUE NOT NULL CHECK (name <> ''), a bigint REFERENCES parent,"
        " b bigint REFERENCES parent, c bigint NOT NULL REFERENCES parent);"
        for n in range(100)
    )
    judged = judge(CHECK, f"CREATE TABLE parent (id bigint PRIMARY KEY); {tables}")
    assert len(judged.proven) == 300


def test_nothing_is_left_behind(judge: Judge) -> None:
    before = judge("unvalidated-constraint", f"{SHOP}; ALTER TABLE orders ADD CHECK (false) NOT VALID")
    judge(CHECK)
    again = judge(CHECK)
    assert again.proven == ["orders.buyer_id"]
    assert judge("unvalidated-constraint").all == before.all


def test_periods(judge: Judge, server: Server) -> None:
    if int(server.version.split(".")[0]) < 18:
        pytest.skip("PERIOD came with PostgreSQL 18")
    judged = judge(
        CHECK,
        """
        CREATE TABLE rooms (id int4range, during daterange, PRIMARY KEY (id, during WITHOUT OVERLAPS));
        INSERT INTO rooms VALUES ('[2147483646,2147483647)', '[2000-01-01,)');
        CREATE TABLE stays (room int4range, during daterange, FOREIGN KEY (room, PERIOD during) REFERENCES rooms);
        """,
    )
    assert judged.proven == ["stays.(room, during)"]


def test_a_reference_that_takes_no_row_at_all_is_not_proven(judge: Judge) -> None:
    """The parent's index is not kept up to date and is asked all the same: no parent is found, whoever is there."""
    judged = judge(
        CHECK,
        """
        CREATE TABLE users (id int PRIMARY KEY); CREATE TABLE orders (buyer_id int REFERENCES users);
        UPDATE pg_index SET indisready = false WHERE indexrelid = 'users_pkey'::regclass;
        """,
    )
    assert (judged.proven, judged.findings) == ([], [])
    assert "it refuses an orphan, but no row that has a parent went in: 23503" in judged.gaps["orders.buyer_id"]
