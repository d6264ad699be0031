"""Flyway's files: versions, repeatable files, baselines, placeholders, transactions, validation, books."""

from __future__ import annotations

from pathlib import Path

import pytest
from sql_tools import applied, project, rows, there_and_back, write

from checks.evidence import Place
from checks.targets import Role
from runner.errors import ToolFailed, UsageError
from runner.migrations import flyway as adapter
from runner.migrations.interface import Broke, Direction, Step
from runner.servers.interface import Database

CONF = "flyway.locations=filesystem:sql\nflyway.placeholders.Prefix=shop\n# flyway.target=1\n"
FILES = {
    "flyway.conf": CONF,
    "sql/V1__users.sql": "create table ${prefix}_users (id bigint primary key, email text); -- ${prefix}\n"
    "insert into shop_users values (1, 'a;b');\n",
    "sql/V1.10__ten.sql": "select set_config('search_path','',false); create table public.t10 ();\n",
    "sql/sub/V1_9__nine.sql": "create table t9 ();\n",
    "sql/V2__conc.sql": "create index concurrently i on shop_users (email);\n",
    "sql/R__aa_view.sql": "create or replace view aa as select id from ${prefix}_users;\n",
    "sql/U1__users.sql": "drop table shop_users;",
}


def test_versions_then_repeatable_ones_with_flyways_own_checksums(tmp_path: Path, database: Database) -> None:
    """The checksums are those that Flyway 11 wrote for these files."""
    write(tmp_path, FILES)
    here = project(adapter, tmp_path)
    names = ["V1__users", "V1_9__nine", "V1.10__ten", "V2__conc", "R__aa_view c2530fe9"]
    assert [(one.id, one.repeatable) for one in adapter.revisions(here)] == [(name, "R_" in name) for name in names]
    assert applied(adapter, here, database) == (names, None)
    assert rows(database, "select version, description, script, checksum from flyway_schema_history order by 1") == [
        ("1", "users", "V1__users.sql", -1645794510),
        ("1.10", "ten", "V1.10__ten.sql", 1424720443),
        ("1.9", "nine", "sub/V1_9__nine.sql", 678035871),
        ("2", "conc", "V2__conc.sql", 252845656),
        (None, "aa view", "R__aa_view.sql", -1034743831),
    ]
    assert applied(adapter, here, database) == ([], None)
    write(tmp_path, {"sql/R__aa_view.sql": "create or replace view aa as select id from shop_users where true;"})
    assert [name.split()[0] for name in applied(adapter, here, database)[0]] == ["R__aa_view"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"sql/V1__users.sql": "select 1"}, "Flyway: migration checksum mismatch for migration version 1"),
        ({"sql/V1.5__late.sql": "select 1"}, "Flyway: detected resolved migration not applied to database: 1.5"),
        ({"sql/V2.0__twice.sql": ""}, "Flyway: found more than one migration with version 2.0: sql/V2__conc.sql"),
    ],
)
def test_what_validation_refuses(files: dict[str, str], said: str, tmp_path: Path, database: Database) -> None:
    write(tmp_path, FILES)
    here = project(adapter, tmp_path)
    applied(adapter, here, database)
    write(tmp_path, files)
    done, broke = applied(adapter, here, database)
    assert (done, broke and broke.said) == ([], said)


def test_a_file_is_one_transaction_and_its_own_settings_are_heeded(tmp_path: Path, database: Database) -> None:
    both = "create table a (id int);\ncreate index concurrently i on a (id);"
    write(tmp_path, {"db/migration/V1__a.sql": "create table b ();\nselect 1 / 0;"})
    here = project(adapter, tmp_path)
    _, broke = applied(adapter, here, database)
    assert broke is not None
    assert (broke.place, broke.code) == (Place("db/migration/V1__a.sql", 2), "22012")
    assert rows(database, "select to_regclass('b')") == [(None,)]
    write(tmp_path, {"db/migration/V1__a.sql": both})
    _, broke = applied(adapter, here, database)
    assert broke is not None
    assert (broke.place, "mixed is false" in broke.said) == (Place("db/migration/V1__a.sql", 2), True)
    write(tmp_path, {"db/migration/V1__a.sql.conf": "executeInTransaction=false"})
    assert applied(adapter, here, database) == (["V1__a"], None)
    write(tmp_path, {"db/migration/V2__b.sql": "create index concurrently j on a (id);\nselect 1 / 0;"})
    write(tmp_path, {"db/migration/V2__b.sql.conf": "executeInTransaction=false"})
    _, broke = applied(adapter, here, database)
    assert broke is not None
    assert (broke.place, broke.code) == (Place("db/migration/V2__b.sql", 2), "22012")
    assert rows(database, "select version, success from flyway_schema_history order by 1") == [("1", True), ("2", False)]
    _, broke = applied(adapter, here, database)
    assert broke is not None
    assert broke.said == "Flyway: detected failed migration to version 2 (b)"


def test_an_empty_database_begins_at_the_newest_baseline(tmp_path: Path, database: Database) -> None:
    write(tmp_path, {f"sql/{name}__x.sql": f"create table {name} ();" for name in ("V1", "B2", "V2", "V3")})
    here = project(adapter, tmp_path)
    assert applied(adapter, here, database) == (["B2__x", "V3__x"], None)
    assert applied(adapter, here, database) == ([], None)


