"""The rows that were made from the schema, in words and tables: how many, and which tables stayed short, by which rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict

from checks.interface import Json
from runner.report import MadeRows, MilderRows, Report, ReportedDatabase, ShortTable
from runner.reports import wording
from runner.reports.markdown import code, prose, row

#: How many tables the console names that stayed short.
_TABLES = 5

#: The titles of the table's columns.
SHORT = ("Table", "Rows", "Why not more")


def sentences(report: Report, show_all: bool = False) -> list[str]:
    """What the console says of each database for which rows were made."""
    return [
        wording.with_database(report, one, said)
        for one in report.databases
        if one.made_rows is not None
        for said in _sentences(one.made_rows, bool(one.measured.queries), show_all)
    ]


def _sentences(made: MadeRows, measured: bool, show_all: bool) -> Iterator[str]:
    yield sentence(made, measured)
    if made.milder is not None:
        yield mildly(made.milder)
    shown = made.short if show_all else made.short[:_TABLES]
    yield from (f"{one.table}: {_few(one)}, {one.reason.strip().partition(chr(10))[0]}" for one in shown)
    if len(made.short) > len(shown):
        yield f"and {wording.plural(len(made.short) - len(shown), 'more table')} that stayed short, see report.json"


def sentence(made: MadeRows, measured: bool) -> str:
    """How many rows were made, and what that means."""
    many = f"{wording.plural(made.rows, 'row')} made in {wording.plural(made.tables, 'table')}"
    if not made.rows:
        return many
    return f"{many}: what rests on them alone is not proven{', and queries were measured on them' if measured else ''}"


def mildly(milder: MilderRows) -> str:
    """On which rows the new migrations pass, where those that were made first stopped them."""
    many = f"{wording.plural(milder.rows, 'milder row')} in {wording.plural(milder.tables, 'table')}"
    if not milder.rows:
        return f"the new migrations pass on the repository's own rows, with none made in {', '.join(milder.left_out)}"
    without = f"; none in {', '.join(milder.left_out)}" if milder.left_out else ""
    kind = f"values everywhere, none twice, none awkward{without}"
    return f"the new migrations pass on {many} ({kind}): what they do to rows, and to others meanwhile, is said of these"


def _few(one: ShortTable) -> str:
    return f"{wording.thousands(one.rows)} of {wording.plural(one.wanted, 'row')}"


def rows(report: Report) -> Iterator[str]:
    """A row of Markdown for each table that stayed short."""
    for database in report.databases:
        for one in database.made_rows.short if database.made_rows else ():
            name = code(wording.with_database(report, database, one.table), True)
            yield row([name, _few(one), prose(one.reason, True)])


def properties(database: ReportedDatabase) -> Mapping[str, str]:
    """For JUnit, as texts."""
    made = database.made_rows
    if made is None:
        return {}
    short = {f"made_rows.{one.table}": f"{one.rows} of {one.wanted}, {one.reason}" for one in made.short}
    milder = {"made_rows.milder": mildly(made.milder)} if made.milder is not None else {}
    return {"made_rows": str(made.rows), "made_rows.tables": str(made.tables), **milder, **short}


def as_json(made: MadeRows | None) -> Json:
    """For ``report.json``."""
    if made is None:
        return None
    milder = None if made.milder is None else asdict(made.milder)
    return {"rows": made.rows, "tables": made.tables, "short": [asdict(one) for one in made.short], "milder": milder}
