"""check-probe: a CHECK that refuses a bad row and takes a good one is proven; what swallows, opens or hides one is found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from judging import Judge
from sqlite_judging import judged as judged_on_sqlite
from versions import MAJORS

from checks.declared.expectations import Expectations
from checks.interface import Engine, Severity
from runner.servers.interface import Server, Wanted
from runner.servers.registry import provision

CHECK = "check-probe"

#: CHECKs on one column, each with a bad and a good value that somebody has to think of.
COLUMNS = [
    "numeric(12,2) CHECK (c > 0)",
    "numeric(12,2) NOT NULL CHECK (c BETWEEN 1 AND 5)",
    "numeric CHECK (abs(c) <= 90)",
    "smallint UNIQUE CHECK (c BETWEEN 1 AND 3)",
    "int CHECK (c > 0 AND c <> 5 AND c < 3)",
    "bigint CHECK (c % 7 = 3)",
    "real CHECK (c >= 0 AND c <= 1)",
    "double precision CHECK (c < 0.5)",
    "int CHECK (1 / c > 0)",
    "text CHECK (length(trim(c)) > 0)",
    "varchar(20) CHECK (char_length(c) = 3)",
    "text CHECK (length(c) <= 100000)",
    "text CHECK (c IN ('open', 'paid'))",
    "varchar(20) NOT NULL DEFAULT 'open' CHECK (c IN ('open', 'paid'))",
    "text CHECK (c <> '')",
    "varchar(255) NOT NULL UNIQUE CHECK (c LIKE '%_@_%._%')",
    "text CHECK (c NOT LIKE '% %' AND c ILIKE 'http%')",
    "char(3) CHECK (c ~ '^[A-Z]{3}$')",
    "text CHECK (c ~* '^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$')",
    "text CHECK (c ~ '^[[:alpha:]_][[:alnum:]_-]*(\\.[a-z]+)?$')",
    "text CHECK (c SIMILAR TO '(a|b)_[0-9]%')",
    "text CHECK (position('@' in c) > 1)",
    "text CHECK (c = upper(c))",
    "text CHECK (starts_with(c, 'dbp:'))",
    "text COLLATE \"C\" CHECK (c >= 'm')",
    "date CHECK (c >= DATE '2020-02-29')",
    "timestamptz CHECK (c > '2020-01-01 00:00:00+00')",
    "timestamptz NOT NULL DEFAULT now() CHECK (c <= now() + interval '1 day')",
    "date CHECK (c <= CURRENT_DATE)",
    "text CHECK (c::date > '2020-01-01')",
    "date CHECK (date_part('dow', c) <> 0)",
    "interval CHECK (extract(epoch FROM c) <= 3600)",
    "oid CHECK (c > 5)",
    "int CHECK (c = ANY ('{1,2,3}'::int[]))",
    "text[] CHECK ('x' = ANY (c))",
    "interval CHECK (c > interval '1 hour')",
    "time CHECK (c >= '08:00' AND c < '18:00')",
    "uuid CHECK (c <> '00000000-0000-0000-0000-000000000000')",
    "boolean NOT NULL CHECK (c)",
    "jsonb CHECK (jsonb_typeof(c) = 'object')",
    "jsonb CHECK (c ? 'name')",
    "jsonb CHECK ((c ->> 'kind') = 'a' AND (c -> 'kind') IS NOT NULL)",
    "jsonb CHECK (jsonb_typeof(c) = 'array' AND jsonb_array_length(c) BETWEEN 1 AND 3)",
    "jsonb CHECK (c @> '{\"version\": 1}')",
    "numeric CHECK (c = round(c, 2))",
    "text CHECK (array_length(string_to_array(c, ','), 1) <= 3)",
    "int CHECK (c > 1900 AND c <= EXTRACT(year FROM now()))",
    "date CHECK (c < CURRENT_DATE - interval '18 years')",
    "text CHECK (c ~ '^[0-9a-f]{64}$')",
    "text CHECK (c ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND c NOT IN ('admin', 'root') AND length(c) >= 5)",
    "int CHECK ((c & (c - 1)) = 0 AND c > 0)",
    "text[] CHECK (array_length(c, 1) <= 3)",
    "text[] CHECK (c <@ ARRAY['a', 'b'])",
    "int[] CHECK (cardinality(c) BETWEEN 1 AND 3)",
    "mood CHECK (c <> 'bad')",
    "bytea CHECK (octet_length(c) <= 32)",
    "bit(8) CHECK (c <> B'00000000')",
    "inet CHECK (family(c) = 4)",
    "int4range CHECK (NOT isempty(c))",
]
#: CHECKs on several columns.
TABLES = {
    "totals": "subtotal numeric(12,2) NOT NULL CHECK (subtotal >= 0), tax numeric(12,2) NOT NULL CHECK (tax >= 0),"
    " discount numeric(12,2) NOT NULL, total numeric(12,2) NOT NULL CHECK (total > 0),"
    " CHECK (total = subtotal + tax - discount), CHECK (round(subtotal + tax - discount - total, 2) = 0)",
    "lines": "price numeric(12,2) NOT NULL CHECK (price > 0), quantity int NOT NULL CHECK (quantity > 0),"
    " total numeric(12,2) NOT NULL, CHECK (total = price * quantity)",
    "spans": "starts date NOT NULL, ends date, CHECK (ends > starts), CHECK (ends - starts <= 30)",
    "slots": "starts timestamptz NOT NULL, ends timestamptz NOT NULL, CHECK (ends >= starts + interval '15 minutes')",
    "one_of": "a int, b int, c int, d int, CHECK (num_nonnulls(a, b, c, d) = 1)",
    "both_or_none": "a int, b int, CHECK ((a IS NULL) = (b IS NULL))",
    "kinds": "kind text, a int, b int, status text NOT NULL, CHECK ((kind = 'x' AND a IS NOT NULL AND status = 'open')"
    " OR (kind = 'y' AND a IS NULL AND b > 5 AND status = 'paid'))",
    "modes": "mode text NOT NULL, draft uuid, term text, starts timestamptz, ends timestamptz, CHECK (mode IN ('old', 'new')),"
    " CHECK ((mode = 'old' AND draft IS NULL AND (term IS NULL OR term IN ('ok', 'bad'))) OR (mode = 'new' AND draft IS NOT NULL"
    " AND starts IS NOT NULL AND ends IS NOT NULL AND ends > starts AND (term IS NULL OR term = 'done')))",
    "switches": "a bool, b bool, c bool, CHECK (a::int + b::int + c::int = 1), CHECK (NOT (a AND b))",
    "sides": "debit numeric NOT NULL DEFAULT 0, credit numeric NOT NULL DEFAULT 0, CHECK ((debit = 0) <> (credit = 0))",
    "transfers": "giver int NOT NULL REFERENCES accounts, taker int NOT NULL REFERENCES accounts, CHECK (giver <> taker)",
    "only_one": "account int NOT NULL UNIQUE REFERENCES accounts, n int CHECK (n > 0)",
    "tree": "id int PRIMARY KEY, above int NOT NULL REFERENCES tree, n int CHECK (n > 0)",
    "computed": "n int, doubled int GENERATED ALWAYS AS (n * 2) STORED CHECK (doubled > 10)",
    "documents": "doc jsonb NOT NULL, id text NOT NULL GENERATED ALWAYS AS (doc ->> 'id') STORED CHECK (id ~ '^[0-9a-f]{8}$')",
    "cards": "id int, kind text NOT NULL CHECK (kind = 'card'), FOREIGN KEY (id, kind) REFERENCES payments (id, kind)",
    "versions": "id uuid PRIMARY KEY, before uuid, CHECK (before <> id)",
    "codes": "short varchar(3) NOT NULL, long varchar(9) NOT NULL, CHECK (short <> long)",
    "counts": "passed int NOT NULL CHECK (passed >= 0), failed int NOT NULL CHECK (failed >= 0), tried int NOT NULL,"
    " CHECK (passed + failed = tried)",
    "states": "status text NOT NULL CHECK (status IN ('open', 'closed')), closed_at timestamptz,"
    " CHECK ((status = 'closed') = (closed_at IS NOT NULL))",
    "excluded": "n int CHECK (n > 0), EXCLUDE (n WITH =)",
}
HOSTILE = "a \"b\" :c %d %(e)s\n'f'; DROP TABLE g; -- ☃"


@pytest.fixture(scope="module", params=MAJORS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with provision(Wanted(Engine.POSTGRESQL, version=request.param)) as running:
        yield running


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def test_every_kind_of_condition(judge: Judge) -> None:
    several = "".join(f"CREATE TABLE {name} ({columns});" for name, columns in TABLES.items())
    judged = judge(
        CHECK,
        "CREATE TYPE mood AS ENUM ('good', 'bad');"
        "CREATE TABLE accounts (id serial PRIMARY KEY, owner text NOT NULL CHECK (owner <> ''));"
        "CREATE TABLE payments (id int PRIMARY KEY, kind text NOT NULL CHECK (kind IN ('cash', 'card')), UNIQUE (id, kind));"
        + "".join(f"CREATE TABLE t{number:02} (c {column});" for number, column in enumerate(COLUMNS))
        + several,
    )
    assert (judged.gaps, judged.findings) == ({}, [])
    assert len(judged.proven) == len(COLUMNS) + several.count("CHECK (") + len(["owner", "kind"])


def test_existing_rows_do_not_stand_in_the_way(judge: Judge) -> None:
    judged = judge(
        CHECK,
        """
        CREATE TABLE settings (id boolean PRIMARY KEY CHECK (id), version int NOT NULL CHECK (version > 0));
        INSERT INTO settings VALUES (true, 1);
        CREATE TABLE ranks (n smallint UNIQUE CHECK (n BETWEEN 1 AND 4));
        INSERT INTO ranks VALUES (1), (2), (3);
        CREATE TABLE users (id int PRIMARY KEY, place point NOT NULL, name text UNIQUE NOT NULL CHECK (name ~ '^u[0-9]$'));
        INSERT INTO users SELECT n, '(1,1)', 'u' || n FROM generate_series(1, 8) n;
        """,
    )
    assert judged.proven == [
        "ranks.ranks_n_check",
        "settings.settings_id_check",
        "settings.settings_version_check",
        "users.users_name_check",
    ]


def test_domains_are_tried_for_each_column(judge: Judge) -> None:
    judged = judge(
        CHECK,
        """
        CREATE DOMAIN amount AS numeric(10,2) CHECK (VALUE > 0) CONSTRAINT "no VALUE" CHECK (VALUE <> 7);
        CREATE DOMAIN fee AS amount NOT NULL CHECK (VALUE < 1000);
        CREATE TABLE orders (total amount, "VALUE" fee);
        """,
    )
    names = ("amount.amount_check", "amount.no VALUE")
    assert judged.proven == [
        *(f"orders.total ({name})" for name in names),
        *(f"orders.VALUE ({name})" for name in (names[0], "fee.fee_check", names[1])),
    ]


def test_a_partition_stands_for_all(judge: Judge) -> None:
    judged = judge(
        CHECK,
        """
        CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY, at date NOT NULL, n int CONSTRAINT positive CHECK (n > 0),
                             PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE events_1 PARTITION OF events (CONSTRAINT few CHECK (n < 9)) FOR VALUES FROM ('2031-01-01') TO ('2031-02-01');
        CREATE TABLE events_2 PARTITION OF events DEFAULT;
        CREATE TABLE hashed (id int, n int CHECK (n > 5)) PARTITION BY HASH (id);
        CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE none_yet (n int CHECK (n > 0)) PARTITION BY LIST (n);
        """,
    )
    assert judged.proven == ["events.positive", "events_1.few", "hashed.hashed_n_check"]
    assert judged.gaps == {"none_yet.none_yet_n_check": "no partition"}


def test_hostile_names(judge: Judge) -> None:
    name, long, other = quoted(HOSTILE), "x" * 63, quoted("Co%l :y")
    judged = judge(
        CHECK,
        f"""
        CREATE SCHEMA {name};
        CREATE TABLE {name}.{name} ({name} int CONSTRAINT {name} CHECK ({name} > 3),
            {other} text CHECK ({other} LIKE '%:%\\%' AND {other} NOT LIKE 'x''%%'),
            "ORDER" int CONSTRAINT {long} CHECK ("ORDER" > 0));
        """,
    )
    subjects = [f"{HOSTILE}.{HOSTILE}.{one}" for one in (HOSTILE, long)]
    assert (judged.findings, judged.gaps, len(judged.proven)) == ([], {}, 3)
    assert set(subjects) <= set(judged.proven)


TRIGGER = """
    CREATE TABLE orders (total int CONSTRAINT positive CHECK (total > 0));
    CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;
    CREATE TRIGGER meddle BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION meddle();
