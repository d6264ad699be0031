"""Reads what SQLite keeps only as text: of a CREATE TABLE the names of constraints, CHECKs, deferral, collations.

``PRAGMA foreign_key_list`` knows no names, and no pragma knows a CHECK. The text in ``sqlite_master`` has been through SQLite's
own parser, so that what is read here is known to be well formed (lang_createtable.html).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from checks.schema.sqlite_tokens import Token, tokens

_TABLE_CONSTRAINTS = frozenset({"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"})
_COLUMN_CONSTRAINTS = frozenset(
    {"CONSTRAINT", "PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "COLLATE", "REFERENCES", "GENERATED", "AS"}
)


@dataclass(frozen=True)
class ReferenceText:
    """A foreign key as it is written; without ``parent_columns`` it means the parent's primary key."""

    name: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    rules: tuple[str, ...]
    deferrable: bool
    initially_deferred: bool


@dataclass(frozen=True)
class CheckText:
    """A CHECK as it is written, and its tokens: two that are equal mean the same."""

    name: str
    expression: str
    plain: tuple[str, ...]


@dataclass(frozen=True)
class ColumnText:
    """A column: its type, its collation, and whatever of its definition is no constraint with a name of its own.

    ``computed`` is the expression that a generated column is computed by.
    """

    name: str
    type: str
    collation: str | None
    plain: tuple[str, ...]
    computed: str | None = None


@dataclass(frozen=True)
class KeyText:
    """A PRIMARY KEY or UNIQUE, with its columns where they are plain."""

    name: str
    primary: bool
    columns: tuple[str, ...]


@dataclass
class TableText:
    """A CREATE TABLE, in the order in which it is written."""

    columns: list[ColumnText] = field(default_factory=list)
    references: list[ReferenceText] = field(default_factory=list)
    checks: list[CheckText] = field(default_factory=list)
    keys: list[KeyText] = field(default_factory=list)


def table_text(sql: str) -> TableText:
    """What a CREATE TABLE of ``sqlite_master`` says."""
    return _Reader(sql).table()


