"""insert-probe: a table that takes a row which keeps every rule is proven, and one that no row gets into is found."""

from __future__ import annotations

import pytest
from judging import Judge, Query
from mariadb_judging import JudgeMariadb
from sqlite_judging import judged as judged_on_sqlite

from checks.declared.expectations import Expectations

CHECK = "insert-probe"

#: Each table can take a row, and each asks for something else.
GOOD = """
    CREATE TYPE mood AS ENUM ('fine', 'bad');
    CREATE TABLE plain (id integer);
    CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        email varchar(40) NOT NULL UNIQUE CHECK (email LIKE '%_@_%'),
        mood mood, invited_by bigint REFERENCES users CHECK (invited_by <> id));
    CREATE TABLE orders (id serial PRIMARY KEY, buyer_id bigint REFERENCES users, number text, subtotal numeric(9, 2) NOT NULL,
        tax numeric(9, 2) NOT NULL, total numeric(9, 2) NOT NULL CHECK (total = subtotal + tax AND total > 0),
        UNIQUE (buyer_id, number));
    CREATE TABLE circle (id integer PRIMARY KEY, other integer);
    CREATE TABLE back (id integer PRIMARY KEY, circle_id integer NOT NULL REFERENCES circle);
    ALTER TABLE circle ADD FOREIGN KEY (other) REFERENCES back;
    CREATE TABLE either (id serial PRIMARY KEY, buyer_id bigint REFERENCES users, order_id integer REFERENCES orders,
        CHECK (num_nonnulls(buyer_id, order_id) = 1));
    CREATE TABLE events (id integer, at date NOT NULL, user_id bigint REFERENCES users, PRIMARY KEY (id, at))
        PARTITION BY RANGE (at);
    CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE bookings (id serial PRIMARY KEY, during int4range, EXCLUDE USING gist (during WITH &&));
    CREATE TABLE subs (id serial PRIMARY KEY, email text, gone date,
        state text NOT NULL CHECK (state IN ('old', 'active', 'odd')));
    CREATE UNIQUE INDEX one_active ON subs (lower(email)) WHERE state = 'active' AND gone IS NULL;
    CREATE UNIQUE INDEX one_odd ON subs (email) WHERE state = 'odd';
    CREATE TABLE "odd "" name %s" ("a;b" integer NOT NULL CHECK ("a;b" BETWEEN 3 AND 4));
    CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN NEW.number := coalesce(NEW.number, ''x''); RETURN NEW; END';
    CREATE TRIGGER stamp BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION stamp();
"""
TABLES = {"plain", "users", "orders", "circle", "back", "either", "events", "bookings", "subs", 'odd " name %s'}

BROKEN = """
    CREATE TABLE orders (id serial PRIMARY KEY, customer_name text);
    CREATE TABLE items (id serial PRIMARY KEY, order_id integer NOT NULL REFERENCES orders);
    CREATE TABLE log (line text);
    CREATE FUNCTION log_order() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO log VALUES (NEW.customer_name); RETURN NEW; END';
    CREATE TRIGGER log_order AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION log_order();
"""


def test_a_table_takes_a_row_that_keeps_every_rule(judge: Judge) -> None:
    said = judge(CHECK, GOOD)
    assert (said.findings, said.gaps) == ([], {})
    assert set(said.proven) == TABLES


ONLY_WITHOUT = {
    "CREATE TABLE t (id serial, during int4range, EXCLUDE USING gist (during WITH &&));": "during IS NOT NULL",
    "CREATE TABLE t (id serial, a text, b text DEFAULT 'y'); CREATE UNIQUE INDEX one ON t (a) WHERE b = 'x';": "NEW.b = 'x'",
    "CREATE TABLE t (id serial, a text); CREATE UNIQUE INDEX one ON t (lower(a));": "a IS NOT NULL",
}


@pytest.mark.parametrize("ddl", ONLY_WITHOUT)
def test_a_rule_that_only_rows_beyond_it_get_past_is_not_proven(judge: Judge, ddl: str) -> None:
    """A trigger lets rows in that the rule does not speak of, and no other: a row without a value would have been taken."""
    condition = ONLY_WITHOUT[ddl].replace("during", "NEW.during").replace("a IS", "NEW.a IS")
    said = judge(
        CHECK,
        f"""{ddl} CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN IF {condition} THEN RAISE 'never'; END IF; RETURN NEW; END $$;
            CREATE TRIGGER never BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION never()""",
    )
    assert (said.findings, said.proven) == ([], [])
    assert "it takes a row, but none that keeps every rule" in said.gaps["t"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("ALTER TABLE orders RENAME COLUMN customer_name TO buyer_name", "42703"),
        ("DROP TABLE log", "42P01"),
        (
            "CREATE OR REPLACE FUNCTION log_order() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN INSERT INTO log (gone) VALUES (1); RETURN NEW; END'",
            "42703",
        ),
        (
            "CREATE OR REPLACE FUNCTION log_order() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM gone(1); RETURN NEW; END'",
            "42883",
        ),
    ],
)
def test_a_trigger_that_names_what_is_gone_is_found(judge: Judge, change: str, code: str) -> None:
    said = judge(CHECK, f"{BROKEN}; {change}")
    assert said.finding.subject == "orders"
    assert said.finding.code == code
    assert "a trigger (log_order) names something that is not there" in said.finding.message
    assert [(one.relation, one.name) for one in said.finding.objects] == [("orders", "log_order"), ("orders", "")]
    assert said.gaps == {"items": f"a row of orders has to be there, and {code} {said.finding.said}"}


