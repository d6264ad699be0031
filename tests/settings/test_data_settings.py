"""``[databases.NAME.data]``: how many rows are made, in which tables, by which expressions; and what is wrong with each key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.settings.data import DataSettings
from runner.settings.initial import text
from runner.settings.load import load

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text("utf-8")


def data(root: Path, lines: str, database: str = "") -> DataSettings:
    (root / "dbproof.toml").write_text(f"[databases.app]\n{database}\n[databases.app.data]\n{lines}\n", "utf-8")
    return load(root, {}, {}).settings.databases["app"].data


def test_the_settings_of_the_page_load(tmp_path: Path) -> None:
    (snippet,) = (text for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if "production_rows" in text)
    (tmp_path / "dbproof.toml").write_text(snippet, "utf-8")
    found = load(tmp_path, {}, {}).settings.databases["shop"].data
    assert (found.rows, found.by_table) == (100, {"orders": 5_000, "audit": 0, "events": 40_000})
    assert (found.seed, set(found.columns)) == (7, {"orders.status", "users.email"})


@pytest.mark.parametrize(
    ("lines", "makes", "by_table"),
    [
        ("", False, {}),
        ("rows = 0", False, {}),
        ("rows = 100_000", True, {}),
        ("tables = { audit = 0 }", False, {"audit": 0}),
        ("tables = { orders = 5000, audit = 0 }", True, {"orders": 5000, "audit": 0}),
        ("scale = 0.1\nproduction_rows = { events = 400, plans = 3, none = 0 }", True, {"events": 40, "plans": 1, "none": 0}),
        ("scale = 1\nproduction_rows = { events = 400 }\ntables = { events = 7 }", True, {"events": 7}),
        ('seed = 3\ncolumns = { "sales.orders.status" = "1 % 2" }', False, {}),
    ],
)
def test_what_is_asked_for(lines: str, makes: bool, by_table: dict[str, int], tmp_path: Path) -> None:
    found = data(tmp_path, lines)
    assert (found.makes_rows, found.by_table) == (makes, by_table)


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("rows = -1", "rows: expected a number of rows from 0 to 100000000"),
        ("rows = 100_000_001", "rows: expected a number of rows from 0 to 100000000"),
        ('rows = "many"', "rows: expected a whole number, found text"),
        ("rows = true", "rows: expected a whole number, found true or false"),
        ("tables = [1]", "tables: expected a table, found a list"),
        ("tables = { orders = -1 }", "tables.orders: expected a number of rows from 0 to 100000000"),
        ('tables = { orders = "5" }', "tables.orders: expected a whole number, found text"),
        ('tables = { "" = 1 }', 'tables."": is empty'),
        ("scale = 0.1", "scale: is a share of 'production_rows', and there are none"),
        ("scale = 0\nproduction_rows = { events = 1 }", "scale: expected a share above 0, such as 0.1"),
        ("scale = inf\nproduction_rows = { events = 1 }", "scale: expected a share above 0, such as 0.1"),
        ("scale = nan\nproduction_rows = { events = 1 }", "scale: expected a share above 0, such as 0.1"),
        ("scale = 0.1\nproduction_rows = { events = -1 }", "production_rows.events: expected a number of rows from 0 on"),
        (
            "scale = 1\nproduction_rows = { events = 400_000_000 }",
            "production_rows.events: 1 of them are 400000000, and at most 100000000 rows are made",
        ),
        ("seed = -1", "seed: expected a whole number from 0 to 2147483647"),
        ("seed = 0.5", "seed: expected a whole number, found a number"),
        ('columns = { status = "1" }', "columns.status: expected a table and a column, such as 'orders.status'"),
        ('columns = { "orders." = "1" }', "columns.\"orders.\": expected a table and a column, such as 'orders.status'"),
        ('columns = { "orders.status" = 1 }', 'columns."orders.status": expected text, found a number; put it in quotes'),
        ('columns = { "orders.status" = " " }', 'columns."orders.status": is empty'),
        ("row = 1", "row: unknown key; did you mean 'rows'?"),
    ],
)
def test_each_fault_has_its_place_and_its_sentence(lines: str, fault: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        data(tmp_path, lines)
    assert f"dbproof.toml: databases.app.data.{fault}" in caught.value.message.splitlines()


def test_an_address_that_is_only_read_takes_no_rows(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"data\.rows: contradicts 'url_env'"):
        data(tmp_path, "rows = 5", 'url_env = "SHOP"')
    assert data(tmp_path, "rows = 5", 'url_env = "SHOP"\ndisposable = true').makes_rows


@pytest.mark.parametrize("engine", ["sqlite", "mongodb"])
def test_the_rows_of_production_say_how_long_others_wait_or_how_many_are_made(engine: str, tmp_path: Path) -> None:
    assert not data(tmp_path, "production_rows = { events = 400_000_000 }", 'engine = "postgresql"').makes_rows
    with pytest.raises(UsageError, match=r"production_rows: is only read with 'scale' here, the share of them that is made"):
        data(tmp_path, "production_rows = { events = 1 }", f'engine = "{engine}"')


def test_expressions_are_of_sql(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"data\.columns: belongs to .*, and the engine is 'mongodb'"):
        data(tmp_path, 'columns = { "orders.status" = "1" }', 'engine = "mongodb"')


def test_the_first_settings_file_shows_the_keys(tmp_path: Path) -> None:
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    shown = text(tmp_path)
    assert "\nrows = 100\n" in shown
    assert all(f"\n# {key} = " in shown for key in DataSettings.model_fields if key != "rows")
