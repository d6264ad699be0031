"""What new migrations do to base's rows, in a run: at its line, on the repository's own rows and on made ones."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from proving import SQL, Ran, dbproof, project
from repositories import repository

OFF = {"DBPROOF_SELFTEST": "off"}
#: What other passes take is theirs to prove.
OTHERS = """
[severity]
lock-queue = "off"
down-restores = "off"
"""
IDS = ("changed-values", "lost-rows", "dropped-with-values")


def run(
    root: Path, base: dict[str, str], new: str, settings: str, more: dict[str, str] | None = None, *, others: bool = False
) -> Ran:
    """A run in which ``migrations/002_new.sql`` is new; with ``others`` under traffic too."""
    off = OTHERS if others else f'{OTHERS}blocking-migration = "off"\n'
    repo = repository(project(root, base, f"{settings}{off}"), {})
    repo.branch("change")
    repo.commit({"migrations/002_new.sql": dedent(new).lstrip(), **(more or {})})
    return dbproof("run", root=repo.root, more=OFF)


def said(ran: Ran) -> dict[tuple[str, str], tuple[str, int | None, int | None]]:
    """By check and subject: the severity, the line of the new migration and the exact count."""
    found: dict[tuple[str, str], tuple[str, int | None, int | None]] = {}
    for check in IDS:
        for one in ran.findings(check):
            place: dict[str, Any] = one["provenance"] or {}
            assert place.get("file") == "migrations/002_new.sql"
            assert one["state"] == ("allowed" if one["allowed"] else "new")
            found[check, one["subject"]] = (one["severity"], place["line"], one["evidence"]["count"])
    return found


FIRST = """\
create table customers (id int primary key, name text not null, legacy text);
create table orders (id int primary key, customer_id int references customers on delete cascade, total numeric(12,4),
    state text, old_note text);
create table sessions (id int primary key);
"""
SEEDS = """\
insert into customers select n, 'customer ' || n, 'L' || n from generate_series(1, 10) n;
insert into orders select n, 1 + n % 10, n / 8.0, 'new', 'note ' || n from generate_series(1, 40) n;
insert into sessions values (1), (2);
"""
LOADED = f'{SQL}[databases.app.data]\nload = ["seeds.sql"]\n'
NEW = """
    alter table orders rename column old_note to note;
    alter table orders alter column total type numeric(12,2);
    update orders set state = 'open' where id <= 12;
    alter table customers drop column legacy;  -- dbproof: allow dropped-with-values, nobody has read it since 2.4
    do $$ begin delete from customers where id > 8; end $$;
    drop table sessions;
    alter table customers add column email text not null default '';
"""


def test_what_became_of_the_repositorys_own_rows_is_said_at_its_line(tmp_path: Path) -> None:
    """Of base's rows, though the change brings others: head is built on those then."""
    other = {"seeds.sql": "insert into customers values (1, 'the only one');\n"}
    ran = run(tmp_path / "repo", {"migrations/001_first.sql": FIRST, "seeds.sql": SEEDS}, NEW, LOADED, other)
    assert said(ran) == {
        ("changed-values", "orders.total"): ("error", 2, 16),
        ("changed-values", "orders.state"): ("notice", 3, 10),
        ("dropped-with-values", "customers.legacy"): ("warning", 4, 10),
        ("lost-rows", "customers"): ("warning", 5, 2),
        ("lost-rows", "orders"): ("notice", 5, 8),
        ("dropped-with-values", "sessions"): ("warning", 6, 2),
    }
    assert (ran.code, ran.failing) == (1, [("changed-values", "orders.total")]), ran.said
    allowed = next(one for one in ran.findings("dropped-with-values") if one["subject"] == "customers.legacy")["allowed"]
    assert allowed["reason"] == "nobody has read it since 2.4"
    assert "✓ survive" in ran.said
    assert "52 rows in 3 tables followed" in ran.said


def test_made_rows_show_it_as_well_and_production_is_asked(tmp_path: Path) -> None:
    """A table that a migration emptied is filled again for the checks, which hides nothing."""
    new = """
        alter table orders alter column total type numeric(12,0);
        truncate sessions;
        alter table customers drop column legacy;
    """
    ran = run(tmp_path / "repo", {"migrations/001_first.sql": FIRST}, new, f"{SQL}[databases.app.data]\nrows = 60\n")
    found = said(ran)
    assert (ran.code, ran.failing) == (0, []), ran.said
    severity, line, count = found.pop(("changed-values", "orders.total"))
    assert (severity, line) == ("warning", 1)
    assert count in range(1, 61)
    assert set(found) == {("lost-rows", "sessions"), ("dropped-with-values", "customers.legacy")}
    assert found["lost-rows", "sessions"] == ("warning", 2, 60)
    (changed,) = ran.findings("changed-values")
    query = "SELECT count(*) FROM public.orders AS orders WHERE total <> total::numeric(12,0)::numeric(12,4)"
    assert changed["remedy"].startswith(f"Ask production, where this must give 0: {query}; ")
    assert ran.database["made_rows"]["rows"] >= 60 * 3


