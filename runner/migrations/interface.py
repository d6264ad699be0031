"""What an adapter of a migration tool offers: the revisions of a project, a proof of the address, and one ``apply``."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from checks.drift import Drift
from checks.evidence import Place, Statement
from runner.servers.interface import Address
from runner.settings.model import MigrationSettings


@dataclass(frozen=True)
class Detected:
    """A project that an adapter recognised: its settings, and the file (relative to the root) and words that say why."""

    settings: MigrationSettings
    because: Place
    sure: bool


@dataclass(frozen=True)
class Project:
    """One checkout's migrations.

    ``root`` is the repository (the work tree, or base's files laid out elsewhere), ``directory`` the folder the tool runs in,
    ``work_tree`` the user's own checkout, where the interpreter and the environment are found whichever checkout is applied.
    ``applied`` are the revisions that the database holds already, for tools that keep no books of their own (an SQL folder):
    they are not applied again. ``database`` and ``settings_file`` (relative to the root where it lies under it) say which
    database of which settings these are the migrations of, for what the settings themselves declare.
    """

    root: Path
    directory: Path
    settings: MigrationSettings
    work_tree: Path
    applied: frozenset[str] = frozenset()
    database: str = ""
    settings_file: Path | None = None

    def relative(self, path: Path) -> str:
        """A path relative to the root with forward slashes, or as it is where it lies elsewhere."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.as_posix()


@dataclass(frozen=True)
class Revision:
    """One migration as its files say: ``digest`` of its content, ``place`` where it begins, ``title`` for people.

    One that is ``repeatable`` is applied again when it was edited, which makes it another revision; it may also go.
    """

    id: str
    title: str
    place: Place
    digest: str
    repeatable: bool = False


@dataclass(frozen=True)
class Began:
    """A revision begins."""

    revision: str


@dataclass(frozen=True)
class Ended:
    """A revision ended well after ``seconds`` of wall time."""

    revision: str
    seconds: float


@dataclass(frozen=True)
class Broke:
    """The tool stopped. ``said`` is the tool's last words; the server's own record of the error is looked up by the pipeline."""

    revision: str | None
    place: Place | None
    statement: str
    said: str
    code: str = ""
    detail: str = ""
    timed_out: bool = False


@dataclass(frozen=True)
class Elsewhere:
    """The project tried to connect to another database and was refused; ``address`` carries no password.

    ``read`` are the names of environment variables that it looked for, the likeliest first; ``withheld`` those of them that
    exist here and were not handed on; ``wanted`` are settings without which the application would not even start.
    """

    address: str
    read: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Said:
    """A line of the tool's own output."""

    text: str


@dataclass(frozen=True)
class Came:
    """A session of the tool's came to our database; told where no server keeps a log of it."""


@dataclass(frozen=True)
class SchemaRow:
    """An object of a SQLite database as its own schema table has it: its kind, its name, its table and the text that made it."""

    kind: str
    name: str
    table: str
    sql: str


@dataclass(frozen=True)
class Ran:
    """A statement that was executed, with what it made and dropped; told where no server keeps a log of it.

    Of SQLite the change of its schema table is told instead: what is ``gone`` (kind and name), what is ``there`` now or changed.
    Of a statement that changed none of it there are the ``rows`` that it inserted, updated and deleted, triggers' included.
    """

    statement: Statement
    gone: tuple[tuple[str, str], ...] = ()
    there: tuple[SchemaRow, ...] = ()
    rows: int = 0


@dataclass(frozen=True)
class Paused:
    """A step of :meth:`Reversible.rehearse` has ended; the next begins when the caller goes on.

    ``place`` is the function that it ran. ``irreversible`` says why there was nothing to run, where the migration offers no way
    back; nothing was changed then.
    """

    number: int
    place: Place | None
    irreversible: str = ""


Event = Began | Ended | Broke | Elsewhere | Said | Came | Ran | Paused


class Direction(StrEnum):
    """Which way a step goes; ``AGAIN`` is everything that is pending, of which there is nothing."""

    UP = "up"
    DOWN = "down"
    AGAIN = "again"


@dataclass(frozen=True)
class Step:
    """One step of a rehearsal. ``revision`` is its migration's, empty where the tool knows none."""

    direction: Direction
    revision: str = ""


class Adapter(Protocol):
    """A module per migration tool: detect, revisions, current, apply.

    ``NAME`` is its word in the settings, ``TITLE`` what the header of a run calls it. ``FILES_ONLY`` says that the tool applies
    files and nothing else, so that no files means nothing to apply.
    """

    @property
    def NAME(self) -> str: ...
    @property
    def TITLE(self) -> str: ...
    @property
    def FILES_ONLY(self) -> bool: ...

    def detect(self, root: Path) -> Detected | None:
        """Whether this tool is what the repository uses, said with the file that shows it. Reads files only."""
        ...

    def revisions(self, project: Project) -> Sequence[Revision]:
        """The migrations in the order they apply; empty where the tool cannot say (a command)."""
        ...

    def current(self, project: Project, on: Address) -> Iterator[Event] | None:
        """The tool's read-only command (``alembic current``), or ``None`` where there is none known."""
        ...

    def apply(self, project: Project, on: Address) -> Iterator[Event]:
        """Apply everything in one go, as the project itself does; ends after the first :class:`Broke`."""
        ...


class Reversible(Protocol):
    """What an adapter offers beside the rest where its tool can undo a migration.

    One whose tool cannot says why in ``NO_WAY_BACK``, which is told where there are new migrations.
    """

    @property
    def KEEPS_BOOKS(self) -> bool:
        """Whether the tool keeps books in the database, so that applying again is to change nothing."""
        ...

    def reversible(self, project: Project) -> bool:
        """Whether it is known how this project's migrations are undone."""
        ...

    def rehearse(self, project: Project, on: Address, steps: Sequence[Step]) -> Iterator[Event]:
        """Take single steps, as the tool takes them, with a :class:`Paused` after each; ends after the first :class:`Broke`.

        A step up applies the first migration that the database does not hold, a step down undoes the last that it holds. After
        a step down that is irreversible the step up of the same migration runs nothing.
        """
        ...


class Modelled(Protocol):
    """What an adapter offers beside the rest where its tool knows the application's models."""

    def drift(self, project: Project, on: Address) -> Drift | None:
        """In what the models differ from the database, which holds all migrations and is a copy that may be changed.

        ``None`` where the project gives its tool no models. Raises ToolFailed.
        """
        ...


class Branched(Protocol):
    """What an adapter offers beside the rest where its history may end in several heads.

    ``MERGING`` is the command that joins them.
    """

    @property
    def MERGING(self) -> str: ...

    def heads(self, project: Project, among: Container[str] | None = None) -> Sequence[str]:
        """The revisions that no other goes on from; of those ``among`` alone where that is said."""
        ...

    def faults(self, project: Project) -> Sequence[str]:
        """What of its files the tool passes over, in sentences."""
        ...


#: What ``setup`` and templates hand to a child on top of what is let through from our own environment.
Environment = Mapping[str, str]
