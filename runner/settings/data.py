"""What the settings say of rows: the repository's own files, and what is made from the schema where a table is still empty."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator

from runner.settings.amounts import LAST_SEED, MOST
from runner.settings.loading import LOAD, Loads
from runner.settings.values import Section, Text, setting
from runner.settings.wording import Contradiction


def _rows(number: int) -> int:
    if not 0 <= number <= MOST:
        raise ValueError(f"expected a number of rows from 0 to {MOST}")
    return number


def _in_production(number: int) -> int:
    if number < 0:
        raise ValueError("expected a number of rows from 0 on")
    return number


def _seed(number: int) -> int:
    if not 0 <= number <= LAST_SEED:
        raise ValueError(f"expected a whole number from 0 to {LAST_SEED}")
    return number


def _share(number: float) -> float:
    if not 0 < number < math.inf:
        raise ValueError("expected a share above 0, such as 0.1")
    return number


def _scaled(scale: float, rows: int) -> int:
    """The share of a table's rows: at least one, where it has any."""
    return max(1, round(scale * rows)) if rows else 0


def _column(name: str) -> str:
    table, _, column = name.rpartition(".")
    if not table or not column:
        raise ValueError("expected a table and a column, such as 'orders.status'")
    return name


#: The engines on which nothing else reads `production_rows`: new migrations are not tried under traffic there.
_WITHOUT_TRAFFIC = ("sqlite", "mongodb")

Rows = Annotated[int, AfterValidator(_rows)]
TableRows = Mapping[Text, Rows]


class DataSettings(Section):
    """The rows to judge: files of the repository, loaded in order, and rows made for the tables that are still empty."""

    load: Loads = LOAD
    rows: Rows | None = setting(None, "How many rows are made in each table that is still empty; none where nobody asks.", 100)
    tables: TableRows = setting({}, "How many rows are made in single tables.", {"events": 50_000, "audit_log": 0})
    scale: Annotated[float, AfterValidator(_share)] | None = setting(
        None, "The share of `production_rows` that is made in the tables named there.", 0.1
    )
    production_rows: Mapping[Text, Annotated[int, AfterValidator(_in_production)]] = setting(
        {}, "How many rows production has in its large tables.", {"events": 400_000_000}
    )
    seed: Annotated[int, AfterValidator(_seed)] | None = setting(None, "The same seed makes the same rows; 1 by default.", 7)
    columns: Mapping[Annotated[Text, AfterValidator(_column)], Text] = setting(
        {}, "Columns whose values an SQL expression gives, in the rows that are made.", {"orders.status": "'new'"}
    )

    @property
    def makes_rows(self) -> bool:
        """Whether a run makes rows."""
        return bool(self.rows) or any(self.by_table.values())

    @property
    def by_table(self) -> Mapping[str, int]:
        """The rows of the tables that are named: what ``tables`` says before what ``scale`` comes to, which is at least one."""
        scaled = {name: _scaled(self.scale, rows) for name, rows in self.production_rows.items()} if self.scale else {}
        return {**scaled, **self.tables}


def contradictions(database: Mapping[str, object]) -> Iterator[Contradiction]:
    """What cannot be meant of rows; reads the raw document, so that it is told together with everything else."""
    data = database.get("data")
    if not isinstance(data, Mapping):
        return
    if "scale" in data and not data.get("production_rows"):
        yield ("data", "scale"), "is a share of 'production_rows', and there are none"
    if data.get("production_rows") and "scale" not in data and database.get("engine") in _WITHOUT_TRAFFIC:
        yield ("data", "production_rows"), "is only read with 'scale' here, the share of them that is made"
    if "url_env" in database and database.get("disposable") is not True:
        for key in ("rows", "tables", "scale"):
            if key in data:
                yield ("data", key), "contradicts 'url_env': a given server is only read from"
    yield from _too_many(data)


def _too_many(data: Mapping[str, object]) -> Iterator[Contradiction]:
    scale, tables, production = data.get("scale"), data.get("tables"), data.get("production_rows")
    named = tables if isinstance(tables, Mapping) else {}
    for name, rows in production.items() if isinstance(production, Mapping) else ():
        if isinstance(scale, int | float) and type(rows) is int and 0 < scale < math.inf and name not in named:
            made = _scaled(scale, rows)
            if made > MOST:
                yield ("data", "production_rows", str(name)), f"{scale:g} of them are {made}, and at most {MOST} rows are made"
