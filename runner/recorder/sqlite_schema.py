"""Which statement made each object of a SQLite database, from what was told of each change of its schema table.

SQLite changes most of a table by making it anew: another table, the rows copied, the old one dropped, the new one renamed
(lang_altertable.html; Alembic's batch mode and others do it unasked). What came through that unchanged keeps its maker.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from checks.evidence import Made, Place, Rewrite, Statement
from checks.schema.names import ObjectKind, ObjectReference
from checks.schema.sqlite import check_names, key_name
from checks.schema.sqlite_text import table_text
from checks.schema.sqlite_tokens import tokens
from checks.work import TableWork, Work
from runner.migrations.interface import Ran, SchemaRow
from runner.recorder.recording import Recording

_Key = tuple[str, str]
#: What an object is, apart from its name: two that are equal are the same thing.
_Definition = tuple[object, ...]
_Parts = Mapping[ObjectReference, _Definition]

_RENAME = re.compile(r"(?:\s|/\*.*?\*/|--[^\n]*\n)*alter\s+table\b.*\brename\b", re.IGNORECASE | re.DOTALL)
_KINDS = {"index": ObjectKind.INDEX, "trigger": ObjectKind.TRIGGER}


@dataclass(frozen=True)
class _Grave:
    """An object that was dropped: what it was, who made it, and where it was dropped."""

    definition: _Definition
    maker: Statement
    place: Place | None


class Schema:
    """The schema while statements are gone through in order, and the maker of everything in it."""

    def __init__(self) -> None:
        self.rows: dict[_Key, SchemaRow] = {}
        self.makers: dict[ObjectReference, Statement] = {}
        self._parts: dict[_Key, _Parts] = {}
        self._graves: dict[ObjectReference, _Grave] = {}

    def enter(self, statement: Statement, told: Ran) -> Statement:
        """Enter a statement's change; gives the statement with what it made and dropped."""
        before, after = self._change(told)
        older: Mapping[ObjectReference, ObjectReference] = {}
        if _RENAME.match(statement.text):
            older = _renamed(before, after)
            before = {**before, **{one: definition for one, definition in after.items() if one in before}}  # only names changed
        made = [one for one, definition in after.items() if self._make(statement, one, definition, before, older.get(one))]
        dropped = [one for one in before if one not in after]
        self._bury(statement, [one for one in dropped if one not in older.values()], before)
        for one in dropped:
            self.makers.pop(one, None)
        return replace(
            statement,
            made=tuple(made),
            dropped=() if older else tuple(dropped),
            rewrites=tuple(self._anew(statement, older)),
            work=Work((TableWork("", changed=told.rows),), None) if told.rows else None,
        )

    def _change(self, told: Ran) -> tuple[_Parts, _Parts]:
        """Enter the rows that are gone and there; gives the parts of these before, and after."""
        changed = [*told.gone, *((row.kind, row.name) for row in told.there)]
        before = _merged(self._parts.get(key, {}) for key in changed)
        for key in told.gone:
            self.rows.pop(key, None)
            self._parts.pop(key, None)
        for row in told.there:
            self.rows[row.kind, row.name] = row
            self._parts[row.kind, row.name] = _parts(row)
        return before, _merged(self._parts.get(key, {}) for key in changed)

    def _anew(self, statement: Statement, older: Mapping[ObjectReference, ObjectReference]) -> Iterator[Rewrite]:
        """Tables that get the name of one that the same file dropped before: that is how SQLite changes most of a table."""
        for now, then in older.items():
            grave = self._graves.get(now) if now.kind is ObjectKind.TABLE else None
            if grave is not None and _is_anew(grave.place, statement.place, renamed=True):
                yield Rewrite(now.relation, f"made anew as {then.relation}, and renamed")

    def _bury(self, statement: Statement, dropped: Sequence[ObjectReference], before: _Parts) -> None:
        """Keep what is dropped, as it may come back. A table that goes a second time takes what the first one had with it."""
        gone = {one.relation for one in dropped if one.kind is ObjectKind.TABLE}
        self._graves = {one: grave for one, grave in self._graves.items() if one.relation not in gone}
        for one in dropped:
            if one in self.makers:
                self._graves[one] = _Grave(before[one], self.makers[one], statement.place)

    def _make(
        self, statement: Statement, one: ObjectReference, definition: _Definition, before: _Parts, older: ObjectReference | None
    ) -> bool:
        """Settle who made an object; whether it was this statement."""
        if one in before and before[one] == definition:
            return False
        grave = self._graves.get(one)
        carried = self.makers.get(older) if older else None
        if grave and grave.definition == definition and _is_anew(grave.place, statement.place, carried is not None):
            self.makers[one] = grave.maker
            return False
        self.makers[one] = carried or statement
        return carried is None


