"""The way back of each new migration restores what was there before it.

Proves it by going there: on a copy of what the base revision's database holds, each new migration is applied, undone and applied
again as its tool does it, and the states are compared. Of a relational database these are all objects as the server describes
them (schemas, tables, columns, constraints, indexes, views, sequences, types, functions, triggers, policies, privileges, owners,
comments and all else that a dump has), how many rows each table has and what they hold; of MongoDB the collections with their
options, validators and indexes, and their documents. Undoing must restore the state before; applying again must come to the same
objects and numbers as the first time (not the same contents, as a migration may write the time or make identifiers); and once
nothing is pending, one more run of a tool that keeps books must change nothing. Rows, documents and values that the way back
cannot bring back are counted: they are what a rollback in production loses.

The order of columns, of rows and of a document's fields does not count, nor where sequences stand, nor an empty collection
without validator, index or option, which MongoDB makes by itself. Without a base revision nothing is new, and nothing is tried;
of MongoDB then the newest five are, on an empty database.

A migration that offers no way back (no `downgrade`, or one that raises NotImplementedError) is a notice. One whose `downgrade` is
`pass` though it made something has one that restores nothing; where it only wrote other values into rows of a relational
database, as a correction does, that is a notice too, and so are constraints and indexes that are back under another name (Django
and PostgreSQL call them in ways of their own).

**Anti-pattern**

```python
def upgrade():
    op.drop_column("orders", "currency")  # the values are gone
    op.create_index("ix_orders_status", "orders", ["status"])


def downgrade():
    op.add_column("orders", sa.Column("currency", sa.String(3)))  # not what was there, and the index stays
```

**Best practice**

```python
def upgrade():
    op.alter_column("orders", "currency", new_column_name="_currency")  # dropped by a later migration
    op.create_index("ix_orders_status", "orders", ["status"])


def downgrade():
    op.drop_index("ix_orders_status", "orders")
    op.alter_column("orders", "_currency", new_column_name="currency")
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from checks.evidence import MigrationFailure
from checks.interface import Engine, Finding, Json, Judgement, Need, NotProven, Proven, Severity
from checks.reversals import Difference, DifferenceKind, Reversal, SecondRun
from checks.schema.names import ObjectKind, ObjectReference, default_schema
from checks.targets import Target

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.MONGODB, Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.EVIDENCE})
SUBJECTS = "new migrations that can be undone"
PROVES = "go back and forth"

#: The subject of a tool without revisions, and that of its second run.
ALL = "migrations"
SECOND = "a second run"

#: How many differences are said.
_MOST = 6

_VALUES = frozenset({DifferenceKind.ROWS_CHANGED})
_HELD = frozenset({DifferenceKind.ROWS_MISSING, DifferenceKind.ROWS_EXTRA, DifferenceKind.ROWS_CHANGED})


def run(target: Target) -> Iterator[Judgement]:
    """Judge every migration that was undone, and the run after the last."""
    words = _Words(target.engine)
    for one in target.evidence.reversals:
        yield _judge(one, words)
    if target.evidence.second_run is not None:
        yield _second(target.evidence.second_run, words)


def _judge(one: Reversal, words: _Words) -> Judgement:
    subject = one.revision or ALL
    if one.gap:
        return NotProven(subject, one.gap)
    if one.irreversible:
        return _irreversible(subject, one)
    if one.left:
        return _not_restored(subject, one, words)
    if one.failure is not None:
        return _stopped(subject, one, one.failure)
    if one.again:
        return _other_again(subject, one, words)
    return Proven(subject)


def _irreversible(subject: str, one: Reversal) -> Finding:
    return Finding(
        subject=subject,
        message=f"migration {subject} cannot be undone: {one.irreversible}",
        remedy="Write the way back, or accept it once: `dbproof allow` with the reason and what is done instead (a backup).",
        severity=Severity.NOTICE,
        place=one.place,
    )


def _stopped(subject: str, one: Reversal, failure: MigrationFailure) -> Finding:
    said = "cannot be applied again after it was undone" if one.failed_again else "cannot be undone: its way back fails"
    return Finding(
        subject=subject,
        message=f"{_named(subject)} {said}",
        remedy=_AGAIN if one.failed_again else "Correct the statement of the way back; it is needed when a release goes wrong.",
        place=failure.place or one.place,
        code=failure.code,
        said=failure.said,
        detail=failure.detail,
        evidence={"statement": failure.statement},
    )


_AGAIN = "Let the way back remove everything that the migration makes, so that it finds what it found the first time."


def _not_restored(subject: str, one: Reversal, words: _Words) -> Finding:
    lost = [each for each in one.left if each.kind in _HELD or each.rows]
    corrected = one.values_only and words.engine is not Engine.MONGODB and {each.kind for each in one.left} == _VALUES
    return Finding(
        subject=subject,
        message=f"undoing {_named(subject)} does not restore what was there: {words.all_of(one.left)}",
        remedy=_ASIDE if corrected else words.keep if lost else _RESTORE,
        severity=Severity.NOTICE if corrected or all(each.renamed for each in one.left) else None,
        place=one.place,
        objects=_objects(one.left),
        count=sum(each.rows for each in lost) or None,
        evidence=words.facts(one.left),
    )


_ASIDE = "Copy the old values into a table of their own first, where a release that goes wrong needs them back."
_RESTORE = "Let the way back undo each step, the last one first."


def _other_again(subject: str, one: Reversal, words: _Words) -> Finding:
    return Finding(
        subject=subject,
        message=f"{_named(subject)}, applied again after it was undone, comes to something else: {words.all_of(one.again)}",
        remedy=_AGAIN,
        place=one.place,
        objects=_objects(one.again),
        evidence=words.facts(one.again),
    )


def _second(one: SecondRun, words: _Words) -> Judgement:
    if one.failure is not None:
        return Finding(
            subject=SECOND,
            message="applying once more, with nothing pending, fails",
            remedy="Let the program see what is applied already, and do nothing then: deployments run it every time.",
            place=one.failure.place,
            code=one.failure.code,
            said=one.failure.said,
            detail=one.failure.detail,
        )
    if one.changed:
        return Finding(
            subject=SECOND,
            message=f"applying once more, with nothing pending, changes the database: {words.all_of(one.changed)}",
            remedy="Let the program see what is applied already, and do nothing then: deployments run it every time.",
            objects=_objects(one.changed),
            evidence=words.facts(one.changed),
        )
    return Proven(SECOND)


def _named(subject: str) -> str:
    return "the migrations" if subject == ALL else f"migration {subject}"


def _objects(differences: Sequence[Difference]) -> tuple[ObjectReference, ...]:
    return tuple(dict.fromkeys(one.of for one in differences))


@dataclass(frozen=True)
class _Words:
    """How differences are said of an engine: tables have rows, collections documents."""

    engine: Engine

    @property
    def keep(self) -> str:
        """The remedy where something is lost."""
        aside = "copy it aside with $out" if self.engine is Engine.MONGODB else "copy it into a table of its own"
        return (
            f"Keep what the migration removes until it is settled (rename it, or {aside}), and drop it in a later one; "
            "let the way back remove what the migration added."
        )

    def all_of(self, differences: Sequence[Difference]) -> str:
        """The first differences, and how many more there are."""
        said = "; ".join(self._say(one) for one in differences[:_MOST])
        more = len(differences) - _MOST
        return f"{said}; and {more} more" if more > 0 else said

    def facts(self, differences: Sequence[Difference]) -> dict[str, Json]:
        """All of them, for the report."""
        listed: list[Json] = [
            {"object": self._label(one.of), "kind": one.kind.value, "rows": one.rows, "words": one.words} for one in differences
        ]
        return {"differences": listed}

    def _say(self, one: Difference) -> str:
        label, of = self._label(one.of), self._label(one.of, bare=True)
        match one.kind:
            case DifferenceKind.MISSING:
                return f"{label} is gone{self._with(one)}"
            case DifferenceKind.EXTRA:
                return f"{label} is there, and was not{self._with(one)}"
            case DifferenceKind.CHANGED:
                return f"{label} {one.words}"
            case DifferenceKind.ROWS_MISSING:
                return f"{self._rows(one.rows)} of {of} {'is' if one.rows == 1 else 'are'} not brought back"
            case DifferenceKind.ROWS_EXTRA:
                return f"{self._rows(one.rows)} of {of} {'was' if one.rows == 1 else 'were'} not there"
            case DifferenceKind.ROWS_CHANGED:
                number = self._rows(one.rows) if one.rows else f"the {self._rows(2).removeprefix('2 ')}"
                hold = "holds" if one.rows == 1 else "hold"
                return f"{number} of {of} {hold} something else{f' in {one.words}' if one.words else ''}"

    def _label(self, of: ObjectReference, *, bare: bool = False) -> str:
        """``index orders.ix_status``; of a table or collection its name, with ``bare`` alone."""
        if of.kind is ObjectKind.VALIDATOR:
            return f"the validator of {of.relation}"
        name = ".".join(part for part in (of.relation, of.name) if part)
        if of.schema and of.schema != default_schema(self.engine):
            name = f"{of.schema}.{name}" if name else of.schema
        name = name or of.schema
        alone = of.kind in (ObjectKind.COLLECTION, ObjectKind.OTHER) or bare
        return name if alone else f"{of.kind.value} {name}"

    def _with(self, one: Difference) -> str:
        if not one.rows:
            return ""
        if one.of.kind is ObjectKind.COLUMN:
            return f", with {one.rows} value{'' if one.rows == 1 else 's'}"
        return f", with {self._rows(one.rows)}"

    def _rows(self, number: int) -> str:
        one = "document" if self.engine is Engine.MONGODB else "row"
        return f"1 {one}" if number == 1 else f"{number} {one}s"
