"""From MariaDB's log to what happened: the project's statements, what they made, and the sessions that it came in.

The log is written before a statement runs, so it does not say which failed. What a statement would make that is there already was
made by the one before it, and at the end only what exists counts. Of new migrations it also says, behind each statement, what the
server's counters have moved by (``mariadb_counters.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from checks.evidence import Made, Statement
from checks.schema.model import Catalogue, Table
from checks.schema.names import ObjectKind, ObjectReference
from runner.recorder.mariadb_drafts import Drafts
from runner.recorder.mariadb_text import changes, unnamed
from runner.recorder.mariadb_watching import Timed
from runner.recorder.reading import LONGEST
from runner.recorder.recording import Recording
from runner.recorder.stamps import unstamp
from runner.servers.interface import OURS, LogRecord

_SENT = frozenset({"Query", "Execute"})
_CAME = re.compile(r"^(?P<user>.*?)@.*? on (?P<database>.*?)(?: using .*)?$", re.DOTALL)
#: Statements that change nothing.
_READING = re.compile(
    r"\s*(?:select|set|show|use|commit|rollback|begin|start|describe|explain|do|savepoint|release)\b", re.IGNORECASE
)


def read(
    records: Iterable[LogRecord],
    database: str,
    owner: str,
    after: Sequence[Recording] = (),
    version: tuple[int, ...] = (),
    timed: Sequence[Timed] = (),
) -> Recording:
    """What was executed in one database: every statement of a session that is in it, but those that only read.

    ``version`` is the server's, which tells what locks it takes, ``timed`` how long statements took, where that is known.
    """
    schema = _Schema()
    for recording in after:
        for statement in recording.statements:
            schema.enter(statement)
    inside: dict[str, str] = {}
    came: set[str] = set()
    drafts = Drafts(version, timed)
    for record in records:
        if record.user == OURS:
            drafts.move(record.sent)
        elif record.message == "Connect":
            found = _CAME.match(record.sent)
            inside[record.session] = found["database"] if found else ""
            if found and (found["database"] == database or found["user"] == owner):
                came.add(record.session)
        elif record.message == "Init DB":
            inside[record.session] = record.sent
        elif record.message in _SENT and inside.get(record.session, database) in (database, ""):
            drafts.add(record.session, record.sent, [schema.enter(each) for each in _statements(record.sent)])
    return Recording(tuple(drafts.statements), sessions=frozenset(came))


def _statements(text: str) -> Iterator[Statement]:
    for place, sent in unstamp(text):
        if not _READING.match(sent):
            yield Statement(sent[:LONGEST], place)


def resolve(
    recordings: Sequence[Recording], catalogue: Catalogue, revisions: Mapping[str, str]
) -> Mapping[ObjectReference, Made]:
    """The statement that made each object that exists, as far as a statement with a place did."""
    schema = _Schema()
    for recording in recordings:
        for statement in recording.statements:
            schema.enter(statement)
    return {
        one: Made(maker.place, maker.text, maker.revision or revisions.get(maker.place.file))
        for one, maker in _of_catalogue(schema, catalogue)
        if maker is not None and maker.place is not None
    }


def _of_catalogue(schema: _Schema, catalogue: Catalogue) -> Iterator[tuple[ObjectReference, Statement | None]]:
    for table in catalogue.tables:
        yield table.reference, schema.maker(table.reference)
        yield from ((one, schema.maker(one)) for one in _parts(table))
        for key in table.foreign_keys:
            stands_in = ObjectReference(ObjectKind.CONSTRAINT, "", table.name.name, unnamed(key.columns))
            yield key.reference, schema.maker(key.reference) or schema.maker(stands_in)
        for index in table.indexes:
            constraint = ObjectReference(ObjectKind.CONSTRAINT, "", table.name.name, index.name)
            yield index.reference, schema.maker(index.reference) or schema.maker(constraint)
            if index.constraint:
                yield constraint, schema.maker(index.reference)
    yield from ((one, maker) for one, maker in schema.makers() if one.kind is ObjectKind.VIEW)


def _parts(table: Table) -> Iterator[ObjectReference]:
    yield from (ObjectReference(ObjectKind.COLUMN, "", table.name.name, column.name) for column in table.columns)
    yield from (check.reference for check in table.checks)
    yield from (trigger.reference for trigger in table.triggers)


class _Schema:
    """What exists while statements are gone through in order, and who made it; makers of what is gone are kept.

    Names of columns, indexes and constraints know no case.
    """

    def __init__(self) -> None:
        self._makers: dict[ObjectReference, tuple[ObjectReference, Statement]] = {}
        self._there: set[ObjectReference] = set()

    def maker(self, one: ObjectReference) -> Statement | None:
        found = self._makers.get(_plain(one))
        return found[1] if found else None

    def makers(self) -> Iterator[tuple[ObjectReference, Statement]]:
        yield from self._makers.values()

    def enter(self, statement: Statement) -> Statement:
        """Enter a statement; gives it with what it made and dropped."""
        made: list[ObjectReference] = []
        dropped: list[ObjectReference] = []
        for change in changes(statement.text):
            if change.older is not None and change.made is not None:
                self._rename(change.older, change.made)
            elif change.dropped is not None:
                dropped.extend(self._drop(change.dropped))
            elif change.made is not None and (change.again or _plain(change.made) not in self._there):
                made.append(change.made)
        for one in made:  # after all: parts of a table that is there already are there as well
            self._there.add(_plain(one))
            self._makers[_plain(one)] = one, statement
        return Statement(
            statement.text, statement.place, statement.revision, statement.seconds, tuple(dict.fromkeys(made)), tuple(dropped)
        )

    def _drop(self, one: ObjectReference) -> list[ObjectReference]:
        plain = _plain(one)
        gone = [other for other in self._there if other == plain or (_is_table(plain) and other.relation == plain.relation)]
        self._there.difference_update(gone)
        named = [self._makers[other][0] for other in gone if other in self._makers]
        return sorted(named) if gone else []

    def _rename(self, older: ObjectReference, newer: ObjectReference) -> None:
        for plain, (one, maker) in list(self._makers.items()):
            if plain == _plain(older) or (_is_table(older) and plain.relation == older.relation):
                name = newer.relation if _is_table(older) else one.relation
                moved = ObjectReference(one.kind, one.schema, name, newer.name if not _is_table(older) else one.name)
                self._makers[_plain(moved)] = moved, maker
                if plain in self._there:
                    self._there.discard(plain)
                    self._there.add(_plain(moved))


def _is_table(one: ObjectReference) -> bool:
    return one.kind is ObjectKind.TABLE


def _plain(one: ObjectReference) -> ObjectReference:
    return ObjectReference(one.kind, "", one.relation, one.name.lower())
