"""``dbproof data``: a database migrated as a run migrates it, its empty tables filled, and its rows written to a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from checks.interface import Engine
from checks.rows.sets.planner import Wishes
from runner import children, git
from runner.data.generated.filled import Filled, WantedRows, WrittenRows, not_yet
from runner.errors import Exit, UsageError
from runner.gathering import counted
from runner.judging import plan
from runner.output import Output
from runner.planning import header
from runner.settings.load import Loaded
from runner.settings.model import DatabaseSettings
from runner.steps import stood

_NOT_COMPARED = git.NoBase("not compared")


@dataclass(frozen=True)
class Asked:
    """What is wanted: the file, rows a table, the seed, the database's name in the settings, whether a file is written over."""

    out: str
    rows: int
    seed: int
    database: str | None
    force: bool


def give(loaded: Loaded, output: Output, asked: Asked) -> Exit:
    """Migrate, fill, write. Gives ``NOTHING_CHECKED`` where no empty table could be filled. Raises DbproofError."""
    file = _file(asked)
    name, settings = _meant(loaded, asked.database)
    output.header(header(loaded))
    children.sweep()
    planned = plan(name, settings, _NOT_COMPARED, loaded, output)
    with stood(planned) as (database, _):
        with output.progress.stage("rows") as stage:
            filled = planned.backend.fill(database, _wanted(settings, asked), stage.say)
            stage.say(f"{counted(filled.rows, 'row')} in {counted(len(filled.with_rows), 'table')}")
        with output.progress.stage("write") as stage:
            try:
                written = planned.backend.write_down(database, file)
            except OSError as refused:
                raise UsageError(f"{file}: cannot be written: {refused.strerror}") from None
            stage.say(counted(written.bytes, "byte"))
    for line in _said(filled, written, file):
        output.line(line)
    return Exit.NOTHING_CHECKED if filled.tables and not filled.rows else Exit.HELD


def _wanted(settings: DatabaseSettings, asked: Asked) -> WantedRows:
    column = settings.tenancy.column if settings.tenancy else ()
    wishes = Wishes((column,) if isinstance(column, str) else tuple(column))
    return WantedRows(asked.rows, {}, asked.seed, wishes)


def _file(asked: Asked) -> Path:
    file = Path(asked.out)
    if file.exists() and not asked.force:
        raise UsageError(f"{file}: exists already", "Name another file, or let --force write over it.")
    if not file.parent.is_dir():
        raise UsageError(f"{file}: there is no directory {file.parent}")
    return file


def _meant(loaded: Loaded, name: str | None) -> tuple[str, DatabaseSettings]:
    from runner.settings.wording import did_you_mean, shorten

    databases = loaded.settings.databases
    if name is not None and name not in databases:
        raise UsageError(f"--database: '{shorten(name)}' is not a database of the settings{did_you_mean(name, databases)}")
    meant = {name: databases[name]} if name is not None else dict(databases)
    if len(meant) != 1:
        several = f"there are several databases: {', '.join(meant)}" if meant else "no database was found here"
        raise UsageError(several, "Name one with --database." if meant else "`dbproof init` writes the settings.")
    ((key, settings),) = meant.items()
    if settings.engine is not Engine.POSTGRESQL:
        raise not_yet(settings.engine)
    if settings.url_env:
        raise UsageError(f"databases.{key}: an address was given, and rows are made on a server of our own", "Leave out url_env.")
    return key, settings


def _said(filled: Filled, written: WrittenRows, file: Path) -> Iterator[str]:
    for one in filled.short:
        yield f"{one.table.label()}: {one.rows} of {one.wanted} rows, {one.reason}"
    yield f"wrote {file}: load it with {written.load}"