def test_a_parent_that_is_there_already_is_enough(judge: Judge) -> None:
    said = judge(CHECK, f"{BROKEN}; INSERT INTO orders (customer_name) VALUES ('x'); DROP TABLE log")
    assert said.finding.subject == "orders"
    assert said.proven == ["items"]


def test_the_database_is_as_it_was(judge: Judge, query: Query) -> None:
    judge(CHECK, GOOD)
    assert query("SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM orders)") == [(0,)]


GAPS = {
    "CREATE TABLE t (id integer PRIMARY KEY, c integer NOT NULL CHECK (c > 5), CHECK (c < 3))": "no row was found that satisfies",
    "CREATE TABLE t (id integer); CREATE RULE away AS ON INSERT TO t DO INSTEAD NOTHING": "it vanished without an error",
    """CREATE TABLE t (id integer);
       CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''not today''; END';
       CREATE TRIGGER never BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION never()""": "P0001 not today",
    """CREATE TABLE t (id integer);
       CREATE FUNCTION who() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM current_setting(''app.who''); RETURN NEW; END';
       CREATE TRIGGER who BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION who()""": "42704",
    """CREATE TABLE t (id integer); CREATE SCHEMA other; CREATE TABLE other.log (id integer);
       CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO log VALUES (1); RETURN NEW; END';
       CREATE TRIGGER keep BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION keep()""": "42P01",
    """CREATE TABLE t (id integer); CREATE SCHEMA other;
       CREATE FUNCTION other.noted(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1';
       CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM noted(1); RETURN NEW; END';
       CREATE TRIGGER keep BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION keep()""": "42883",
    "CREATE TABLE t (id integer) PARTITION BY LIST (id)": "no partition",
    "CREATE TABLE t (a int UNIQUE, b int UNIQUE, CHECK (a IS NULL))": "none that keeps every rule was found with a value in a",
}


@pytest.mark.parametrize("ddl", GAPS)
def test_what_could_not_be_put_there_is_not_proven(judge: Judge, ddl: str) -> None:
    said = judge(CHECK, ddl)
    assert said.findings == []
    assert GAPS[ddl] in said.gaps["t"]


ON_SQLITE = """
    CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE CHECK (email LIKE '%_@_%'),
        boss INTEGER REFERENCES users);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, buyer_id INTEGER NOT NULL REFERENCES users,
        total REAL NOT NULL CHECK (total > 0));
    CREATE TRIGGER stamp AFTER INSERT ON orders BEGIN UPDATE orders SET total = total WHERE id = NEW.id; END;
"""


def test_sqlite() -> None:
    enforced = Expectations(foreign_keys=True)
    said = judged_on_sqlite(CHECK, ON_SQLITE, enforced)
    assert (set(said.proven), said.findings, said.gaps) == ({"users", "orders"}, [], {})
    broken = judged_on_sqlite(
        CHECK, f"{ON_SQLITE} CREATE TRIGGER log AFTER INSERT ON orders BEGIN INSERT INTO gone VALUES (1); END;", enforced
    )
    assert broken.finding.subject == "orders"
    assert "no such table: main.gone" in broken.finding.said
    assert broken.proven == ["users"]


def test_sqlite_and_a_function_that_only_the_application_has() -> None:
    trigger = "CREATE TRIGGER log AFTER INSERT ON orders BEGIN UPDATE orders SET total = tax_of(total); END;"
    said = judged_on_sqlite(CHECK, f"{ON_SQLITE} {trigger}", Expectations(foreign_keys=True))
    assert said.findings == []
    assert "no such function: tax_of" in said.gaps["orders"]


ON_MARIADB = """
    CREATE TABLE users (id INT PRIMARY KEY AUTO_INCREMENT, email VARCHAR(40) NOT NULL UNIQUE CHECK (email LIKE '%_@_%'),
        mood ENUM ('fine', 'bad'), boss INT, FOREIGN KEY (boss) REFERENCES users (id));
    CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, buyer_id INT NOT NULL, total INT NOT NULL CHECK (total > 0),
        FOREIGN KEY (buyer_id) REFERENCES users (id));
"""


def test_mariadb(judge_mariadb: JudgeMariadb) -> None:
    said = judge_mariadb(ON_MARIADB, CHECK)[CHECK]
    assert (set(said.proven), said.findings, said.gaps) == ({"users", "orders"}, [], {})


def test_mariadb_and_a_trigger_that_names_what_is_gone(judge_mariadb: JudgeMariadb) -> None:
    broken = f"{ON_MARIADB} CREATE TRIGGER log AFTER INSERT ON orders FOR EACH ROW INSERT INTO gone VALUES (1)"
    said = judge_mariadb(broken, CHECK)[CHECK]
    assert said.finding.subject == "orders"
    assert said.finding.code == "1146"
    assert said.proven == ["users"]


def test_mariadb_and_a_table_that_undoes_nothing(judge_mariadb: JudgeMariadb) -> None:
    said = judge_mariadb(
        "CREATE TABLE old (id INT PRIMARY KEY, total INT CHECK (total > 0)) ENGINE = MyISAM;", CHECK, "check-probe"
    )
    assert said[CHECK].gaps == {"old": "old is kept by MyISAM, which undoes nothing"}
    assert said["check-probe"].findings == []


def test_mariadb_and_a_definer_who_is_not_here(judge_mariadb: JudgeMariadb) -> None:
    """Dumps name who made a trigger, and a server of our own does not have that account."""
    trigger = "CREATE DEFINER = 'shop_admin'@'%' TRIGGER log AFTER INSERT ON orders FOR EACH ROW SET @last = NEW.id"
    said = judge_mariadb(f"{ON_MARIADB} {trigger}", CHECK)[CHECK]
    assert said.findings == []
    assert "1449" in said.gaps["orders"]