FAILING = """
    alter table products alter column code type int using code::int;
    alter table products add constraint one_code unique (code);
    alter table products add constraint above check (price > 0 and price < 9999.99);
    alter table products alter column note set not null;
    alter table products alter column price type numeric(6,1);
    delete from products where note is null;
    alter table visits alter column came type date using came::date;
    drop table settings;
"""
PRODUCTS = """\
create table tenants (id int primary key);
create table products (id int primary key, tenant_id int not null references tenants, name text not null,
    code varchar(4) not null, price numeric(6,2) not null, note text, unique (tenant_id, name));
create index on products (tenant_id);
create table visits (id int primary key, came text);
create table settings (name text primary key);
"""
TENANTS = f"""{SQL}[databases.app.data]
rows = 60
load = ["seeds.sql"]
[databases.app.tenancy]
column = "tenant_id"
"""


def test_what_only_fails_on_rows_is_found_on_made_rows(tmp_path: Path) -> None:
    """A type that a value does not fit, UNIQUE over the rows of two tenants, a CHECK over bounds, NULLs.

    What else the migration does is found on milder rows, without those of ``visits``, of which nothing milder is known.
    """
    base = {"migrations/001_first.sql": PRODUCTS, "seeds.sql": "insert into settings values ('colour'), ('size');"}
    ran = run(tmp_path / "repo", base, FAILING, TENANTS, others=True)
    (failed,) = ran.findings("migration-failed")
    assert (failed["severity"], failed["evidence"]["code"], failed["provenance"]["line"]) == ("warning", "22P02", 1)
    broken = {one["subject"]: one["evidence"]["count"] for one in ran.findings("constraint-violation")}
    assert broken.keys() >= {"products.above", "products.one_code", "products.note NOT NULL"}, broken
    assert ran.database["made_rows"]["milder"] == {"rows": 120, "tables": 2, "left_out": ["visits"]}
    found = {subject: (check, severity, count) for (check, subject), (severity, _, count) in said(ran).items()}
    assert found == {
        "products.price": ("changed-values", "warning", 54),
        "settings": ("dropped-with-values", "warning", 2),
    }
    (changed,) = ran.findings("changed-values")
    assert changed["message"].endswith(": 54 rounded, on milder rows that dbproof made"), changed["message"]
    gaps = {(one["subject"], one["reason"]) for one in ran.check("lost-rows")["not_proven"]}
    assert gaps == {("products", "milder rows only"), ("tenants", "milder rows only"), ("visits", "no rows")}
    (blocking,) = ran.findings("blocking-migration")
    assert "60 rows" in blocking["message"], blocking["message"]
    assert "none twice, none awkward; none in visits)" in ran.out


SETTINGS = 'databases.app = { engine = "ENGINE", migrations = { tool = "sql", directory = "migrations" }, data = DATA }\n'


@pytest.mark.parametrize("engine", ["sqlite", "mariadb"])
def test_the_other_engines(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if engine == "mariadb":
        request.getfixturevalue("mariadb")
    first = (
        "create table orders (id int primary key, total decimal(12,4), code varchar(20));create table notes (id int primary key);"
    )
    seeds = "insert into orders values (1, 0.0375, 'a'), (2, 1.5, 'b'), (3, 2, null);insert into notes values (1), (2);"
    new = """
        delete from notes where id = 2;
        alter table orders drop column code;
        alter table orders rename to purchases;
    """
    settings = SETTINGS.replace("ENGINE", engine).replace("DATA", '{ load = ["seeds.sql"] }')
    root = tmp_path / "repo"
    ran = run(root, {"migrations/001_first.sql": first, "seeds.sql": seeds}, new, settings)
    found = said(ran)
    assert {key: (severity, count) for key, (severity, _, count) in found.items()} == {
        ("lost-rows", "notes"): ("warning", 1),
        ("dropped-with-values", "orders.code"): ("warning", 2),
    }
    assert found["dropped-with-values", "orders.code"][1] == 2
    if engine == "sqlite":
        same = dbproof("run", "--base", "HEAD", root=root, more=OFF)
        assert "survive" not in same.said, "nothing is new, and nothing is compared"
        assert {same.check(check)["reason"] for check in IDS} == {"no tables under new migrations"}