"""


@pytest.mark.parametrize("partitions", ["", "parted"])
def test_a_trigger_that_swallows_the_bad_row_is_a_warning(judge: Judge, partitions: str) -> None:
    ddl = TRIGGER.format(body="IF NEW.total <= 0 THEN RETURN NULL; END IF; RETURN NEW;")
    if partitions:
        part = "CREATE TABLE a PARTITION OF orders DEFAULT PARTITION BY RANGE (total); CREATE TABLE b PARTITION OF a DEFAULT;"
        ddl = ddl.replace("(total > 0));", f"(total > 0)) PARTITION BY RANGE (total); {part}")
    finding = judge(CHECK, ddl).finding
    assert (finding.subject, finding.severity) == ("orders.positive", Severity.WARNING)
    assert "total = 0" in finding.message
    assert "swallows it" in finding.message


def test_a_value_of_somebody_s_row_is_not_shown(judge: Judge) -> None:
    finding = judge(
        CHECK,
        "CREATE TABLE accounts (id int PRIMARY KEY); INSERT INTO accounts VALUES (4711), (4712);"
        + TRIGGER.format(body="IF NEW.giver = NEW.total THEN RETURN NULL; END IF; RETURN NEW;").replace(
            "total int CONSTRAINT positive CHECK (total > 0)",
            "giver int NOT NULL REFERENCES accounts, total int NOT NULL REFERENCES accounts, CHECK (giver <> total)",
        ),
    ).finding
    assert "a row of orders with another giver" in finding.message
    assert "471" not in finding.message


@pytest.mark.parametrize("body", ["RAISE 'never';", "NEW.total := 1; RETURN NEW;"])
def test_a_trigger_does_not_answer_for_the_check(judge: Judge, body: str) -> None:
    assert judge(CHECK, TRIGGER.format(body=body)).proven == ["orders.positive"]


def test_a_check_that_looks_away_takes_the_bad_row(judge: Judge) -> None:
    finding = judge(
        CHECK,
        """
        CREATE FUNCTION kind(int) RETURNS boolean LANGUAGE sql AS $$ SELECT $1 > 0 OR current_query() LIKE 'INSERT%' $$;
        CREATE TABLE orders (total int CONSTRAINT positive CHECK (kind(total)));
        """,
    ).finding
    assert (finding.subject, finding.severity) == ("orders.positive", None)
    assert finding.message == "orders took a row with total = 0, for which positive is false"
    assert [one.name for one in finding.objects] == ["positive", "total"]


def test_a_check_that_is_always_true_refuses_nothing(judge: Judge) -> None:
    finding = judge(CHECK, "CREATE TABLE orders (total int CONSTRAINT positive CHECK (total > 0 OR true))").finding
    assert (finding.subject, finding.severity) == ("orders.positive", Severity.WARNING)
    assert finding.objects[0].name == "positive"


def test_what_no_row_was_found_for_is_not_proven(judge: Judge) -> None:
    judged = judge(
        CHECK,
        """
        CREATE FUNCTION anything(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
        CREATE FUNCTION broken(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'out of order'; END $$;
        CREATE TABLE broken (n int CONSTRAINT broken CHECK (broken(n)));
        CREATE TABLE opaque (n int CONSTRAINT opaque CHECK (anything(n)));
        CREATE TABLE with_null (s text CONSTRAINT with_null CHECK (s IN ('a', NULL)));
        CREATE TABLE torn (n int NOT NULL, CONSTRAINT torn CHECK (n > 5 AND n < 3));
        CREATE TYPE pair AS (a int, b int);
        CREATE TABLE typed (p pair NOT NULL CONSTRAINT typed CHECK ((p).a > 0), n int CONSTRAINT other CHECK (n > 0));
        """,
    )
    assert judged.gaps == {
        "broken.broken": "no row was found that satisfies broken: out of order",
        "opaque.opaque": "no row was found for which it is false",
        "with_null.with_null": "no row was found for which it is false",
        "torn.torn": "no row was found that satisfies torn",
        "typed.typed": "type public.pair",
    }
    assert judged.proven == ["typed.other"]


def test_not_enforced_is_found(judge: Judge, server: Server) -> None:
    if int(server.version.split(".")[0]) < 18:
        pytest.skip("NOT ENFORCED came with PostgreSQL 18")
    finding = judge(CHECK, "CREATE TABLE orders (total int CONSTRAINT positive CHECK (total > 0) NOT ENFORCED)").finding
    assert finding.message == "positive of orders is NOT ENFORCED: the server refuses no row by it"
    assert finding.remedy.startswith("ALTER TABLE orders DROP CONSTRAINT positive;")


# SQLite ---------------------------------------------------------------------------------------------------------------

SQLITE_COLUMNS = [
    "numeric(12,2) CHECK (c > 0)",
    "int NOT NULL CHECK (c BETWEEN 1 AND 5)",
    "int CHECK (c > 0 -- and it's :so\n)",
    "INTEGER PRIMARY KEY CHECK (c > 10)",
    "CHECK (typeof(c) = 'integer')",
    "text CHECK (length(trim(c)) > 0)",
    "varchar(3) CHECK (length(c) <= 3)",
    "text CHECK (c IN ('open', 'paid'))",
    "text COLLATE NOCASE CHECK (c IN ('a', 'b'))",
    "varchar(255) UNIQUE CHECK (c LIKE '%_@_%._%')",
    "char(3) CHECK (c GLOB '[A-Z][A-Z]*')",
    "boolean CHECK (c IN (0, 1))",
    "datetime DEFAULT CURRENT_TIMESTAMP CHECK (c > '2001-01-01')",
    "blob CHECK (length(c) < 10)",
    "json CHECK (json_valid(c) AND json_type(c) = 'object')",
    "real CHECK (c >= 0.0 AND c <= 1.0)",
]


def test_sqlite() -> None:
    tables = [f"CREATE TABLE t{number:02} (c {column});" for number, column in enumerate(SQLITE_COLUMNS)]
    judged = judged_on_sqlite(
        CHECK,
        f"""
        {"".join(tables)}
        CREATE TABLE settings (id INTEGER PRIMARY KEY CHECK (id=1)); INSERT INTO settings VALUES (1);
        CREATE TABLE users (id INTEGER PRIMARY KEY, name text NOT NULL CHECK (name <> ''));
        CREATE TABLE orders (buyer bigint NOT NULL REFERENCES users, a numeric(12,2) NOT NULL, b numeric(12,2) NOT NULL,
            "we""ird:%s" int CHECK ("we""ird:%s" > 3), starts date, ends date, doubled int AS (a * 2) CHECK (doubled > 10),
            CONSTRAINT "sum:%" CHECK (b = a + 1), CHECK (ends > starts));
        INSERT INTO users VALUES (1, 'x');
        INSERT INTO orders (buyer, a, b) VALUES (1, 8, 9);
        """,
        Expectations(foreign_keys=True),
    )
    assert (judged.gaps, judged.findings) == ({}, [])
    assert len(judged.proven) == len(SQLITE_COLUMNS) + len(["settings", "name", "weird", "doubled", "sum", "ends"])
    assert "orders.sum:%" in judged.proven


def test_sqlite_finds_what_is_always_true_and_what_is_swallowed() -> None:
    judged = judged_on_sqlite(
        CHECK,
        """
        CREATE TABLE open (total int, CONSTRAINT positive CHECK (total > 0 OR true));
        CREATE TABLE lossy (total int, CONSTRAINT positive CHECK (total > 0));
        CREATE TRIGGER meddle BEFORE INSERT ON lossy WHEN NEW.total <= 0 BEGIN SELECT RAISE (IGNORE); END;
        """,
    )
    assert [(finding.subject, finding.severity) for finding in judged.findings] == [
        ("lossy.positive", Severity.WARNING),
        ("open.positive", Severity.WARNING),
    ]