def test_its_schemas_are_made_and_the_first_holds_the_books(tmp_path: Path, database: Database) -> None:
    write(
        tmp_path, {"flyway.conf": "flyway.schemas=shop, other\n", "sql/V1__a.sql": "create table ${flyway:defaultSchema}.a ();"}
    )
    assert applied(adapter, project(adapter, tmp_path), database) == (["V1__a"], None)
    rank = "select installed_rank, description, script from shop.flyway_schema_history order by 1"
    assert rows(database, rank) == [(0, "<< Flyway Schema Creation >>", '"shop","other"'), (1, "a", "V1__a.sql")]
    assert rows(database, "select to_regclass('shop.a') is null, to_regnamespace('other') is null") == [(False, False)]


def test_placeholders_without_a_value_and_what_only_flyway_can_run(tmp_path: Path) -> None:
    write(
        tmp_path, {"flyway.toml": '[flyway]\nlocations = ["filesystem:sql"]\n', "sql/V1__a.sql": "select 1;\nselect '${Word}';"}
    )
    with pytest.raises(UsageError) as wrong:
        adapter.revisions(project(adapter, tmp_path))
    assert wrong.value.message == "sql/V1__a.sql:2: no value provided for Flyway's placeholder ${Word}"
    assert wrong.value.remedy == 'Give it in migrations.env: { FLYWAY_PLACEHOLDERS_WORD = "…" }.'
    assert adapter.revisions(project(adapter, tmp_path, env={"FLYWAY_PLACEHOLDERS_WORD": "x"}))
    write(tmp_path, {"sql/beforeMigrate.sql": "select 1"})
    with pytest.raises(ToolFailed, match=r"sql/beforeMigrate\.sql: a callback, or a migration that is not in SQL"):
        adapter.revisions(project(adapter, tmp_path, env={"FLYWAY_PLACEHOLDERS_WORD": "x"}))
    write(tmp_path, {"flyway.toml": "[flyway]\ntarget = 3\n"})
    with pytest.raises(ToolFailed, match=r"flyway\.toml: flyway\.target = '3' is not understood here"):
        adapter.revisions(project(adapter, tmp_path))


BACK = {
    "flyway.conf": "flyway.locations=filesystem:sql\n",
    "sql/V1__a.sql": "create table a (id int);",
    "sql/U1__no_a.sql": "-- what ${flyway:filename} undoes\n\ndrop table a;",
    "sql/V2__b.sql": "create index concurrently b on a (id);",
    "sql/U2.0__b.sql": "drop index concurrently b;",
    "sql/V3__c.sql": "create table c (id int);",
    "sql/R__v.sql": "create or replace view v as select 1 as one;",
}


def test_versions_go_back_by_their_u_files(tmp_path: Path, database: Database) -> None:
    write(tmp_path, BACK)
    here = project(adapter, tmp_path)
    names = [one.id for one in adapter.revisions(here)]
    seen = there_and_back(adapter, here, database, *names)
    made = [{name for (name, *rest) in one[:-1] if not rest and not name.startswith("flyway")} for one in seen]
    assert made == [{"a"}, set(), {"a"}, {"a", "b"}, {"a"}, {"a", "b"}, *[{"a", "b", "c"}] * 7]
    assert [one[-1] for one in seen[1::3]] == [
        ("sql/U1__no_a.sql:1", ""),
        ("sql/U2.0__b.sql:1", ""),
        ("sql/V3__c.sql:1", "there is no U3__*.sql"),
        ("sql/R__v.sql:1", "Flyway undoes no repeatable migration"),
    ]
    books = rows(database, "select version, type, script from flyway_schema_history order by installed_rank")
    assert books == [
        ("1", "SQL", "V1__a.sql"),
        ("1", "UNDO_SQL", "U1__no_a.sql"),
        ("1", "SQL", "V1__a.sql"),
        ("2", "SQL", "V2__b.sql"),
        ("2.0", "UNDO_SQL", "U2.0__b.sql"),
        ("2", "SQL", "V2__b.sql"),
        ("3", "SQL", "V3__c.sql"),
        (None, "SQL", "R__v.sql"),
    ]
    assert applied(adapter, here, database) == ([], None)


def test_a_project_without_u_files_has_no_way_back(tmp_path: Path) -> None:
    write(tmp_path, {name: text for name, text in BACK.items() if "/U" not in name})
    assert not adapter.reversible(project(adapter, tmp_path))


def test_a_u_file_of_another_prefix_and_one_without_a_statement(tmp_path: Path, database: Database) -> None:
    conf = "flyway.locations=filesystem:sql\nflyway.undoSqlMigrationPrefix=down\n"
    write(tmp_path, {"flyway.conf": conf, "sql/V1__a.sql": "create table a (id int);", "sql/down1__a.sql": "-- nothing\n"})
    here = project(adapter, tmp_path)
    seen = there_and_back(adapter, here, database, "V1__a")
    assert seen[1][-1] == ("sql/down1__a.sql:1", "down1__a.sql has no statement")


def test_two_u_files_of_one_version_are_refused(tmp_path: Path, database: Database) -> None:
    write(tmp_path, {**BACK, "sql/U1.0__again.sql": "drop table a;"})
    steps = [Step(Direction.UP, "V1__a"), Step(Direction.DOWN, "V1__a")]
    *_, broke = adapter.rehearse(project(adapter, tmp_path), database.addresses[Role.OWNER], steps)
    assert isinstance(broke, Broke)
    assert broke.said == "Flyway: found more than one undo migration with version 1: U1__no_a.sql"
