"""What a reference does when its parent is deleted or gets another key: tried alone, on a parent and a child of our own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, literal_column, select
from sqlalchemy.types import NullType

from checks.interface import Engine, Finding, Judgement, NotProven, Severity
from checks.rows import mariadb_values, postgresql, sqlite_values
from checks.rows.missing import Candidates
from checks.rows.pairs import Pair, Row, pair
from checks.schema.model import Action, ForeignKey
from checks.schema.names import ObjectReference, TableName, column_reference, no_table
from checks.sql.statements import named, quoted, quoted_table
from checks.targets import Accepted, Delete, Insert, Refused, RelationalTarget, Trial, Update, Verdict, Write

#: What says that a foreign key refused: RESTRICT has a code of its own from PostgreSQL 18 on.
REFUSED_BY_A_KEY = frozenset({"23503", "23001", "SQLITE_CONSTRAINT_FOREIGNKEY", "1451", "1452"})
#: What says that NULL was refused.
REFUSED_NULL = frozenset({"23502", "SQLITE_CONSTRAINT_NOTNULL", "1048"})

CANDIDATES: Mapping[Engine, Candidates] = {
    Engine.POSTGRESQL: postgresql.candidates,
    Engine.SQLITE: sqlite_values.candidates,
    Engine.MARIADB: mariadb_values.candidates,
}

#: How a column of a child is after the rule did its work; ``None`` is NULL.
_Values = Mapping[str, str | None]


@dataclass(frozen=True)
class Rule:
    """One of a reference's two rules: what it is about, and what brings it about."""

    verb: str
    change: str
    action: Callable[[ForeignKey], Action]
    columns: Callable[[ForeignKey], tuple[str, ...]]
    off: Callable[[ForeignKey], tuple[TableName, ...]]
    write: Callable[[TableName, Row, Row], Write]

    def done(self, table: TableName) -> str:
        """``deleting a row of users``."""
        return self.change.format(table.label())

    def says(self, key: ForeignKey) -> str:
        """``ON DELETE CASCADE``."""
        return f"ON {self.verb.upper()} {self.action(key).upper()}"


DELETE = Rule(
    verb="delete",
    change="deleting a row of {}",
    action=lambda key: key.on_delete,
    columns=lambda key: key.delete_columns or key.columns,
    off=lambda key: key.delete_off,
    write=lambda table, row, _: Delete(table, row),
)
UPDATE = Rule(
    verb="update",
    change="giving a row of {} another key",
    action=lambda key: key.on_update,
    columns=lambda key: key.columns,
    off=lambda key: key.update_off,
    write=lambda table, row, other: Update(table, row, other),
)


def known_beforehand(subject: str, key: ForeignKey, rule: Rule, target: RelationalTarget) -> Judgement | None:
    """What is to be said of a rule that need not be tried; ``None`` where it has to be."""
    if is_idle(key, target):
        return broken(subject, key, rule, target, "does nothing to the rows that refer to it")
    if key.mismatch:
        return NotProven(subject, key.mismatch)
    if rule.off(key) and target.catalogue.table[key.parent].partitioned:
        return broken(subject, key, rule, target, "does nothing to the rows that refer to it")
    return None


def is_idle(key: ForeignKey, target: RelationalTarget) -> bool:
    """Whether MariaDB keeps a reference and heeds it for children only: its parent is there, and lost what the key refers to."""
    return target.engine is Engine.MARIADB and bool(key.mismatch) and key.mismatch != no_table(key.parent)


def tried_in(subject: str, key: ForeignKey, rule: Rule, target: RelationalTarget, trial: Trial) -> Judgement | None:
    """What is wrong with a reference's rule, or why it could not be tried; ``None`` where it does what it says.

    The trial has what :func:`kept` names, on the child and the parent. Raises NoValue and StatementFailed.
    """
    rows = pair(key, target.catalogue, CANDIDATES[target.engine])
    for write in (Insert(key.parent, rows.parent), Insert(key.table, rows.child)):
        verdict = trial.write(write)
        if verdict != Accepted(1):
            return NotProven(subject, f"a parent and a child could not be put there: {_words(verdict)}")
    return _Tried(subject, key, rule, target, trial, rows).judged()


