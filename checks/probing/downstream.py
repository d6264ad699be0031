"""What becomes of real rows when a parent goes or gets another key, with everything in place: nothing may be orphaned.

A rule that does what it says alone may still be undone by a trigger. So rows that others refer to are deleted, or given another
key, and where that goes through, the orphans of every reference downstream are counted again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Text, and_, cast, select

from checks.interface import Engine, Finding, Judgement, NotProven, Severity
from checks.probing.rules import CANDIDATES, DELETE, Rule, cause, counted, is_idle, objects
from checks.rows.missing import NoValue, fitting
from checks.schema.model import Action, Catalogue, ForeignKey
from checks.schema.names import ObjectReference, TableName
from checks.sql.orphans import counted as counted_orphans
from checks.sql.statements import named, only
from checks.targets import Accepted, RelationalTarget, Sandbox, StatementFailed, Trial

#: How many parents of each reference are tried, and among how many children they are looked for.
PARENTS = 10
CHILDREN = 200


@dataclass(frozen=True)
class Left:
    """Rows that were left without a parent: how many more there are, and after what."""

    rows: int
    after: str


@dataclass
class Outcome:
    """What came of all of a database's real rows; keys of no interest do not occur."""

    orphaned: dict[ForeignKey, Left] = field(default_factory=dict)
    swallowed: dict[ForeignKey, int] = field(default_factory=dict)
    gaps: dict[ForeignKey, str] = field(default_factory=dict)

    def judgement(self, subject: str, key: ForeignKey, rule: Rule, target: RelationalTarget) -> Judgement | None:
        """What is to be said of a reference; ``None`` for nothing."""
        if key in self.orphaned:
            return _orphaned(subject, key, rule, target, self.orphaned[key])
        if key in self.gaps:
            return NotProven(subject, self.gaps[key])
        return _swallowed(subject, key, rule, target, self.swallowed[key]) if key in self.swallowed else None


def tried_on_rows(keys: Sequence[ForeignKey], rule: Rule, target: RelationalTarget, sandbox: Sandbox) -> Outcome:
    """Change parents that real rows of ``keys`` refer to, one table of parents after the other.

    Raises StatementFailed where the session was lost.
    """
    outcome, before = Outcome(), dict[ForeignKey, int]()
    by_parent: defaultdict[TableName, list[ForeignKey]] = defaultdict(list)
    for key in keys:
        if {key.table, key.parent} <= target.filled:
            by_parent[key.parent].append(key)
    for parent, referring in by_parent.items():
        try:
            with sandbox.trial() as trial:
                _Change(parent, rule, target, trial, outcome).look(referring, before)
        except StatementFailed as failure:
            if not failure.code:
                raise
            outcome.gaps.update(dict.fromkeys(referring, f"real rows could not be tried: {failure}"))
    return outcome


