"""What a statement of MariaDB's makes, drops and renames, read from its own words: its log tells no more.

Only the form of DDL is read, never an expression: names, the parts of a table between commas, the actions of an ALTER TABLE.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from checks.schema.names import ObjectKind, ObjectReference
from runner.recorder.mariadb_tokens import Reader, split, tokens

_PRIMARY = "PRIMARY"
#: Words that can stand where a column's name could, and begin something else.
_PARTS = frozenset(
    {"constraint", "primary", "unique", "key", "index", "fulltext", "spatial", "foreign", "check", "period", "like"}
)


@dataclass(frozen=True)
class Change:
    """``made``, ``dropped``, or with ``older`` renamed. ``again`` says that what exists already is only changed."""

    made: ObjectReference | None = None
    dropped: ObjectReference | None = None
    older: ObjectReference | None = None
    again: bool = False


def unnamed(columns: Sequence[str]) -> str:
    """What stands for the name of a foreign key that the statement does not name."""
    return f"FOREIGN KEY ({', '.join(column.lower() for column in columns)})"


def changes(statement: str) -> list[Change]:
    """What a statement does to objects that findings can name; nothing for what is no DDL."""
    if not re.match(
        r"(?:\s|/\*.*?\*/|--\s[^\n]*\n|#[^\n]*\n)*(?:create|alter|drop|rename)\b", statement, re.IGNORECASE | re.DOTALL
    ):
        return []
    return list(_Statement(list(tokens(statement))).read())


class _Statement(Reader):
    """Reads one statement, or an action or a part of one."""

    def read(self) -> Iterator[Change]:
        """What a whole statement does."""
        verb = self.next().plain
        replaced = self.skip("or") and self.skip("replace")
        if verb == "create":
            yield from self._create(replaced)
        elif verb == "alter":
            while self.skip("online") or self.skip("ignore"):
                pass
            if self.skip("table"):
                yield from self._alter()
        elif verb == "drop":
            yield from self._drop()
        elif self.skip("table") or self.skip("tables"):
            yield from self._rename()

    def _create(self, replaced: bool) -> Iterator[Change]:
        temporary = self.skip("temporary")
        if self.skip("table"):
            yield from self._create_table(replaced) if not temporary else ()
            return
        self._definer()
        if self.skip("unique") or self.skip("fulltext") or self.skip("spatial") or self.peek() == "index":
            self.skip("index")
            yield Change(self._on_a_table(ObjectKind.INDEX))
        elif self.skip("view"):
            yield Change(ObjectReference(ObjectKind.VIEW, "", "", self.name()), again=replaced)
        elif self.skip("trigger"):
            yield Change(self._on_a_table(ObjectKind.TRIGGER), again=replaced)

    def _on_a_table(self, kind: ObjectKind) -> ObjectReference:
        """``name … ON table``."""
        name = self.name()
        self.seek("on")
        self.skip("on")
        return _of(kind, self.name(), name)

    def _definer(self) -> None:
        """``ALGORITHM = …``, ``DEFINER = …``, ``SQL SECURITY …`` before what is made."""
        self.seek("view", "trigger", "index", "unique", "fulltext", "spatial", "procedure", "function", "event", "sequence")

    def _create_table(self, replaced: bool) -> Iterator[Change]:
        name = self.name()
        if replaced:
            yield Change(dropped=_table(name))
        yield Change(_table(name))
        for part in filter(None, split(self.group())):
            yield from _Statement(part)._part(name)

    def _part(self, table: str) -> Iterator[Change]:
        """A part of CREATE TABLE, or what follows ADD."""
        word = self.peek()
        if word not in _PARTS:
            yield from self._column(table)
            return
        name = ""
        if self.skip("constraint") and self.peek() not in _PARTS:
            name = self.name()
        if self.skip("foreign", "key"):
            self.condition()
            yield Change(_of(ObjectKind.CONSTRAINT, table, name or unnamed(self.columns())))
        elif self.skip("primary", "key"):
            yield Change(_of(ObjectKind.INDEX, table, _PRIMARY))
        elif self.skip("check"):
            yield Change(_of(ObjectKind.CONSTRAINT, table, name or "CHECK"))
        else:
            yield from self._index(table, name)

    def _index(self, table: str, name: str) -> Iterator[Change]:
        known = [self.skip(word) for word in ("unique", "fulltext", "spatial", "key", "index")]
        if not any(known):
            return
        if self.peek() not in ("(", "using"):
            name = self.name()
        yield Change(_of(ObjectKind.INDEX, table, name or next(iter(self.columns()), "")))

    def _column(self, table: str) -> Iterator[Change]:
        name = self.name()
        yield Change(_of(ObjectKind.COLUMN, table, name))
        depth = 0
        while not self.ended:
            word = self.next().plain
            depth += (word == "(") - (word == ")")
            if depth:
                continue
            if word == "unique":
                yield Change(_of(ObjectKind.INDEX, table, name))
            elif word == "primary":
                yield Change(_of(ObjectKind.INDEX, table, _PRIMARY))
            elif word == "check":
                yield Change(_of(ObjectKind.CONSTRAINT, table, name))
            elif word == "references":
                yield Change(_of(ObjectKind.CONSTRAINT, table, unnamed([name])))

    def _alter(self) -> Iterator[Change]:
        table = self.name()
        for action in split(self.rest()):
            yield from _Statement(action)._action(table)

    def _action(self, table: str) -> Iterator[Change]:
        if self.skip("add"):
            yield from self._added(table)
        elif self.skip("modify") or self.skip("change"):
            yield from self._changed(table)
        elif self.skip("drop"):
            yield from self._dropped(table)
        elif self.skip("rename"):
            yield from self._renamed(table)
        elif self.skip("alter"):
            self.skip("column")
            if self.peek() not in ("index", "key"):
                yield Change(_of(ObjectKind.COLUMN, table, self.name()), again=True)

    def _added(self, table: str) -> Iterator[Change]:
        self.skip("column")
        self.condition()
        if self.peek() == "(":
            for part in filter(None, split(self.group())):
                yield from _Statement(part)._part(table)
        elif self.peek() != "partition":
            yield from self._part(table)

    def _changed(self, table: str) -> Iterator[Change]:
        changing = self.last == "change"
        self.skip("column")
        name = self.name()
        if changing:
            older, name = name, self.name()
            if older.lower() != name.lower():
                yield Change(_of(ObjectKind.COLUMN, table, name), older=_of(ObjectKind.COLUMN, table, older))
        yield Change(_of(ObjectKind.COLUMN, table, name), again=True)

    def _dropped(self, table: str) -> Iterator[Change]:
        if self.skip("foreign", "key") or self.skip("check"):
            yield Change(dropped=_of(ObjectKind.CONSTRAINT, table, self.name()))
        elif self.skip("constraint"):
            name = self.name()
            yield Change(dropped=_of(ObjectKind.CONSTRAINT, table, name))
            yield Change(dropped=_of(ObjectKind.INDEX, table, name))
        elif self.skip("primary", "key"):
            yield Change(dropped=_of(ObjectKind.INDEX, table, _PRIMARY))
        elif self.skip("index") or self.skip("key"):
            yield Change(dropped=_of(ObjectKind.INDEX, table, self.name()))
        elif not self.skip("partition"):
            self.skip("column")
            yield Change(dropped=_of(ObjectKind.COLUMN, table, self.name()))

    def _renamed(self, table: str) -> Iterator[Change]:
        kinds = {"column": ObjectKind.COLUMN, "index": ObjectKind.INDEX, "key": ObjectKind.INDEX}
        kind = next((kinds[word] for word in kinds if self.skip(word)), None)
        if kind is None:
            self.skip("to")
            self.skip("as")
            yield Change(_table(self.name()), older=_table(table))
        else:
            older = self.name()
            self.skip("to")
            yield Change(_of(kind, table, self.name()), older=_of(kind, table, older))

    def _drop(self) -> Iterator[Change]:
        self.skip("temporary")
        if self.skip("table") or self.skip("tables"):
            for part in split(self.rest()):
                yield Change(dropped=_table(Reader(part).name()))
        elif self.skip("view"):
            yield Change(dropped=ObjectReference(ObjectKind.VIEW, "", "", self.name()))
        elif self.skip("index"):
            index = self.name()
            self.skip("on")
            yield Change(dropped=_of(ObjectKind.INDEX, self.name(), index))

    def _rename(self) -> Iterator[Change]:
        for part in split(self.rest()):
            one = Reader(part)
            older = one.name()
            one.skip("to")
            yield Change(_table(one.name()), older=_table(older))


def _table(name: str) -> ObjectReference:
    return ObjectReference(ObjectKind.TABLE, "", name)


def _of(kind: ObjectKind, table: str, name: str) -> ObjectReference:
    return ObjectReference(kind, "", table, name)
