"""``dbproof data``: a database migrated as a run migrates it, its empty tables filled, and its rows written to a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from runner import children, git
from runner.data.generated.filled import WantedRows
from runner.data.generated.readable import readable
from runner.errors import Exit, UsageError
from runner.filling import made, reasons, refuse_unknown, said, wanted_rows
from runner.gathering import counted
from runner.judging import plan
from runner.output import Output
from runner.planning import header
from runner.settings.amounts import ROWS
from runner.settings.engines import DOCUMENTS
from runner.settings.load import Loaded
from runner.settings.model import DatabaseSettings
from runner.steps import stood

_NOT_COMPARED = git.NoBase("not compared")


@dataclass(frozen=True)
class Asked:
    """What is wanted: the file, rows a table, the seed (``None`` for what the settings say), the database's name in the settings,
    whether texts are for people, whether a file is written over."""

    out: str
    rows: int | None
    seed: int | None
    database: str | None
    readable: bool
    force: bool


def give(loaded: Loaded, output: Output, asked: Asked) -> Exit:
    """Migrate, fill, write. Gives ``NOTHING_CHECKED`` where no empty table could be filled. Raises DbproofError."""
    file = _file(asked)
    name, settings = _meant(loaded, asked.database)
    wanted = _wanted(settings, asked)
    output.header(header(loaded))
    children.sweep()
    planned = plan(name, settings, _NOT_COMPARED, loaded, output)
    with stood(planned, fill=False) as (database, _):
        with output.progress.stage("rows") as stage:
            filled = made(planned, database, wanted, stage.say)
            refuse_unknown(planned, filled)
            stage.say(said(filled))
        with output.progress.stage("write") as stage:
            try:
                written = planned.backend.write_down(database, file)
            except OSError as refused:
                raise UsageError(f"{file}: cannot be written: {refused.strerror}") from None
            stage.say(counted(written.bytes, "byte"))
    for line in (*reasons(filled.tables), f"wrote {file}: load it with {written.load}"):
        output.line(line)
    return Exit.NOTHING_CHECKED if filled.tables and not filled.rows else Exit.HELD


def _wanted(settings: DatabaseSettings, asked: Asked) -> WantedRows:
    """What the call says before what the settings say; unlike in a run, tables that nobody speaks of are filled too."""
    each = next(rows for rows in (asked.rows, settings.data.rows, ROWS) if rows is not None)
    wanted = wanted_rows(settings, each, asked.seed)
    if not asked.readable:
        return wanted
    if settings.engine in DOCUMENTS:
        raise UsageError(f"--readable: the documents of {settings.engine.label} have no texts for people", "Leave it out.")
    return replace(wanted, wishes=replace(wanted.wishes, readable=readable(wanted.seed)))


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
    if settings.url_env:
        raise UsageError(f"databases.{key}: an address was given, and rows are made on a server of our own", "Leave out url_env.")
    return key, settings
