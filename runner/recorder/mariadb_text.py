"""What a statement of MariaDB's makes, drops and renames, read from its own words: its log tells no more.

Only the form of DDL is read, never an expression: names, the parts of a table between commas, the actions of an ALTER TABLE.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from checks.schema.names import ObjectKind, ObjectReference

_TOKEN = re.compile(
    r"""(?P<blank>\s+|--(?=\s)[^\n]*|\#[^\n]*|/\*(?![!M]).*?\*/|/\*M?!\d*|\*/)
    |(?P<name>`(?:[^`]|``)*`)
    |(?P<text>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")
    |(?P<word>[\w$]+)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
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


@dataclass(frozen=True)
class Token:
    """A word as it stands, or a quoted name without its quotes; ``plain`` is the word in lower case, empty for a quoted name."""

    text: str
    plain: str


def unnamed(columns: Sequence[str]) -> str:
    """What stands for the name of a foreign key that the statement does not name."""
    return f"FOREIGN KEY ({', '.join(column.lower() for column in columns)})"


def changes(statement: str) -> list[Change]:
    """What a statement does to objects that findings can name; nothing for what is no DDL."""
    if not re.match(
        r"(?:\s|/\*.*?\*/|--\s[^\n]*\n|#[^\n]*\n)*(?:create|alter|drop|rename)\b", statement, re.IGNORECASE | re.DOTALL
    ):
        return []
    return list(_Reader(list(_tokens(statement))).read())


def _tokens(text: str) -> Iterator[Token]:
    for found in _TOKEN.finditer(text):
        match found.lastgroup:
            case "name":
                yield Token(found[0][1:-1].replace("``", "`"), "")
            case "text":
                yield Token(found[0], "''")
            case "word" | "sign":
                yield Token(found[0], found[0].lower())
            case _:
                pass


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def read(self) -> Iterator[Change]:
        verb = self._next().plain
        replaced = self._skip("or") and self._skip("replace")
        if verb == "create":
            yield from self._create(replaced)
        elif verb == "alter":
            while self._skip("online") or self._skip("ignore"):
                pass
            if self._skip("table"):
                yield from self._alter()
        elif verb == "drop":
            yield from self._drop()
        elif self._skip("table") or self._skip("tables"):
            yield from self._rename()

    # Words -----------------------------------------------------------------------------------------------------------

    def _next(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1] if self._at <= len(self._tokens) else Token("", "")

    def _peek(self, ahead: int = 0) -> str:
        place = self._at + ahead
        return self._tokens[place].plain if place < len(self._tokens) else ""

    def _skip(self, *words: str) -> bool:
        if [self._peek(number) for number in range(len(words))] == list(words):
            self._at += len(words)
            return True
        return False

    def _condition(self) -> None:
        """IF EXISTS, IF NOT EXISTS."""
        if self._skip("if"):
            self._skip("not")
            self._skip("exists")

    def _name(self) -> str:
        """A name; of ``shop.orders`` the last part."""
        self._condition()
        name = self._next().text
        while self._peek() == ".":
            self._at += 1
            name = self._next().text
        return name

    def _columns(self) -> tuple[str, ...]:
        """The names in the parentheses that follow."""
        while self._at < len(self._tokens) and self._peek() != "(":
            self._at += 1
        inside = self._group()
        return tuple(part[0].text for part in _split(inside) if part)

    def _group(self) -> list[Token]:
        """What stands in the parentheses that follow."""
        if self._peek() != "(":
            return []
        start, depth = self._at + 1, 0
        while self._at < len(self._tokens):
            sign = self._next().plain
            depth += (sign == "(") - (sign == ")")
            if not depth:
                break
        return self._tokens[start : self._at - 1]

    # Statements ------------------------------------------------------------------------------------------------------

    def _create(self, replaced: bool) -> Iterator[Change]:
        temporary = self._skip("temporary")
        if self._skip("table"):
            name = self._name()
            if not temporary:
                if replaced:
                    yield Change(dropped=_table(name))
                yield from self._table(name)
            return
        self._definer()
        unique = self._skip("unique") or self._skip("fulltext") or self._skip("spatial")
        if unique or self._peek() == "index":
            self._skip("index")
            index = self._name()
            while self._at < len(self._tokens) and not self._skip("on"):
                self._at += 1
            yield Change(_of(ObjectKind.INDEX, self._name(), index))
        elif self._skip("view"):
            yield Change(ObjectReference(ObjectKind.VIEW, "", "", self._name()), again=replaced)
        elif self._skip("trigger"):
            trigger = self._name()
            while self._at < len(self._tokens) and not self._skip("on"):
                self._at += 1
            yield Change(_of(ObjectKind.TRIGGER, self._name(), trigger), again=replaced)

    def _definer(self) -> None:
        """``ALGORITHM = …``, ``DEFINER = …``, ``SQL SECURITY …`` before what is made."""
        made = ("view", "trigger", "index", "unique", "fulltext", "spatial", "procedure", "function", "event", "sequence")
        while self._at < len(self._tokens) and self._peek() not in made:
            self._at += 1

    def _table(self, name: str) -> Iterator[Change]:
        yield Change(_table(name))
        for part in filter(None, _split(self._group())):
            yield from _Reader(part)._part(name)

    def _part(self, table: str) -> Iterator[Change]:
        """A part of CREATE TABLE, or what follows ADD."""
        word = self._peek()
        if word not in _PARTS:
            yield from self._column(table)
            return
        name = ""
        if self._skip("constraint") and self._peek() not in _PARTS:
            name = self._name()
        if self._skip("foreign", "key"):
            self._condition()
            yield Change(_of(ObjectKind.CONSTRAINT, table, name or unnamed(self._columns())))
        elif self._skip("primary", "key"):
            yield Change(_of(ObjectKind.INDEX, table, _PRIMARY))
        elif self._skip("check"):
            yield Change(_of(ObjectKind.CONSTRAINT, table, name or "CHECK"))
        else:
            yield from self._index(table, name)

    def _index(self, table: str, name: str) -> Iterator[Change]:
        known = [self._skip(word) for word in ("unique", "fulltext", "spatial", "key", "index")]
        if not any(known):
            return
        if self._peek() not in ("(", "using"):
            name = self._name()
        yield Change(_of(ObjectKind.INDEX, table, name or next(iter(self._columns()), "")))

    def _column(self, table: str) -> Iterator[Change]:
        name = self._name()
        yield Change(_of(ObjectKind.COLUMN, table, name))
        depth = 0
        while self._at < len(self._tokens):
            word = self._next().plain
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
        table = self._name()
        for action in _split(self._tokens[self._at :]):
            yield from _Reader(action)._action(table)

    def _action(self, table: str) -> Iterator[Change]:
        if self._skip("add"):
            yield from self._added(table)
        elif self._skip("modify") or self._skip("change"):
            yield from self._changed(table)
        elif self._skip("drop"):
            yield from self._dropped(table)
        elif self._skip("rename"):
            yield from self._renamed(table)
        elif self._skip("alter"):
            self._skip("column")
            if self._peek() not in ("index", "key"):
                yield Change(_of(ObjectKind.COLUMN, table, self._name()), again=True)

    def _added(self, table: str) -> Iterator[Change]:
        self._skip("column")
        self._condition()
        if self._peek() == "(":
            for part in filter(None, _split(self._group())):
                yield from _Reader(part)._part(table)
        elif self._peek() != "partition":
            yield from self._part(table)

    def _changed(self, table: str) -> Iterator[Change]:
        changing = self._tokens[self._at - 1].plain == "change"
        self._skip("column")
        name = self._name()
        if changing:
            older, name = name, self._name()
            if older.lower() != name.lower():
                yield Change(_of(ObjectKind.COLUMN, table, name), older=_of(ObjectKind.COLUMN, table, older))
        yield Change(_of(ObjectKind.COLUMN, table, name), again=True)

    def _dropped(self, table: str) -> Iterator[Change]:
        if self._skip("foreign", "key") or self._skip("check"):
            yield Change(dropped=_of(ObjectKind.CONSTRAINT, table, self._name()))
        elif self._skip("constraint"):
            name = self._name()
            yield Change(dropped=_of(ObjectKind.CONSTRAINT, table, name))
            yield Change(dropped=_of(ObjectKind.INDEX, table, name))
        elif self._skip("primary", "key"):
            yield Change(dropped=_of(ObjectKind.INDEX, table, _PRIMARY))
        elif self._skip("index") or self._skip("key"):
            yield Change(dropped=_of(ObjectKind.INDEX, table, self._name()))
        elif not self._skip("partition"):
            self._skip("column")
            yield Change(dropped=_of(ObjectKind.COLUMN, table, self._name()))

    def _renamed(self, table: str) -> Iterator[Change]:
        kinds = {"column": ObjectKind.COLUMN, "index": ObjectKind.INDEX, "key": ObjectKind.INDEX}
        kind = next((kinds[word] for word in kinds if self._skip(word)), None)
        if kind is None:
            self._skip("to")
            self._skip("as")
            yield Change(_table(self._name()), older=_table(table))
        else:
            older = self._name()
            self._skip("to")
            yield Change(_of(kind, table, self._name()), older=_of(kind, table, older))

    def _drop(self) -> Iterator[Change]:
        self._skip("temporary")
        if self._skip("table") or self._skip("tables"):
            for part in _split(self._tokens[self._at :]):
                yield Change(dropped=_table(_Reader(part)._name()))
        elif self._skip("view"):
            yield Change(dropped=ObjectReference(ObjectKind.VIEW, "", "", self._name()))
        elif self._skip("index"):
            index = self._name()
            self._skip("on")
            yield Change(dropped=_of(ObjectKind.INDEX, self._name(), index))

    def _rename(self) -> Iterator[Change]:
        for part in _split(self._tokens[self._at :]):
            one = _Reader(part)
            older = one._name()
            one._skip("to")
            yield Change(_table(one._name()), older=_table(older))


def _split(tokens: list[Token]) -> list[list[Token]]:
    """At the commas outside of parentheses."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.plain == "(") - (token.plain == ")")
        if token.plain == "," and not depth:
            parts.append([])
        elif token.plain != ";":
            parts[-1].append(token)
    return parts


def _table(name: str) -> ObjectReference:
    return ObjectReference(ObjectKind.TABLE, "", name)


def _of(kind: ObjectKind, table: str, name: str) -> ObjectReference:
    return ObjectReference(kind, "", table, name)


def words(statement: str) -> frozenset[str]:
    """All words and quoted names of a statement, as they stand there; none of its strings and comments."""
    return frozenset(token.text for token in _tokens(statement) if token.plain != "''")
