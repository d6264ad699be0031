"""SQL files of a tool that keeps books: which of them are pending, in which transactions each goes, and the tool's own rows.

The adapters say how a tool reads its files (:class:`Script`) and keeps its books (:class:`Books`); what they share stands here.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from checks.evidence import Place
from runner.migrations.engine_sessions import BooksFailed, EngineBooks, EngineSession
from runner.migrations.engine_sessions import opened as engine_session
from runner.migrations.interface import Began, Broke, Ended, Event, Project, Revision, Said
from runner.migrations.simple_query import Session, session
from runner.migrations.sql_files import SqlFile, Transaction, apply_file, bracket
from runner.servers.interface import Address

if TYPE_CHECKING:
    from psycopg import Connection

    Connected = Connection[tuple[object, ...]]


@dataclass(frozen=True)
class Script:
    """One migration: ``name`` is its file's, relative to the root, ``version`` what the tool's books know it by.

    Each of ``parts`` goes to the server as ``sent`` says; with ``bracket`` BEGIN and COMMIT stand round them, and round the row
    of the books. ``wrong`` is what the tool says, and of which line, where it cannot read the file. One that is ``repeatable``
    is applied again when it was edited.
    """

    id: str
    version: str
    title: str
    path: Path
    name: str
    parts: tuple[SqlFile, ...] = ()
    sent: Transaction = "whole"
    bracket: bool = False
    wrong: tuple[int, str] | None = None
    repeatable: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 of the file, in hexadecimal."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Way:
    """What undoes a script: ``parts`` sent as the script's own are, from ``place`` on; ``missing`` says why there is nothing.

    ``wrong`` is what the tool says, and of which line, where it cannot read it.
    """

    place: Place
    parts: tuple[SqlFile, ...] = ()
    bracket: bool = False
    missing: str = ""
    wrong: tuple[int, str] | None = None


class Refused(Exception):
    """The tool would not begin: what it says, and of which script and line."""

    def __init__(self, said: str, script: Script | None = None, line: int | None = None) -> None:
        super().__init__(said)
        self.said = said
        self.script = script
        self.line = line


class PassedOver(Exception):
    """Raised by :meth:`Books.begin`: the tool goes on without this script."""


class Books(Protocol):
    """How a tool keeps its books. Every method may raise psycopg's Error, which is told as the end of the migration."""

    @property
    def at_once(self) -> bool:
        """Whether one transaction holds all that is pending."""
        ...

    def pending(self, connection: Connected, scripts: Sequence[Script]) -> Sequence[Script]:
        """What is to be applied, in order; the tool's table is made on the way. Raises :class:`Refused`."""
        ...

    def begin(self, connection: Connected, script: Script) -> None:
        """What the tool does before a script, outside of its transaction."""
        ...

    def end(self, connection: Connected, script: Script) -> None:
        """Write a script down as applied, within its transaction."""
        ...

    def ended(self, connection: Connected, script: Script) -> None:
        """What the tool does after a script, outside of its transaction."""
        ...

    def failed(self, connection: Connected, script: Script) -> None:
        """What the tool does after a script without a transaction that failed; what is refused then is passed over."""
        ...


class ReversibleBooks(Books, Protocol):
    """Books of a tool that also undoes; of a script, in the order in which it applied them, the tool knows the one ``before``."""

    def held(self, connection: Connected, scripts: Sequence[Script]) -> Sequence[Script]:
        """What the database holds, in the order in which it is undone from its end."""
        ...

    def back(self, connection: Connected, script: Script, before: Script | None) -> None:
        """What the tool does before it undoes a script, outside of its transaction."""
        ...

    def undo(self, connection: Connected, script: Script) -> None:
        """Write a script down as applied no more, within its transaction."""
        ...

    def undone(self, connection: Connected, script: Script, before: Script | None) -> None:
        """What the tool does after it undid a script, outside of its transaction."""
        ...


class Plain:
    """Books that do nothing but what a subclass says."""

    at_once: bool = False

    def back(self, connection: Connected, script: Script, before: Script | None) -> None:
        """Nothing."""

    def undo(self, connection: Connected, script: Script) -> None:
        """Nothing."""

    def undone(self, connection: Connected, script: Script, before: Script | None) -> None:
        """Nothing."""

    def begin(self, connection: Connected, script: Script) -> None:
        """Nothing."""

    def end(self, connection: Connected, script: Script) -> None:
        """Nothing."""

    def ended(self, connection: Connected, script: Script) -> None:
        """Nothing."""

    def failed(self, connection: Connected, script: Script) -> None:
        """Nothing."""


def revisions(scripts: Sequence[Script]) -> Sequence[Revision]:
    """The scripts as an adapter tells of them."""
    return [Revision(one.id, one.title, Place(one.name, 1), one.digest, one.repeatable) for one in scripts]


def books(connection: Connected, name: str, within: str = "") -> bytes:
    """The name of a tool's table, quoted; on PostgreSQL in a schema, that of new tables where none is named."""
    if isinstance(connection, EngineBooks):
        return connection.quoted(name)
    return table(within or schema(connection), name)


def on_engine(connection: Connected, postgresql: str, mariadb: str, sqlite: str) -> str:
    """What is meant for the engine that is at hand."""
    scheme = connection.scheme if isinstance(connection, EngineBooks) else ""
    return {"mysql": mariadb, "sqlite": sqlite}.get(scheme, postgresql)


def table(*names: str) -> bytes:
    """The name of a table, quoted."""
    from psycopg import sql

    return sql.Identifier(*names).as_string(None).encode()


