"""SQL files of a tool that keeps books: what is pending is sent, each in its transactions, and written down as the tool does.

The adapters say how a tool reads its files (scripts.py) and keeps its books (books.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from checks.evidence import Place
from runner.migrations.books import Books
from runner.migrations.engine_sessions import BooksFailed, EngineSession
from runner.migrations.engine_sessions import opened as engine_session
from runner.migrations.interface import Began, Broke, Ended, Event, Project, Revision, Said
from runner.migrations.scripts import PassedOver, Refused, Script, Way
from runner.migrations.simple_query import Session, session
from runner.migrations.sql_files import SqlFile, Transaction, apply_file, bracket
from runner.servers.interface import Address

if TYPE_CHECKING:
    from runner.migrations.books import Connected


def revisions(scripts: Sequence[Script]) -> Sequence[Revision]:
    """The scripts as an adapter tells of them."""
    return [Revision(one.id, one.title, Place(one.name, 1), one.digest, one.repeatable) for one in scripts]


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