def _is_anew(dropped: Place | None, made: Place | None, renamed: bool) -> bool:
    """Whether what was dropped comes back: with its table under the old name, or by the same line of a migration."""
    if dropped is None or made is None:
        return dropped == made and renamed
    return dropped.file == made.file if renamed else dropped == made


def folded(recordings: Iterable[Recording]) -> Schema:
    """The schema after recordings, without what was undone."""
    schema = Schema()
    for recording in recordings:
        for statement, told in zip(recording.statements, recording.told, strict=True):
            if not statement.undone:
                schema.enter(statement, told)
    return schema


def record(told: Sequence[Ran], after: Iterable[Recording], actual: Iterable[SchemaRow]) -> Recording:
    """What was told as a recording. ``actual`` is the schema table at the end: what it does not show any more was undone.

    What nobody told of (a program in another language did it) is one statement more, without text and place.
    """
    schema = folded(after)
    held = {(row.kind, row.name): row for row in actual}
    before = {name for kind, name in schema.rows if kind == "table"}
    statements: list[Statement] = []
    lasting = 0 if schema.rows == held else None
    for number, one in enumerate(told, 1):
        entered = schema.enter(one.statement, one)
        statements.append(replace(entered, rewrites=tuple(each for each in entered.rewrites if each.relation in before)))
        lasting = number if schema.rows == held else lasting
    if lasting is not None:
        statements[lasting:] = [replace(statement, undone=True) for statement in statements[lasting:]]
        return Recording(tuple(statements), told=tuple(told))
    gone = tuple(key for key in schema.rows if key not in held)
    unheard = Ran(Statement(""), gone, tuple(row for key, row in held.items() if schema.rows.get(key) != row))
    return Recording((*statements, schema.enter(unheard.statement, unheard)), told=(*told, unheard))


def resolve(recordings: Sequence[Recording], revisions: Mapping[str, str]) -> dict[ObjectReference, Made]:
    """The statement that made each object, as far as a statement with a place did."""
    return {
        one: Made(maker.place, maker.text, maker.revision or revisions.get(maker.place.file))
        for one, maker in folded(recordings).makers.items()
        if maker.place
    }


def _merged(several: Iterable[_Parts]) -> dict[ObjectReference, _Definition]:
    return {one: definition for parts in several for one, definition in parts.items()}


def _renamed(before: _Parts, after: _Parts) -> dict[ObjectReference, ObjectReference]:
    """What each object was called before a RENAME, which changes neither the number nor the order of what a table has."""
    tables_before, tables_after = (list(dict.fromkeys(one.relation for one in parts)) for parts in (before, after))
    gone = [name for name in tables_before if name not in tables_after]
    new = [name for name in tables_after if name not in tables_before]
    called = dict(zip(new, gone, strict=True)) if len(new) == len(gone) else {}
    older: dict[ObjectReference, ObjectReference] = {}
    for table in tables_after:
        for kind in ObjectKind:
            was = [one for one in before if one.kind is kind and one.relation == called.get(table, table)]
            is_now = [one for one in after if one.kind is kind and one.relation == table]
            if len(was) == len(is_now):
                older.update({now: then for then, now in zip(was, is_now, strict=True) if then != now})
    return older


def _parts(row: SchemaRow) -> _Parts:
    """What a row of the schema table stands for, in the order in which it is written."""
    if row.kind == "table":
        return dict(_of_table(row)) if not row.sql[:20].lower().startswith("create virtual") else {}
    if row.kind in _KINDS:
        return {ObjectReference(_KINDS[row.kind], "", row.table, row.name): _plain(row.sql)}
    return {ObjectReference(ObjectKind.VIEW, "", "", row.name): _plain(row.sql)}


def _of_table(row: SchemaRow) -> Iterator[tuple[ObjectReference, _Definition]]:
    written = table_text(row.sql)
    yield ObjectReference(ObjectKind.TABLE, "", row.name), ()
    for column in written.columns:
        yield ObjectReference(ObjectKind.COLUMN, "", row.name, column.name), column.plain
    for key in written.references:
        named = ObjectReference(ObjectKind.CONSTRAINT, "", row.name, key_name(key))
        sides = (_lower(key.columns), key.parent.lower(), _lower(key.parent_columns))
        yield named, (*sides, key.rules, key.deferrable, key.initially_deferred)
    for name, check in zip(check_names(written), written.checks, strict=True):
        yield ObjectReference(ObjectKind.CONSTRAINT, "", row.name, name), check.plain
    for unique in written.keys:
        if unique.name:
            yield ObjectReference(ObjectKind.CONSTRAINT, "", row.name, unique.name), (unique.primary, _lower(unique.columns))


def _lower(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)


def _plain(sql: str) -> _Definition:
    return tuple(token.plain for token in tokens(sql))
