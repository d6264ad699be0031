"""Constraints that recorded statements set out to make without being sure to: in a ``DO`` block, or ``ALTER TABLE IF EXISTS``.

What PostgreSQL executes as a statement of its own is there, or it failed. A block may pass over one by a condition, or swallow
its error, and says nothing. Its text is read by tokens, so that neither comments nor quotes mislead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from checks.evidence import Place, Statement
from checks.schema.names import ObjectKind, ObjectReference, TableName
from checks.schema.sqlite_tokens import Token, tokens

#: The recorder keeps no more characters of a statement.
LONGEST = 10_000

_KINDS = frozenset({"FOREIGN", "CHECK", "UNIQUE", "PRIMARY", "EXCLUDE"})


@dataclass(frozen=True)
class Intended:
    """A constraint that a statement may have added. ``name`` is empty where it has none, or where it is put together as it runs.

    ``table`` has no schema where none is written. ``columns`` and ``parent_columns`` are those that are written, ``condition`` is
    that of a CHECK. ``kind`` is the clause's first word. ``made_some`` says that its statement made at least one constraint.
    """

    table: TableName
    name: str
    kind: str
    columns: tuple[str, ...]
    parent: TableName | None
    parent_columns: tuple[str, ...]
    condition: str
    text: str
    place: Place | None = None
    made_some: bool = False

    @property
    def reference(self) -> ObjectReference:
        """What the recorder calls it."""
        return ObjectReference(ObjectKind.CONSTRAINT, self.table.schema, self.table.name, self.name)


@dataclass(frozen=True)
class Unreadable:
    """A block of which it cannot be said what it set out to make, and why."""

    place: Place | None
    reason: str


def intended(statements: Sequence[Statement]) -> Iterator[Intended | Unreadable]:
    """Of every statement that was not undone what it may have added, in order."""
    for statement in statements:
        if statement.undone or not _may_pass_over(statement):
            continue
        yield from (_placed(one, start, statement) for one, start in _added(statement.text))
        if len(statement.text) >= LONGEST:
            yield Unreadable(statement.place, "the block is too long to be read to its end")


def _may_pass_over(statement: Statement) -> bool:
    words = [token.keyword for token in tokens(statement.text[:200])[:5]]
    return words[:1] == ["DO"] or words[:4] == ["ALTER", "TABLE", "IF", "EXISTS"]


def _placed(one: Intended, start: int, statement: Statement) -> Intended:
    """With the line of the clause itself, where the text is the file's own."""
    place = statement.place
    if place is not None and place.line is not None and place.file.endswith(".sql"):
        place = Place(place.file, place.line + statement.text[:start].count("\n"))
    return replace(one, place=place, made_some=any(thing.kind is ObjectKind.CONSTRAINT for thing in statement.made))


def _added(text: str, start: int = 0) -> Iterator[tuple[Intended, int]]:
    """Every ``ALTER TABLE … ADD …`` of a text, also of texts in it that are executed, and where it stands."""
    found = tokens(text)
    for number, token in enumerate(found):
        if token.kind == "string" and " ADD " in token.text.upper():
            yield from _added(token.name, start + token.start)
        if [one.keyword for one in found[number : number + 2]] == ["ALTER", "TABLE"]:
            yield from ((one, start + token.start) for one in _Reader(text, found, number + 2).constraints())


class _Reader:
    """Goes through one ALTER TABLE, from behind these two words to its end."""

    def __init__(self, text: str, found: Sequence[Token], at: int) -> None:
        self.text = text
        self.tokens = found
        self.at = at
        self.begun = at

    def constraints(self) -> Iterator[Intended]:
        for word in ("IF", "EXISTS", "ONLY"):
            self._taken(word)
        table = self._table()
        while self.at < len(self.tokens) and self.word != ";":
            if not self._taken("ADD"):
                self.at += 1
                continue
            one = self._constraint(table)
            if one is not None:
                yield one

    @property
    def word(self) -> str:
        return self.tokens[self.at].keyword if self.at < len(self.tokens) else ""

    def _taken(self, *words: str) -> bool:
        if [token.keyword for token in self.tokens[self.at : self.at + len(words)]] != list(words):
            return False
        self.at += len(words)
        return True

    def _constraint(self, table: TableName) -> Intended | None:
        named = self._taken("CONSTRAINT")
        name = self._name() if named else ""
        while named and not name and self.at < len(self.tokens) and self.word not in (*_KINDS, ",", ";"):
            self.at += 1  # %I
        kind = self.word
        if kind not in _KINDS:
            return None
        self.at += 1
        self._taken("KEY")
        start = self.at
        columns = self._names() if self.word == "(" else ()
        condition = self._between(start) if kind == "CHECK" else ""
        parent: TableName | None = None
        parent_columns: tuple[str, ...] = ()
        if kind == "FOREIGN" and self._taken("REFERENCES"):
            parent = self._table()
            parent_columns = self._names() if self.word == "(" else ()
        columns = columns if kind in ("FOREIGN", "UNIQUE", "PRIMARY") else ()
        return Intended(table, name, kind, columns, parent, parent_columns, condition, self._text())

    def _table(self) -> TableName:
        name = self._name()
        if self.word != ".":
            return TableName("", name)
        self.at += 1
        return TableName(name, self._name())

    def _name(self) -> str:
        """A name as the server takes it; nothing where something else stands there (``%I``, the end of a text)."""
        token = self.tokens[self.at] if self.at < len(self.tokens) else Token("other", "", 0, 0)
        if token.kind not in ("word", "name"):
            return ""
        self.at += 1
        return token.text if token.kind == "name" else token.text.lower()

    def _names(self) -> tuple[str, ...]:
        """The names of a list in parentheses, and step over it."""
        start, depth = self.at, 0
        while self.at < len(self.tokens):
            depth += {"(": 1, ")": -1}.get(self.word, 0)
            self.at += 1
            if depth == 0:
                break
        inner = [token for token in self.tokens[start + 1 : self.at - 1] if token.kind in ("word", "name")]
        return tuple(token.text if token.kind == "name" else token.text.lower() for token in inner)

    def _between(self, start: int) -> str:
        inner = self.tokens[start + 1 : self.at - 1]
        return self.text[inner[0].start : inner[-1].end] if inner else ""

    def _text(self) -> str:
        """The statement up to the end of this clause, with what is said of its rules."""
        last = self.at
        while last < len(self.tokens) and self.tokens[last].keyword not in (",", ";"):
            last += 1
        end = self.tokens[last - 1].end
        return " ".join(self.text[self.tokens[self.begun - 2].start : end].split())


@dataclass(frozen=True)
class Renamed:
    """``ALTER TABLE table RENAME TO new``, or with ``constraint`` that of one of its constraints."""

    table: TableName
    constraint: str
    new: str


def renamed(statements: Sequence[Statement]) -> Iterator[Renamed]:
    """Every table and constraint that statements gave another name."""
    for statement in statements:
        if statement.undone or "rename" not in statement.text.lower():
            continue
        found = tokens(statement.text)
        for number in range(len(found)):
            if [one.keyword for one in found[number : number + 2]] == ["ALTER", "TABLE"]:
                yield from _Renames(statement.text, found, number + 2).renames()


class _Renames(_Reader):
    def renames(self) -> Iterator[Renamed]:
        for word in ("IF", "EXISTS", "ONLY"):
            self._taken(word)
        table = self._table()
        if not self._taken("RENAME"):
            return
        constraint = self._name() if self._taken("CONSTRAINT") else ""
        if self._taken("TO"):
            yield Renamed(table, constraint, self._name())