def kept(key: ForeignKey, rule: Rule, target: RelationalTarget) -> list[ObjectReference]:
    """What a trial of a rule needs: the reference, and what forbids NULL where its rule may put it."""
    if rule.action(key) not in {Action.SET_NULL, Action.SET_DEFAULT}:
        return [key.reference]
    columns = target.catalogue.table[key.table].column
    strict = [column_reference(key.table, name) for name in rule.columns(key) if not columns[name].nullable]
    return [key.reference, *strict]


@dataclass(frozen=True)
class _Tried:
    """A trial in which a parent and its child are."""

    subject: str
    key: ForeignKey
    rule: Rule
    target: RelationalTarget
    trial: Trial
    rows: Pair

    def judged(self) -> Judgement | None:
        match self.rule.action(self.key):
            case Action.NO_ACTION | Action.RESTRICT:
                return self._must_refuse(self._written())
            case Action.CASCADE:
                return self._must_leave(self._written(), self._carried_along())
            case Action.SET_NULL:
                return self._must_leave(self._written(), dict.fromkeys(self.rule.columns(self.key)))
            case Action.SET_DEFAULT:
                return self._set_default()

    def _written(self) -> Verdict:
        return self.trial.write(self.rule.write(self.key.parent, self.rows.parent, self.rows.other))

    def _carried_along(self) -> _Values | None:
        """A child takes its parent's new key, or goes with it."""
        if self.rule is DELETE:
            return None
        return dict(zip(self.key.columns, self.rows.other.values(), strict=True))

    def _set_default(self) -> Judgement | None:
        """Without a parent that has the default it must refuse, and with one take it."""
        defaults = dict(self._defaults())
        if defaults != dict(self._defaults()):
            return NotProven(self.subject, "the default changes from row to row")
        after = {**{name: self.rows.child[name] for name in self.key.columns}, **defaults}
        if None not in after.values():
            refused = self._must_refuse(self._written())
            parent = {theirs: after[mine] for mine, theirs in zip(self.key.columns, self.key.parent_columns, strict=True)}
            if refused is not None or self.trial.write(Insert(self.key.parent, parent)) != Accepted(1):
                return refused or NotProven(self.subject, "a parent with the default could not be put there")
        return self._must_leave(self._written(), defaults)

    def _defaults(self) -> Iterator[tuple[str, str | None]]:
        """What each column's default comes to now, as text."""
        columns = self.target.catalogue.table[self.key.table].column
        text = {Engine.SQLITE: "TEXT", Engine.MARIADB: "CHAR"}.get(self.target.engine, "pg_catalog.text")
        for name in self.rule.columns(self.key):
            default = columns[name].default
            computed = default and self.trial.rows(select(literal_column(f"CAST(({default}) AS {text})")))
            yield name, computed[0][0] if computed else None

    def _must_refuse(self, verdict: Verdict) -> Judgement | None:
        match verdict:
            case Accepted(rows=0):
                return NotProven(self.subject, "the row vanished although triggers and rules were taken away")
            case Accepted():
                return self._broken(f"is not refused although a row of {self.key.table.label()} refers to it")
            case Refused() if not self._is_by_the_key(verdict):
                return NotProven(self.subject, f"something else refused: {_words(verdict)}")
        return None

    def _must_leave(self, verdict: Verdict, after: _Values | None) -> Judgement | None:
        """The write must go through, and the child be gone (``after`` is None) or have these values."""
        match verdict:
            case Refused() if verdict.code in REFUSED_NULL and after is not None and None in after.values():
                return self._never(verdict)
            case Refused() if self._is_by_the_key(verdict):
                return self._broken(f"is refused: {verdict.said}")
            case Accepted(rows=1):
                return self._left(after)
        return NotProven(self.subject, f"something else came of it: {_words(verdict)}")

    def _left(self, after: _Values | None) -> Judgement | None:
        child, before = self.key.table, {name: self.rows.child[name] for name in self.key.columns}
        if after is None:
            left = self._count(child, before)
            return self._broken(f"leaves the row of {child.label()} that refers to it as it was") if left else None
        if self._count(child, {**before, **after}) == 1:
            return None
        return self._broken(f"does not change the row of {child.label()} that refers to it as its rule says")

    def _count(self, table: TableName, row: _Values) -> int:
        return int(self.trial.rows(counted(table, row))[0][0])

    def _is_by_the_key(self, refusal: Refused) -> bool:
        """A partition of the parent refuses under another name of the constraint, for the same child."""
        key, parent = self.key, self.target.catalogue.table[self.key.parent]
        by_name = parent.partitioned or refusal.constraint == key.name
        return refusal.code in REFUSED_BY_A_KEY and by_name and refusal.relation == key.table.name

    def _broken(self, words: str) -> Finding:
        return broken(self.subject, self.key, self.rule, self.target, words)

    def _never(self, refusal: Refused) -> Finding:
        """The rule would put NULL where it may not be."""
        key, rule = self.key, self.rule
        return Finding(
            subject=self.subject,
            severity=Severity.WARNING,
            message=f"{rule.done(key.parent)} that {key.table.label()} refers to is always refused: {key.name} says"
            f" {rule.says(key)}, and {refusal.column or 'a column'} is NOT NULL",
            remedy="Let the column be NULL, or say what is meant: RESTRICT refuses, CASCADE takes the rows along.",
            objects=objects(key),
            code=refusal.code,
            said=refusal.said,
            evidence={"constraint": key.name, "rule": rule.says(key)},
        )