@dataclass(frozen=True)
class _Change:
    """A trial with everything in place, in which rows of one table are changed."""

    parent: TableName
    rule: Rule
    target: RelationalTarget
    trial: Trial
    outcome: Outcome

    def look(self, referring: Sequence[ForeignKey], before: dict[ForeignKey, int]) -> None:
        """Change rows and count what was orphaned; ``before`` keeps the orphans that were there already."""
        below = downstream(self.parent, self.rule, self.target.catalogue)
        below = [key for key in below if key.table in self.target.filled and (not key.mismatch or is_idle(key, self.target))]
        before.update(self._orphans([key for key in below if key not in before]))
        if not sum(self._changed(key) for key in referring):
            return
        for key, orphans in self._orphans(below).items():
            nearest = key.parent == self.parent or key not in self.outcome.orphaned
            if orphans > before[key] and nearest:
                self.outcome.orphaned[key] = Left(orphans - before[key], self.rule.done(self.parent))

    def _changed(self, key: ForeignKey) -> int:
        """How many rows could be changed that this reference refers to."""
        went_through = 0
        rows = self._parents(key)
        for row, other in zip(rows, self._others(key, rows), strict=False):
            verdict = self.trial.write(self.rule.write(self.parent, row, other))
            if verdict == Accepted(0) and self.trial.rows(counted(self.parent, row))[0][0]:
                self.outcome.swallowed[key] = self.outcome.swallowed.get(key, 0) + 1
            went_through += verdict.rows if isinstance(verdict, Accepted) else 0
        return went_through

    def _parents(self, key: ForeignKey) -> list[Mapping[str, Any]]:
        """The keys of some parents, as children name them."""
        child = named(key.table, key.columns, "child")
        columns = [child.c[name] for name in key.columns]
        shown = columns if self.target.engine is Engine.SQLITE else [cast(column, Text) for column in columns]
        given = and_(*(column.is_not(None) for column in columns))
        some = only(select(*shown).select_from(child), child, self.target.catalogue.table[key.table]).where(given).limit(CHILDREN)
        found = list(dict.fromkeys(tuple(row) for row in self.trial.rows(some)))[:PARENTS]
        return [dict(zip(key.parent_columns, row, strict=True)) for row in found]

    def _others(self, key: ForeignKey, rows: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """Another key for each: its last column is changed."""
        if self.rule is DELETE:
            yield from rows
            return
        try:
            values = fitting(key, key.columns[-1], self.target.catalogue, CANDIDATES[self.target.engine])
        except NoValue:
            return
        for row, value in zip(rows, values, strict=False):
            yield {**row, key.parent_columns[-1]: value}

    def _orphans(self, keys: Sequence[ForeignKey]) -> dict[ForeignKey, int]:
        if not keys:
            return {}
        counts = [counted_orphans(key, self.target.catalogue, self.target.engine).scalar_subquery() for key in keys]
        return dict(zip(keys, map(int, self.trial.rows(select(*counts))[0]), strict=True))


def downstream(parent: TableName, rule: Rule, catalogue: Catalogue) -> list[ForeignKey]:
    """Every reference whose rows a change of ``parent`` may leave without one.

    Those to the table itself; and where rows of a child go or get another key along with it, or a trigger may do anything, those
    to the child too.
    """
    found: list[ForeignKey] = []
    tables, seen = [parent], {parent}
    while tables:
        table = tables.pop(0)
        for key in catalogue.foreign_keys:
            if key.parent != table:
                continue
            found.append(key)
            triggers = any(catalogue.table[one].triggers for one in (key.table, table) if one in catalogue.table)
            if key.table not in seen and (rule.action(key) is Action.CASCADE or triggers):
                seen.add(key.table)
                tables.append(key.table)
    return found


def _orphaned(subject: str, key: ForeignKey, rule: Rule, target: RelationalTarget, left: Left) -> Finding:
    triggers = _triggers(key.table, rule, target.catalogue)
    may_undo = (
        f"{', '.join(one.name for one in triggers)} of {key.table.label()} may undo it" if triggers else "something undoes it"
    )
    why = key.mismatch or may_undo
    rows = f"{left.rows} row of {key.table.label()}" if left.rows == 1 else f"{left.rows} rows of {key.table.label()}"
    return Finding(
        subject=subject,
        message=f"{left.after} leaves {rows} without a parent: {key.name} says {rule.says(key)}, and {why}",
        remedy=cause(key, rule, target)[1]
        if key.mismatch
        else "Let the trigger refuse with an error, or let the rows go: whoever keeps a child has to keep its parent.",
        objects=(*triggers, *objects(key)),
        count=left.rows,
        evidence={"constraint": key.name, "rule": rule.says(key)},
    )


def _swallowed(subject: str, key: ForeignKey, rule: Rule, target: RelationalTarget, rows: int) -> Finding:
    triggers = _triggers(key.parent, rule, target.catalogue)
    who = ", ".join(one.name for one in triggers) or "a trigger or a rule"
    return Finding(
        subject=subject,
        severity=Severity.NOTICE,
        message=f"{rule.done(key.parent)} changes nothing and says nothing: {who} swallows it, and {key.name} is never asked",
        remedy="Let the trigger raise an error where the row is to stay; a row that is only marked needs no rule.",
        objects=(*triggers, *objects(key)),
        count=rows,
        evidence={"constraint": key.name, "rule": rule.says(key)},
    )


def _triggers(table: TableName, rule: Rule, catalogue: Catalogue) -> list[ObjectReference]:
    """A table's triggers that fire on such a change."""
    known = catalogue.table.get(table)
    return [one.reference for one in (known.triggers if known else ()) if rule.verb.upper() in one.definition.upper()]
