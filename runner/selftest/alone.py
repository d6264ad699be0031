"""The self-proof by itself: every fault there is, on every database of the repository, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from runner import children, git
from runner.across.gathering import Across, across
from runner.errors import DbproofError, Exit, strongest
from runner.judging import prove
from runner.output import Output
from runner.planning import header
from runner.report import FaultState, ReportedDatabase
from runner.reports.selfproof import lines_of
from runner.settings.load import Loaded
from runner.settings.model import DatabaseSettings
from runner.settings.surface import Selftest

_NO_BASE = git.NoBase("a self-proof compares with nothing")
_ONLY_READ = "its database was given to be read only: nothing is planted there"


def selftest(root: Path, loaded: Loaded, output: Output) -> Exit:  # noqa: ARG001 - every subcommand is told the root
    """Build every database, plant all faults on copies of it, and show what was found.

    The exit code: 0 all were found, 1 one was missed, 3 none was planted, 4 an error of the environment.
    """
    output.header(header(loaded))
    children.sweep()
    full = loaded.settings.model_copy(update={"selftest": Selftest.FULL})
    told = replace(loaded, settings=full)
    with across(told) as keys:
        codes = [_one(name, settings, told, output, keys) for name, settings in full.databases.items()]
    came_to_something: list[Exit] = [code for code in codes if code is not Exit.NOTHING_CHECKED]
    return strongest(came_to_something) if came_to_something else Exit.NOTHING_CHECKED


def _one(name: str, settings: DatabaseSettings, loaded: Loaded, output: Output, keys: Across) -> Exit:
    """Prove one database and print its table; an error of one does not keep the others from being proven."""
    if settings.url_env and not settings.disposable:
        output.line(f"{name}: {_ONLY_READ}")
        return Exit.NOTHING_CHECKED
    kept: list[ReportedDatabase] = []
    code = Exit.HELD
    try:
        prove(name, settings, _NO_BASE, loaded, output, kept.append, keys)
    except DbproofError as error:
        output.error(error)
        code = error.exit
    finally:  # also of what is cancelled: what was found until then
        for line in (line for database in kept for line in _table(database)):
            output.line(line)
    return strongest([code, *map(_code, kept)])


def _table(database: ReportedDatabase) -> Iterator[str]:
    if database.selftest is None:
        yield f"{database.name}: no fault was planted, as its migrations did not come to an end"
        return
    yield from lines_of(database.name, database.selftest)


def _code(database: ReportedDatabase) -> Exit:
    proof = database.selftest
    if proof is None or not proof.planted:
        return Exit.NOTHING_CHECKED
    return Exit.FINDINGS if proof.of(FaultState.MISSED) else Exit.HELD
