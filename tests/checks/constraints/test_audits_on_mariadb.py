"""What is declared of rows, on MariaDB: audits, duplicates, parents of all kinds, and keys of another database."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from mariadb_judging import JudgeMariadb
from mariadb_judging import target as mariadb_target
from sqlite_judging import target as sqlite_target

from checks.declared.across import parse_cross_reference
from checks.declared.candidates import parse_candidate
from checks.declared.expectations import Expectations
from checks.declared.references import ExpectedReference, PolymorphicReference, parse_any_reference
from checks.interface import Engine
from runner.across.gathering import Across, Revision
from runner.across.keys import Keys
from runner.servers.mariadb.server import MariadbServer

SHOP = """
    CREATE TABLE users (id int PRIMARY KEY, email varchar(9), deleted_at varchar(9));
    CREATE TABLE photos (id varchar(9) CHARACTER SET latin1 PRIMARY KEY);
    CREATE TABLE orders (id int PRIMARY KEY, user_id bigint, total int, `na``me %` varchar(9),
        CONSTRAINT small CHECK (total < 9));
    CREATE TABLE marks (kind varchar(9), of varchar(9));
    INSERT INTO users VALUES (1, 'a', NULL), (2, 'A', 'May'), (3, NULL, NULL), (4, NULL, NULL);
    INSERT INTO photos VALUES ('x');
    SET check_constraint_checks = 0;
    INSERT INTO orders VALUES (10, 1, 9, 'x'), (11, 2, -1, NULL), (12, NULL, NULL, 'x'), (13, 3, 0, NULL);
    INSERT INTO marks VALUES ('User', '1'), ('User', '7'), ('Photo', 'x'), ('Photo', 'X'), ('Page', '1');
    INSERT INTO marks VALUES (NULL, NULL), (NULL, NULL);
"""
AUDIT = {
    "orders: check (total > 0)": (2, ("id=11", "id=13")),
    "orders.user_id: not null": (1, ("id=12",)),
    "users: unique (email)": (2, ("email=a (2)",)),
    "orders: unique (`na``me %`)": (2, ("`na``me %`=x (2)",)),
    "orders.user_id -> users.id": None,
}


def expecting(*references: str) -> Expectations:
    read = [parse_any_reference(line, "") for line in references]
    return Expectations(
        references=tuple(one for one in read if isinstance(one, ExpectedReference)),
        polymorphic=tuple(one for one in read if isinstance(one, PolymorphicReference)),
        audit=tuple(parse_candidate(line, "") for line in AUDIT),
    )


def test_rows_are_counted_as_they_are_on_other_engines(judge_mariadb: JudgeMariadb) -> None:
    lines = (
        "orders.user_id -> users.id where users.deleted_at is null",
        "marks.(kind, of) -> {User: users.id, Photo: photos.id}",
    )
    checks = ("constraint-violation", "duplicate-rows", "soft-deleted-parent", "polymorphic-reference")
    said = judge_mariadb(SHOP, *checks, expect=expecting(*lines))
    audited = {found.subject: (found.count, found.values) for found in said["constraint-violation"].findings}
    assert audited == {"orders.small": (1, ("id=10",)), **{line: found for line, found in AUDIT.items() if found}}
    assert said["constraint-violation"].proven == ["orders.user_id -> users.id"]
    assert {found.subject: found.count for found in said["duplicate-rows"].findings} == {"marks": 2}
    assert said["soft-deleted-parent"].finding.values == ("id=11, user_id=2",)
    assert {found.subject: found.count for found in said["polymorphic-reference"].findings} == {
        "marks.(kind, of)": 1,
        "marks.(kind, of) -> User: users.id": 1,
    }
    assert judge_mariadb(SHOP, "undeclared-reference")["undeclared-reference"].finding.subject == "orders.user_id"


def test_keys_of_another_database(mariadb_server: MariadbServer, tmp_path: Path) -> None:
    engines = {"shop": Engine.MARIADB, "till": Engine.SQLITE}
    references = [
        parse_cross_reference(line, engines) for line in ("till:sales.user -> shop:users.id", "shop:orders.id -> till:sales.id")
    ]
    sales = "CREATE TABLE sales (id INTEGER, user TEXT); INSERT INTO sales VALUES (10, '1'), (11, '9'), (12, NULL), (13, '3');"
    with (
        mariadb_target(mariadb_server, SHOP) as shop,
        sqlite_target(sales) as till,
        closing(Keys(tmp_path / "keys")) as file,
    ):
        across = Across(references, file)
        across.see("shop", Revision.HEAD, shop)
        across.see("till", Revision.HEAD, till)
        found = [across.compared(reference, Revision.HEAD) for reference in references]
    assert [(one.keys, one.missing, list(one.sample)) for one in found] == [(3, 1, [("9", 1)]), (4, 0, [])]
