"""The state of a relational database, whatever the engine, and in what two of them differ.

A state is its objects, each with facts as text (``type``, ``default``, ``definition``), and of each table how many rows it has
and a digest of them. What belongs to an object that is gone is gone with it, and not said again. The order of columns is no fact:
what is dropped and added again stands at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from checks.reversals import Difference, DifferenceKind
from checks.schema.bookkeeping import BOOKKEEPING
from checks.schema.names import ObjectKind, ObjectReference, TableName, table_reference
from runner.servers.interface import Database
from runner.undoing.facts import Facts, difference

_BOOKKEEPING = frozenset(name.lower() for name in BOOKKEEPING)

#: How many columns are named in which rows differ.
_MOST = 5


@dataclass(frozen=True)
class Content:
    """What a table holds: ``digest`` is of the rows by ``columns`` (name and type), in no order; empty where it was not asked.

    ``key`` are the columns of its primary key. Columns that the server computes are left out.
    """

    rows: int
    digest: str
    columns: Mapping[str, str]
    key: tuple[str, ...] = ()


@dataclass(frozen=True)
class State:
    """All that a database holds. ``within`` says what an object goes with, where its own name does not."""

    objects: Mapping[ObjectReference, Facts]
    contents: Mapping[TableName, Content]
    within: Mapping[ObjectReference, ObjectReference] = field(default_factory=dict)


@dataclass(frozen=True)
class Unlike:
    """How many rows are there no more, are there in addition, or hold something else, with the columns concerned."""

    missing: int = 0
    extra: int = 0
    changed: int = 0
    columns: tuple[str, ...] = ()


class Rows(Protocol):
    """How an engine compares what two databases hold in a table. Raises ServerFailed."""

    def unlike(self, before: Database, after: Database, table: TableName, columns: Sequence[str], key: Sequence[str]) -> Unlike:
        """What became of the rows, by these columns; without a key by how often each row is there."""
        ...

    def values(self, database: Database, table: TableName, column: str) -> int:
        """How many rows have a value in a column."""
        ...


def differences(
    before: State, after: State, rows: Rows, live: tuple[Database, Database] | None = None, numbers: bool = False
) -> tuple[Difference, ...]:
    """In what the later state differs, table by table, and what belongs to none last."""
    found = [*_structure(before, after, rows, live), *_contents(before, after, rows, live, numbers)]
    return tuple(sorted(found, key=_place))


def bookkeeping(state: State, table: ObjectReference) -> bool:
    """Whether a table is a migration tool's: by its name, or the one column that Alembic's has under every name."""
    content = state.contents.get(TableName(table.schema, table.relation))
    return table.relation.lower() in _BOOKKEEPING or (content is not None and set(content.columns) == {"version_num"})


def without_books(state: State) -> State:
    """The state without the tables of migration tools, and all that belongs to them."""
    books = {one for one in state.objects if one.kind is ObjectKind.TABLE and bookkeeping(state, one)}
    if not books:
        return state
    names = {TableName(one.schema, one.relation) for one in books}
    objects = {
        one: facts
        for one, facts in state.objects.items()
        if TableName(one.schema, one.relation) not in names and _table_of(state.within.get(one, one)) not in books
    }
    contents = {name: content for name, content in state.contents.items() if name not in names}
    return State(objects, contents, state.within)


def as_dumped(state: State) -> State:
    """The state without what ``pg_dump --no-owner --no-privileges`` and its like leave out."""
    left_out = {one for one in state.objects if one.kind is ObjectKind.OTHER and _NOT_DUMPED.match(one.name)}
    objects = {
        one: {name: fact for name, fact in facts.items() if not _OF_ROLES.match(name)}
        for one, facts in state.objects.items()
        if one not in left_out
    }
    return replace(state, objects=objects)


#: Objects and facts that are of roles, or of the database as a whole.
_NOT_DUMPED = re.compile(r"(?:default privileges|settings of the database)\b")
_OF_ROLES = re.compile(r"(?:owner|privileges)\b")


def _place(one: Difference) -> tuple[bool, str, str, bool, str, str]:
    of = one.of
    return not of.relation, of.schema, of.relation, of.kind is not ObjectKind.TABLE, of.kind.value, of.name


def _structure(before: State, after: State, rows: Rows, live: tuple[Database, Database] | None) -> Iterator[Difference]:
    moved = _with_other_parents(before, after)
    gone = _apart(before, _outside(before.objects.keys() - after.objects.keys(), moved))
    come = _apart(after, _outside(after.objects.keys() - before.objects.keys(), moved))
    for was, now in _renamed(before, after, gone, come):
        yield Difference(was, DifferenceKind.CHANGED, words=f"is called {now.name}", renamed=True)
        gone.remove(was)
        come.remove(now)
    for one in gone:
        yield Difference(one, DifferenceKind.MISSING, _lost(one, before, rows, live))
    for one in come:
        yield Difference(one, DifferenceKind.EXTRA, _held(one, after))
    for one in before.objects.keys() & after.objects.keys():
        if words := difference(before.objects[one], after.objects[one]):
            yield Difference(one, DifferenceKind.CHANGED, words=words)


def _with_other_parents(before: State, after: State) -> set[ObjectReference]:
    """Tables that inherit from others now, or are partitions of others: what was inherited is their own then, or the reverse."""
    tables = [one for one in before.objects.keys() & after.objects.keys() if one.kind is ObjectKind.TABLE]
    return {one for one in tables if before.objects[one].get("parents") != after.objects[one].get("parents")}


def _outside(some: set[ObjectReference], tables: set[ObjectReference]) -> set[ObjectReference]:
    return {one for one in some if _table_of(one) not in tables}


def _apart(state: State, some: set[ObjectReference]) -> list[ObjectReference]:
    """Those that do not belong to another of them."""
    relations = {(one.schema, _own_name(one)) for one in some if one.kind in _RELATIONS}
    schemas = {one.schema for one in some if one.kind is ObjectKind.SCHEMA}
    kept = []
    for one in some:
        held = one.kind is not ObjectKind.SCHEMA and one.schema in schemas
        part = one.kind not in _RELATIONS and (one.schema, one.relation) in relations
        within = state.within.get(one)
        if not (held or part or (within is not None and (within in some or _table_of(within) in some))):
            kept.append(one)
    return kept


_RELATIONS = frozenset({ObjectKind.TABLE, ObjectKind.VIEW, ObjectKind.TYPE})


def _own_name(one: ObjectReference) -> str:
    return one.relation if one.kind is ObjectKind.TABLE else one.name


def _table_of(one: ObjectReference) -> ObjectReference:
    return ObjectReference(ObjectKind.TABLE, one.schema, one.relation)


def _renamed(
    before: State, after: State, gone: Sequence[ObjectReference], come: Sequence[ObjectReference]
) -> list[tuple[ObjectReference, ObjectReference]]:
    """Constraints and indexes that are there under another name; what is so twice is not told apart."""
    pairs = []
    left = sorted(one for one in come if one.kind in _NAMED_ANEW)
    for was in sorted(one for one in gone if one.kind in _NAMED_ANEW):
        place = (was.kind, was.schema, was.relation)
        alike = [now for now in left if (now.kind, now.schema, now.relation) == place]
        now = next((one for one in alike if not difference(before.objects[was], after.objects[one])), None)
        if now is not None:
            left.remove(now)
            pairs.append((was, now))
    return pairs


_NAMED_ANEW = frozenset({ObjectKind.CONSTRAINT, ObjectKind.INDEX})


def _lost(one: ObjectReference, before: State, rows: Rows, live: tuple[Database, Database] | None) -> int:
    """How many rows are gone with an object: those of a table, and those that have a value in a column."""
    if one.kind is not ObjectKind.COLUMN:
        return _held(one, before)
    table = TableName(one.schema, one.relation)
    content = before.contents.get(table)
    if live is None or content is None or not content.rows or one.name not in content.columns:
        return 0
    return rows.values(live[0], table, one.name)


def _held(one: ObjectReference, state: State) -> int:
    if one.kind is ObjectKind.SCHEMA:
        return sum(content.rows for name, content in state.contents.items() if name.schema == one.schema)
    content = state.contents.get(TableName(one.schema, one.relation)) if one.kind is ObjectKind.TABLE else None
    return content.rows if content else 0


def _contents(
    before: State, after: State, rows: Rows, live: tuple[Database, Database] | None, numbers: bool
) -> Iterator[Difference]:
    for name in before.contents.keys() & after.contents.keys():
        was, now = before.contents[name], after.contents[name]
        if numbers or not (was.digest and now.digest):
            yield from _numbers(name, was, now)
        elif was != now:
            yield from _rows(name, was, now, rows, live)


def _numbers(name: TableName, was: Content, now: Content) -> Iterator[Difference]:
    if more := now.rows - was.rows:
        kind = DifferenceKind.ROWS_EXTRA if more > 0 else DifferenceKind.ROWS_MISSING
        yield Difference(table_reference(name), kind, abs(more))


def _rows(
    name: TableName, was: Content, now: Content, rows: Rows, live: tuple[Database, Database] | None
) -> Iterator[Difference]:
    """What became of rows, by the columns that are the same in both."""
    columns = [one for one in sorted(was.columns) if now.columns.get(one) == was.columns[one]]
    if live is None:
        counted = list(_numbers(name, was, now))
        unknown = [Difference(table_reference(name), DifferenceKind.ROWS_CHANGED)] if was.columns == now.columns else []
        yield from counted or unknown
        return
    if not columns or not (was.rows and now.rows):
        yield from _numbers(name, was, now)
        return
    key = was.key if was.key and set(was.key) <= set(columns) else ()
    yield from _said(name, rows.unlike(live[0], live[1], name, columns, key))


def _said(name: TableName, found: Unlike) -> Iterator[Difference]:
    table = table_reference(name)
    if found.missing:
        yield Difference(table, DifferenceKind.ROWS_MISSING, found.missing)
    if found.extra:
        yield Difference(table, DifferenceKind.ROWS_EXTRA, found.extra)
    if found.changed:
        yield Difference(table, DifferenceKind.ROWS_CHANGED, found.changed, _listed(found.columns))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"{', '.join(names[:_MOST])}{more}"