class _Reader:
    """Goes through the tokens once."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.tokens = tokens(sql)
        self.at = 0
        self.found = TableText()

    def table(self) -> TableText:
        """Everything between the parentheses."""
        while self.more and self.word != "(":
            self.at += 1
        self.at += 1
        while self.more and self.word != ")":
            if self.word in _TABLE_CONSTRAINTS:
                self._constraint("", None)
            elif self.word == ",":
                self.at += 1
            else:
                self._column()
        return self.found

    @property
    def more(self) -> bool:
        return self.at < len(self.tokens)

    @property
    def word(self) -> str:
        return self.tokens[self.at].keyword if self.more else ""

    def _take(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def _name(self) -> str:
        return self._take().name

    def _any(self, *words: str) -> None:
        """Step over one of these words where it comes next."""
        if self.word in words:
            self.at += 1

    def _taken(self, *words: str) -> bool:
        """Step over these words where they come next."""
        if [token.keyword for token in self.tokens[self.at : self.at + len(words)]] != list(words):
            return False
        self.at += len(words)
        return True

    def _column(self) -> None:
        name = self._name()
        type_ = self._type()
        collation: str | None = None
        computed: str | None = None
        constraint = ""
        plain: list[str] = []
        while self.more and self.word not in (",", ")"):
            start = self.at
            if self._taken("CONSTRAINT"):
                constraint = self._name()
                continue
            if self.word in ("PRIMARY", "UNIQUE", "CHECK", "REFERENCES"):
                self._constraint(constraint, name)
            else:
                collation = self._clause() or collation
                computed = self._computed(start) or computed
                plain += [token.plain for token in self.tokens[start : self.at] if token.keyword not in ("(", ")")]
            constraint = ""
        self.found.columns.append(ColumnText(name, type_, collation, (*type_.lower().split(), *plain), computed))

    def _type(self) -> str:
        """Any names up to the first constraint, with what stands in parentheses."""
        start = self.at
        while self.more and self.word not in (",", ")", "(") and self.word not in _COLUMN_CONSTRAINTS:
            self.at += 1
        if self.at > start and self.word == "(":
            self._group()
        return self._text(start)

    def _clause(self) -> str | None:
        """NOT NULL, NULL, DEFAULT, COLLATE and GENERATED ALWAYS AS, with what belongs to them; gives a collation."""
        if self._taken("COLLATE"):
            return self._name().upper()
        if self._taken("NOT", "NULL") or self._taken("NULL"):
            self._conflict()
        elif self._taken("DEFAULT"):
            self._default()
        elif self._taken("GENERATED", "ALWAYS", "AS") or self._taken("AS"):
            self._group()
            self._any("STORED", "VIRTUAL")
        else:
            self.at += 1
        return None

    def _computed(self, start: int) -> str | None:
        """The expression of GENERATED ALWAYS AS, where the clause that began there is one."""
        clause = self.tokens[start : self.at]
        if clause[0].keyword not in ("GENERATED", "AS"):
            return None
        signs = [token for token in clause if token.keyword in ("(", ")")]
        return self.sql[signs[0].end : signs[-1].start].strip()

    def _default(self) -> None:
        self._any("+", "-")
        if self.word == "(":
            self._group()
        else:
            self.at += 1

    def _constraint(self, name: str, column: str | None) -> None:
        """One constraint, of a column or of the table."""
        if self._taken("CONSTRAINT"):
            self._constraint(self._name(), column)
        elif self._taken("PRIMARY", "KEY"):
            columns = self._key(column)
            self._any("AUTOINCREMENT")
            self.found.keys.append(KeyText(name, True, columns))
        elif self._taken("UNIQUE"):
            self.found.keys.append(KeyText(name, False, self._key(column)))
        elif self._taken("CHECK"):
            self._check(name)
        elif self._taken("FOREIGN", "KEY"):
            self._reference(name, self._names())
        elif self.word == "REFERENCES" and column is not None:
            self._reference(name, (column,))
        else:
            self.at += 1

    def _key(self, column: str | None) -> tuple[str, ...]:
        if column is not None:
            self._any("ASC", "DESC")
            columns: tuple[str, ...] = (column,)
        else:
            columns = self._names()
        self._conflict()
        return columns

    def _conflict(self) -> None:
        if self._taken("ON", "CONFLICT"):
            self.at += 1

    def _check(self, name: str) -> None:
        start = self.at
        self._group()
        inner = self.tokens[start + 1 : self.at - 1]
        self._conflict()
        expression = self.sql[inner[0].start : inner[-1].end] if inner else ""
        self.found.checks.append(CheckText(name, expression, tuple(token.plain for token in inner)))

    def _reference(self, name: str, columns: tuple[str, ...]) -> None:
        self._taken("REFERENCES")
        parent = self._name()
        parent_columns = self._names() if self.word == "(" else ()
        rules: list[str] = []
        deferrable = deferred = False
        while self.word in ("ON", "MATCH", "NOT", "DEFERRABLE"):
            if self._taken("ON"):
                event, first = self._take().keyword, self._take().keyword
                rules.append(f"{event} {first} {self._take().keyword}" if first in ("SET", "NO") else f"{event} {first}")
            elif self._taken("MATCH"):
                self.at += 1
            elif self._taken("DEFERRABLE"):
                deferrable, deferred = True, self._timing()
            elif self._taken("NOT", "DEFERRABLE"):
                self._timing()
            else:  # NOT NULL, which is the next constraint of the column
                break
        effective = tuple(sorted(rule for rule in rules if not rule.endswith("NO ACTION")))
        # Without INITIALLY DEFERRED a deferrable key is checked at once all the same (foreignkeys.html, 4.2).
        self.found.references.append(ReferenceText(name, columns, parent, parent_columns, effective, deferrable, deferred))

    def _timing(self) -> bool:
        """Whether it says INITIALLY DEFERRED."""
        return self._taken("INITIALLY", "DEFERRED") or (self._taken("INITIALLY", "IMMEDIATE") and False)

    def _names(self) -> tuple[str, ...]:
        """The columns of a list in parentheses, without what is said of their order."""
        start = self.at
        self._group()
        inner = self.tokens[start + 1 : self.at - 1]
        first = (number == 0 or inner[number - 1].keyword == "," for number in range(len(inner)))
        return tuple(token.name for token, begins in zip(inner, first, strict=True) if begins)

    def _group(self) -> None:
        """Step over a pair of parentheses and what is in it."""
        depth = 0
        while self.more:
            depth += (self.word == "(") - (self.word == ")")
            self.at += 1
            if depth == 0:
                return

    def _text(self, start: int) -> str:
        return self.sql[self.tokens[start].start : self.tokens[self.at - 1].end] if self.at > start else ""
