"""What a project of a migration tool is here: its files, the tool's own commands, and what dbproof is told of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from runner.servers.interface import Address


@dataclass(frozen=True)
class Had:
    """A tool as it was fetched: a program, or the folder that it is installed in."""

    version: str
    place: Path


@dataclass(frozen=True)
class Command:
    """A call of the tool's, in the project's folder or in one of its folders."""

    words: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: str = "."


#: The tool's command for a project in a folder on an address.
Call = Callable[[Had, Path, Address], Command]


@dataclass(frozen=True)
class Sample:
    """A tool and a project for it.

    ``fetch`` gets the tool into a cache; it raises NotInstalled. ``lay`` does what files alone cannot, with the tool at hand.
    ``undo`` is the tool's command that undoes the last migration. ``books`` reads what the tool wrote down, without times;
    ``book_tables`` (of which the rows are not compared as they are) are its tables. ``without`` are schemas that are left out of
    the comparison, for the reason that ``note`` gives. Without ``books_kept`` the tool cannot be asked to apply all again.
    """

    tool: str
    fetch: Callable[[Path], Had]
    files: Mapping[str, str]
    apply: Call
    books: str
    book_tables: Sequence[str] = ()
    settings: Callable[[Had], Mapping[str, object]] = lambda _: {}
    lay: Callable[[Had, Path], None] = lambda _had, _root: None
    undo: Call | None = None
    without: Sequence[str] = ()
    note: str = ""
    variant: str = ""
    books_kept: bool = True

    @property
    def name(self) -> str:
        """The tool's word in the settings, with what is special of this project."""
        return f"{self.tool} {self.variant}".strip()


def url(on: Address, scheme: str = "postgres") -> str:
    """The address for drivers that would try TLS first."""
    return f"{on.url(scheme)}?sslmode=disable"


def failing(sample: Sample, files: Mapping[str, str], variant: str = "(fails)") -> Sample:
    """A project with migrations that fail: both have to stop, and to leave the same behind."""
    return replace(sample, files={**sample.files, **files}, variant=variant, undo=None)


def copied(found: Callable[[Had], Path], to: str = ".") -> Callable[[Had, Path], None]:
    """The files of a published project, laid where the project is."""

    def lay(had: Had, root: Path) -> None:
        shutil.copytree(found(had), root / to, dirs_exist_ok=True)

    return lay


def linked(had: Had, root: Path) -> None:
    """The packages of Node beside the project's files."""
    (root / "node_modules").symlink_to(had.place / "node_modules")