def counted(table: TableName, row: _Values) -> Select[int]:
    """A query of how many rows have these values."""
    source = named(table, row, "row_")
    equal: list[ColumnElement[bool]] = [
        source.c[name].is_(None) if value is None else source.c[name] == bindparam(None, value, NullType(), unique=True)
        for name, value in row.items()
    ]
    return select(func.count()).select_from(source).where(and_(*equal))


def broken(subject: str, key: ForeignKey, rule: Rule, target: RelationalTarget, words: str) -> Finding:
    """A rule that was seen not to do what it says; ``words`` say what the change of a parent does."""
    why, remedy = cause(key, rule, target)
    return Finding(
        subject=subject,
        message=f"{rule.done(key.parent)} {words}: {key.name} says {rule.says(key)}, and {why}",
        remedy=remedy,
        objects=objects(key),
        evidence={"constraint": key.name, "rule": rule.says(key)},
    )


def cause(key: ForeignKey, rule: Rule, target: RelationalTarget) -> tuple[str, str]:
    """Why a rule does nothing, and what to do."""
    default = target.catalogue.default_schema
    if not key.enforced:
        declared, constraint = quoted_table(target.engine, key.table, default), quoted(target.engine, key.name)
        return "it is NOT ENFORCED", f"ALTER TABLE {declared} ALTER CONSTRAINT {constraint} ENFORCED;"
    if is_idle(key, target):
        parent = quoted_table(target.engine, key.parent, default)
        columns = ", ".join(quoted(target.engine, name) for name in key.parent_columns)
        remedy = f"ALTER TABLE {parent} ADD UNIQUE ({columns});"
        return key.mismatch, f"{remedy} Then look for rows that were left behind (orphaned-rows)."
    if off := rule.off(key):
        enabled = " ".join(f"ALTER TABLE {quoted_table(target.engine, table, default)} ENABLE TRIGGER ALL;" for table in off)
        where = ", ".join(table.label() for table in off)
        return f"its triggers on {where} are disabled", f"{enabled} Then look for rows that were left behind (orphaned-rows)."
    return (
        "it was not carried out",
        "See whether session_replication_role is set for the database or the role: it switches rules off.",
    )


def objects(key: ForeignKey) -> tuple[ObjectReference, ...]:
    """What provenance of a reference's rule is looked up by."""
    return (key.reference, *(column_reference(key.table, name) for name in key.columns))


def _words(verdict: Verdict) -> str:
    return f"{verdict.code} {verdict.said}".strip() if isinstance(verdict, Refused) else f"{verdict.rows} rows"
