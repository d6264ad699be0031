"""Rules of a table's rows, and how many rows break them: all rules of single rows that a table has are counted in one scan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Text, case, cast, column, func, literal_column, select

from checks.declared.candidates import Part
from checks.evidence import Counted
from checks.interface import Engine
from checks.schema.model import Catalogue, ForeignKey
from checks.schema.names import ObjectReference, TableName
from checks.sql.orphans import listing, sample, shown, shown_row
from checks.sql.statements import copyable, named, only
from checks.targets import ReadSession, StatementFailed

#: How many of the rows, or of the values that several rows share, are shown.
SAMPLE = 5

#: Rules counted in one statement; PostgreSQL gives at most 1 664 columns.
AT_ONCE = 500

Statement = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class Rule:
    """One rule: its ``subject``, the table it holds for, and ``words`` for it (``CHECK (total > 0)``)."""

    subject: str
    table: TableName
    words: str
    objects: tuple[ObjectReference, ...]


@dataclass(frozen=True)
class RowRule(Rule):
    """A rule that each row keeps by itself: a CHECK (``expression`` in the engine's SQL), else NOT NULL of a ``column``."""

    expression: str = ""
    column: str = ""


@dataclass(frozen=True)
class UniqueRule(Rule):
    """No two rows have the same ``parts``; with ``nulls_distinct`` a row with NULL in any part is like no other."""

    parts: tuple[Part, ...] = ()
    nulls_distinct: bool = True
    predicate: str = ""


@dataclass(frozen=True)
class ReferenceRule(Rule):
    """Every row finds its parent, as a foreign key would have it."""

    key: ForeignKey | None = None


@dataclass(frozen=True)
class Counter:
    """Counts on the rows of one database; ``catalogue`` is that database's."""

    session: ReadSession
    catalogue: Catalogue
    engine: Engine

    def counted(self, rules: Sequence[Rule]) -> Iterator[tuple[Rule, Counted | StatementFailed]]:
        """Every rule with its count, or with what the server refused to count."""
        tables: dict[TableName, list[RowRule]] = {}
        for rule in rules:
            if isinstance(rule, RowRule):
                tables.setdefault(rule.table, []).append(rule)
        for table, found in tables.items():
            for start in range(0, len(found), AT_ONCE):
                yield from self._in_one_scan(table, found[start : start + AT_ONCE])
        for rule in rules:
            if isinstance(rule, UniqueRule | ReferenceRule):
                yield rule, self._alone(rule)

    def _in_one_scan(self, table: TableName, rules: Sequence[RowRule]) -> Iterator[tuple[Rule, Counted | StatementFailed]]:
        """Where one expression fails the whole statement, each is counted by itself, so that the others are counted."""
        try:
            counts: Sequence[int | StatementFailed] = self.session.rows(counting(rules, table, self.catalogue))[0]
        except StatementFailed as failure:
            counts = [failure] if len(rules) == 1 else [self._single(rule) for rule in rules]
        for rule, count in zip(rules, counts, strict=True):
            yield rule, count if isinstance(count, StatementFailed) else self._with_keys(rule, count)

    def _single(self, rule: RowRule) -> int | StatementFailed:
        try:
            return int(self.session.rows(counting([rule], rule.table, self.catalogue))[0][0])
        except StatementFailed as failure:
            return failure

    def _with_keys(self, rule: RowRule, count: int) -> Counted:
        key = self.catalogue.table[rule.table].primary_key
        if not count or not key:
            return Counted(count)
        return Counted(count, values=tuple(shown_row(key, row) for row in self.session.rows(_keys(rule, self.catalogue))))

    def _alone(self, rule: UniqueRule | ReferenceRule) -> Counted | StatementFailed:
        try:
            return self._shared(rule) if isinstance(rule, UniqueRule) else self._orphans(rule)
        except StatementFailed as failure:
            return failure

    def _shared(self, rule: UniqueRule) -> Counted:
        found = self.session.rows(shared(rule, self.catalogue))
        if not found:
            return Counted(0)
        names = [part.label for part in rule.parts]
        values = tuple(f"{shown_row(names, row[:-3])} ({row[-3]})" for row in found)
        return Counted(int(found[0][-1]), int(found[0][-2]), values)

    def _orphans(self, rule: ReferenceRule) -> Counted:
        if rule.key is None:
            raise AssertionError(f"{rule.subject} has no key")
        found = self.session.rows(sample(rule.key, self.catalogue, self.engine))
        names = shown(rule.key, self.catalogue)
        return Counted(int(found[0][-1]) if found else 0, values=tuple(shown_row(names, row[:-1]) for row in found))


def counting(rules: Sequence[RowRule], table: TableName, catalogue: Catalogue) -> Statement:
    """How many rows of a table break each of its rules, in one row and one scan."""
    source = _source(table)
    counts = [func.count(case((_broken(rule), 1))) for rule in rules]
    return only(select(*counts).select_from(source), source, catalogue.table.get(table))


def shared(rule: UniqueRule, catalogue: Catalogue) -> Statement:
    """The values that most rows share: its parts as text, how many rows have them, how many such values and rows there are."""
    source = _source(rule.table)
    parts = [_part(part).label(f"part{number}") for number, part in enumerate(rule.parts)]
    groups = only(select(*parts, func.count().label("times")).select_from(source), source, catalogue.table.get(rule.table))
    same = groups.where(*_counts(rule)).group_by(*map(_part, rule.parts)).having(func.count() > 1).subquery("same")
    texts = [cast(same.c[part.name], Text) for part in parts]
    statement = select(*texts, same.c.times, func.count().over(), func.sum(same.c.times).over())
    return statement.order_by(same.c.times.desc(), *texts).limit(SAMPLE)


def rows_that_break(rule: Rule, catalogue: Catalogue, engine: Engine) -> str:
    """The statement that lists every row against a rule (of a unique one: every value that rows share), for people to copy."""
    if isinstance(rule, ReferenceRule) and rule.key is not None:
        return listing(rule.key, catalogue, engine)
    source = _source(rule.table)
    everything: Statement = select(literal_column("*"))
    if isinstance(rule, RowRule):
        found = everything.select_from(source).where(_broken(rule))
    elif isinstance(rule, UniqueRule):
        parts = [_part(part) for part in rule.parts]
        counted = select(*parts, func.count()).select_from(source).where(*_counts(rule))
        found = counted.group_by(*parts).having(func.count() > 1)
    return copyable(only(found, source, catalogue.table.get(rule.table)), engine)


def _keys(rule: RowRule, catalogue: Catalogue) -> Statement:
    key = catalogue.table[rule.table].primary_key
    source = named(rule.table, key, rule.table.name)
    texts = [cast(source.c[name], Text) for name in key]
    broken = only(select(*texts).select_from(source), source, catalogue.table[rule.table]).where(_broken(rule))
    return broken.order_by(*[source.c[name] for name in key]).limit(SAMPLE)


def _source(table: TableName) -> FromClause:
    """The table under its own name, by which expressions may call it."""
    return named(table, (), table.name)


def _broken(rule: RowRule) -> ColumnElement[bool]:
    """Whether a row breaks it; a CHECK that comes to NULL is kept. The line break ends a comment on the last line."""
    if rule.column:
        return column(rule.column).is_(None)
    return literal_column(f"NOT ({rule.expression}\n)")


def _counts(rule: UniqueRule) -> list[ColumnElement[bool]]:
    """Which rows a unique rule is about."""
    given = [_part(part).is_not(None) for part in rule.parts] if rule.nulls_distinct else []
    within: list[ColumnElement[bool]] = [literal_column(f"({rule.predicate}\n)")] if rule.predicate else []
    return [*given, *within]


def _part(part: Part) -> ColumnElement[Any]:
    return literal_column(f"({part.text})") if part.expression else column(part.text)