def schema(connection: Connected) -> str:
    """The schema that new tables go to."""
    row = connection.execute(b"SELECT current_schema()").fetchone()
    return str(row[0]) if row and row[0] else "public"


def make(connection: Connected, name: bytes, columns: str) -> bool:
    """Make a table of books where there is none; whether it was made."""
    if isinstance(connection, EngineBooks):
        if connection.has(name.decode()[1:-1]):
            return False
    elif connection.execute(b"SELECT to_regclass(%s)", (name.decode(),)).fetchone() != (None,):
        return False
    connection.execute(b"CREATE TABLE %s (%s)" % (name, columns.encode()))
    return True


def twice(scripts: Sequence[Script]) -> tuple[Script, Script] | None:
    """Two scripts of one version, where there are such."""
    seen = dict[str, Script]()
    for script in scripts:
        if script.version in seen:
            return seen[script.version], script
        seen[script.version] = script
    return None


def apply(project: Project, on: Address, scripts: Sequence[Script], books: Books, most: int | None = None) -> Iterator[Event]:
    """Apply what is pending in one session, ``most`` scripts of it, and write it down as the tool does."""
    return in_session(project, on, lambda opened: _pending(opened, scripts, books, most))


#: What is done in a session; whatever is raised in it is told as the end of the script that was told of last.
Doing = Callable[["Opened"], Iterator[Event | Script]]


@dataclass(frozen=True)
class Opened:
    """A session of a tool's: PostgreSQL's ``session``, or that of another engine; the books are kept by ``connection``."""

    connection: Connected
    session: Session | EngineSession

    def bracket(self, script: Script, command: str) -> Broke | None:
        """Send BEGIN or COMMIT; gives why it was refused, or ``None``."""
        file = SqlFile(script.name, "", ())
        if isinstance(self.session, EngineSession):
            return self.session.bracket(file, command)
        return bracket(self.session, file, command)

    def apply(self, part: SqlFile, sent: Transaction) -> Generator[Event, None, Broke | None]:
        """Send a part of a script; gives why it stopped, or ``None``."""
        if isinstance(self.session, EngineSession):
            return (yield from self.session.apply(part, apart=sent == "statement"))
        return apply_file(self.session, part, sent)


def in_session(project: Project, on: Address, doing: Doing) -> Iterator[Event]:
    """The events of what is done in a session, with the server's notices before each."""
    deadline = time.monotonic() + project.settings.timeout
    if on.scheme in ("sqlite", "mysql"):
        with engine_session(on, deadline) as other:
            yield from _guarded(doing(Opened(cast("Connected", other.books), other)))
        return
    notices: list[str] = []
    with session(on, deadline, notices.append) as opened:
        for event in _guarded(doing(Opened(opened.connection, opened))):
            yield from (Said(text) for text in notices)
            notices.clear()
            yield event


def _guarded(events: Iterator[Event | Script]) -> Iterator[Event]:
    import psycopg

    at: Script | None = None
    try:
        for event in events:
            if isinstance(event, Script):
                at = event
            else:
                yield event
    except Refused as refused:
        script = refused.script
        yield Broke(script.id if script else None, Place(script.name, refused.line) if script else None, "", refused.said)
    except (psycopg.Error, BooksFailed) as failed:
        said = f"the tool's own table cannot be written: {str(failed).strip()}"
        code = failed.code if isinstance(failed, BooksFailed) else failed.sqlstate or ""
        yield Broke(at.id if at else None, Place(at.name) if at else None, "", said, code)


def _pending(opened: Opened, scripts: Sequence[Script], books: Books, most: int | None) -> Iterator[Event | Script]:
    pending = books.pending(opened.connection, scripts)[:most]
    if books.at_once and pending:
        yield from _broken(pending[0], opened.bracket(pending[0], "BEGIN"))
    for at in pending:
        began = time.monotonic()
        yield at
        yield Began(at.id)
        try:
            broke = yield from _script(opened, at, books)
        except PassedOver:
            broke = None
        if broke:
            yield replace(broke, revision=at.id)
            return
        yield Ended(at.id, time.monotonic() - began)
    if books.at_once and pending:
        yield from _broken(pending[-1], opened.bracket(pending[-1], "COMMIT"))


def _broken(script: Script, broke: Broke | None) -> Iterator[Event]:
    if broke is not None:
        yield replace(broke, revision=script.id)


def _script(opened: Opened, script: Script, books: Books) -> Generator[Event, None, Broke | None]:
    import psycopg

    if script.wrong is not None:
        return Broke(None, Place(script.name, script.wrong[0]), "", script.wrong[1])
    books.begin(opened.connection, script)
    way = Way(Place(script.name), script.parts, script.bracket)
    broke = yield from sent(opened, script, way, lambda: books.end(opened.connection, script))
    if broke is None:
        books.ended(opened.connection, script)
    elif not script.bracket and not broke.timed_out:
        with suppress(psycopg.Error, BooksFailed):
            books.failed(opened.connection, script)
    return broke


def sent(opened: Opened, script: Script, way: Way, written: Callable[[], None]) -> Generator[Event, None, Broke | None]:
    """Send the parts of a script and what is ``written`` down of it, in a transaction where it has one."""
    if way.bracket and (broke := opened.bracket(script, "BEGIN")):
        return broke
    for part in way.parts:
        if broke := (yield from opened.apply(part, script.sent)):
            return broke
    written()
    return opened.bracket(script, "COMMIT") if way.bracket else None
