"""Loads what `load` names, entry by entry, up to the first that is refused."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from checks.evidence import LoadedFile, MigrationFailure
from checks.interface import Engine
from checks.schema.model import Catalogue
from runner.data.own.names import table_of
from runner.data.own.order import TableFile, Unit, in_order
from runner.data.own.refusing import Refused
from runner.data.own.sources import Entry, Group, RowFile, resolved
from runner.errors import UsageError
from runner.settings.loading import Format, LoadSettings

#: Seconds that all files of one list may take.
DEADLINE = 600.0

_TABLES = frozenset({Format.CSV, Format.TSV, Format.JSONL, Format.JSON, Format.PARQUET})


class Programs(Protocol):
    """Starts the project's own programs that make rows. Both give why one failed, or ``None``."""

    def command(self, entry: LoadSettings) -> MigrationFailure | None:
        """A command of the settings. Raises WrongAddress where it went elsewhere, ToolFailed where it made nothing."""
        ...

    def fixtures(self, files: Sequence[RowFile]) -> MigrationFailure | None:
        """Fixtures of Django, all at once. Raises UsageError where there is no Django project."""
        ...


class Loader(Protocol):
    """How a relational engine takes rows in. All raise :class:`Refused`."""

    @property
    def engine(self) -> Engine:
        """What it is a loader of."""
        ...

    @property
    def folded(self) -> bool:
        """Whether names know no case."""
        ...

    def catalogue(self) -> Catalogue:
        """What the database is made of now."""
        ...

    def script(self, file: RowFile, deadline: float) -> None:
        """A file of SQL, or a dump, in one transaction."""
        ...

    def tables(self, unit: Unit, deadline: float) -> None:
        """Files of tables, in one transaction."""
        ...


class _NoPrograms:
    """Where no program of the project's may be started."""

    def command(self, entry: LoadSettings) -> MigrationFailure | None:
        """Raises UsageError."""
        raise UsageError(f"`{entry.command}`: no program is started here", "Name a file.")

    def fixtures(self, files: Sequence[RowFile]) -> MigrationFailure | None:
        """Raises UsageError."""
        raise UsageError(f"{files[0].name}: no program is started here, and Django loads its fixtures itself", "Name SQL.")


NO_PROGRAMS: Programs = _NoPrograms()

#: What is to be done, and the names of what it loads.
_Turn = tuple[tuple[str, ...], Callable[[], MigrationFailure | None]]


def load(loader: Loader, root: Path, given: Sequence[Entry], programs: Programs) -> tuple[LoadedFile, ...]:
    """Load entries (paths relative to ``root``) in order; the rest of a refused one is not tried.

    Each file is one transaction, tables that refer to each other share one; so a refused one leaves nothing. Raises UsageError
    for a missing file or one that the engine takes no rows from, ToolFailed for one that only a client can run.
    """
    deadline = time.monotonic() + DEADLINE
    groups = resolved(root, given, loader.engine)
    known = _Known(loader)
    found: list[LoadedFile] = []
    refused = False
    for group in groups:
        if refused:
            found += [LoadedFile(name) for name in group.names]
            continue
        for names, turn in _turns(known, group, programs, deadline):
            failure = None if refused else turn()
            found += _told(names, failure)
            refused = refused or failure is not None
    return distinct(found)


def distinct(found: Iterable[LoadedFile]) -> tuple[LoadedFile, ...]:
    """The files, of which one that is named again (into another table, say) gets a number: each is judged by itself."""
    met: Counter[str] = Counter()
    told: list[LoadedFile] = []
    for one in found:
        met[one.file] += 1
        told.append(one if met[one.file] == 1 else replace(one, file=f"{one.file} ({met[one.file]})"))
    return tuple(told)


def _told(names: tuple[str, ...], failure: MigrationFailure | None) -> Iterator[LoadedFile]:
    """The file that was refused goes first: with it the others of its transaction are gone, and count as not reached."""
    if failure is None:
        yield from (LoadedFile(name) for name in names)
        return
    guilty = failure.place.file if failure.place and failure.place.file in names else names[0]
    yield LoadedFile(guilty, failure)
    yield from (LoadedFile(name) for name in names if name != guilty)


class _Known:
    """A loader with what is known of the database, until something may have changed its tables."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader
        self._catalogue: Catalogue | None = None

    def catalogue(self) -> Catalogue:
        """What the database is made of."""
        if self._catalogue is None:
            self._catalogue = self.loader.catalogue()
        return self._catalogue

    def forget(self) -> None:
        """Something else than rows may have come."""
        self._catalogue = None


def _turns(known: _Known, group: Group, programs: Programs, deadline: float) -> Iterator[_Turn]:
    if group.command is not None:
        yield group.names, partial(programs.command, group.command)
        known.forget()
        return
    fixtures = tuple(file for file in group.files if is_fixture(file))
    tables = tuple(file for file in group.files if file.format in _TABLES and file not in fixtures)
    for file in group.files:
        if file not in fixtures and file not in tables:
            yield (file.name,), partial(_tried, partial(known.loader.script, file, deadline))
            known.forget()
    if fixtures:
        yield tuple(file.name for file in fixtures), partial(programs.fixtures, fixtures)
        known.forget()
    yield from _of_tables(known, tables, group.ordered, deadline)


def _of_tables(known: _Known, files: Sequence[RowFile], ordered: bool, deadline: float) -> Iterator[_Turn]:
    if not files:
        return
    catalogue = known.catalogue()
    named: list[TableFile] = []
    for file in files:
        try:
            named.append(TableFile(file, table_of(file, catalogue, folded=known.loader.folded)))
        except Refused as wrong:
            yield (file.name,), partial(_refuse, wrong)
            yield tuple(other.name for other in files if other is not file), _nothing
            return
    for unit in [(one,) for one in named] if ordered else in_order(named, catalogue):
        yield tuple(one.file.name for one in unit), partial(_tried, partial(known.loader.tables, unit, deadline))


def _refuse(wrong: Refused) -> MigrationFailure | None:
    return wrong.failure


def _nothing() -> MigrationFailure | None:
    return None


def _tried(turn: Callable[[], None]) -> MigrationFailure | None:
    try:
        turn()
    except Refused as wrong:
        return wrong.failure
    return None


def is_fixture(file: RowFile) -> bool:
    """Whether a file is a fixture of Django: by its format, or because its first object has a model and fields."""
    if file.format is not Format.JSON or file.settings.format is Format.JSON:
        return file.format is Format.FIXTURE
    from runner.data.own.json_files import first

    with suppress(Refused):
        found = first(file)
        return found is not None and {"model", "fields"} <= found.keys() <= {"model", "fields", "pk"}
    return False
