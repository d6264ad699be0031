"""Which rules are audited on the rows: those that a database has, those that its settings propose, those that a change adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from checks.declared.absent import Side, absent
from checks.declared.candidates import Candidate, CheckCandidate, NotNullCandidate, Part, UniqueCandidate
from checks.declared.references import ExpectedReference
from checks.declared.spelling import closing
from checks.evidence import Counted
from checks.rulebook.violations import Counter, ReferenceRule, RowRule, Rule, UniqueRule
from checks.schema.model import Catalogue, CheckConstraint, Column, ForeignKey, Index, Table
from checks.schema.names import TableName, column_label, column_reference, table_reference
from checks.sql.orphans import key_of
from checks.targets import RelationalTarget, StatementFailed

#: What an index says of itself where two rows with NULL are alike.
NULLS_NOT_DISTINCT = "nulls not distinct"


def rule_of(candidate: Candidate) -> Rule:
    """A candidate as a rule."""
    table = table_reference(candidate.table)
    match candidate:
        case CheckCandidate(expression=expression):
            return RowRule(candidate.label, candidate.table, _check_words(expression), (table,), expression=expression)
        case NotNullCandidate(column=name):
            objects = (column_reference(candidate.table, name), table)
            return RowRule(candidate.label, candidate.table, f"{name} NOT NULL", objects, column=name)
        case UniqueCandidate():
            words = f"UNIQUE ({', '.join(part.text for part in candidate.parts)})"
            columns = (column_reference(candidate.table, part.text) for part in candidate.parts if not part.expression)
            unique = (candidate.parts, candidate.nulls_distinct, candidate.predicate)
            return UniqueRule(candidate.label, candidate.table, words, (*columns, table), *unique)
        case ExpectedReference():
            columns = (column_reference(candidate.table, name) for name in candidate.columns)
            return ReferenceRule(
                candidate.label, candidate.table, _foreign_key(key_of(candidate)), (*columns, table), key_of(candidate)
            )


def sides_of(candidate: Candidate) -> tuple[Side, ...]:
    """The tables that a candidate names, each with the columns that it names."""
    match candidate:
        case CheckCandidate():
            return ((candidate.table, ()),)
        case NotNullCandidate(column=name):
            return ((candidate.table, (name,)),)
        case UniqueCandidate(parts=parts):
            return ((candidate.table, tuple(part.text for part in parts if not part.expression)),)
        case ExpectedReference():
            return ((candidate.table, candidate.columns), (candidate.parent, candidate.parent_columns))


def added(head: Catalogue, base: Catalogue) -> Iterator[Rule]:
    """The rules that head has for the tables of base, and base has not: CHECK, NOT NULL, UNIQUE, FOREIGN KEY."""
    for table in head.tables:
        before = base.table.get(table.name)
        if before is None:
            continue
        yield from map(check_rule, _new_checks(table, before))
        yield from (_not_null(table.name, column) for column in table.columns if _is_new(column, before.column))
        yield from (rule for index in table.indexes if (rule := _unique(index, before)) is not None)
        yield from (_reference(key) for key in table.foreign_keys if _meaning(key) not in map(_meaning, before.foreign_keys))


def count_added(head: Catalogue, base: RelationalTarget) -> Mapping[str, Counted]:
    """How many of base's rows break each rule that head adds, by its subject. Raises StatementFailed where a session is lost."""
    rules = {rule.subject: rule for rule in added(head, base.catalogue) if rule.table in base.filled}
    gaps = {subject: _unknown(rule, head, base.catalogue) for subject, rule in rules.items()}
    counts = {subject: Counted(0, gap=f"{gap[0]} is not there yet") for subject, gap in gaps.items() if gap}
    with base.rows() as session:
        counter = Counter(session, base.catalogue, base.engine)
        for rule, found in counter.counted([rule for subject, rule in rules.items() if not gaps[subject]]):
            counts[rule.subject] = Counted(0, gap=found.gap or found.said) if isinstance(found, StatementFailed) else found
    return counts


def _unknown(rule: Rule, head: Catalogue, base: Catalogue) -> list[str]:
    """What a rule of head may read and base does not have: then base's rows say nothing of it."""
    now, before = head.table[rule.table], base.table[rule.table]
    fresh = [name for name in now.column if name not in before.column]
    parents = absent(base, (rule.key.parent, rule.key.parent_columns)) if isinstance(rule, ReferenceRule) and rule.key else []
    return [*(f"column {column_label(rule.table, (name,))}" for name in fresh if _reads(rule, name)), *parents]


def _reads(rule: Rule, name: str) -> bool:
    """Whether a rule names a column; a text that only looks like it counts too, for then nothing is claimed."""
    match rule:
        case RowRule(column=column, expression=expression):
            return column == name or name.lower() in expression.lower()
        case UniqueRule(parts=parts, predicate=predicate):
            return any(name.lower() in part.text.lower() for part in parts) or name.lower() in predicate.lower()
        case ReferenceRule(key=key):
            return key is not None and name in key.columns
    return False


def check_rule(check: CheckConstraint) -> RowRule:
    """A CHECK of the catalogue as a rule."""
    words = _check_words(check.expression)
    named = check.name if check.name.startswith("CHECK (") else f"{check.name}: {words}"
    subject = f"{check.table.label()}.{check.name}"
    return RowRule(subject, check.table, named, (check.reference, table_reference(check.table)), expression=check.expression)


def _new_checks(table: Table, before: Table) -> Iterator[CheckConstraint]:
    had = {(check.name, check.expression) for check in before.checks}
    return (check for check in table.checks if (check.name, check.expression) not in had)


def _is_new(column: Column, before: Mapping[str, Column]) -> bool:
    """Whether NOT NULL is new; of a new column that fills itself it is no matter."""
    had = before.get(column.name)
    fills = column.default is not None or column.generated or column.identity
    return not column.nullable and (not fills if had is None else had.nullable)


def _not_null(table: TableName, column: Column) -> RowRule:
    objects = (column_reference(table, column.name), table_reference(table))
    return RowRule(
        f"{column_label(table, (column.name,))} NOT NULL", table, f"{column.name} NOT NULL", objects, column=column.name
    )


def _unique(index: Index, before: Table) -> UniqueRule | None:
    """A unique index that base has not; one over expressions is left to the server, whose text of them is none to group by."""
    had = {(known.columns, known.predicate) for known in before.indexes if known.unique}
    parts = tuple(Part(name) for name in index.columns if name is not None)
    if (
        not index.unique
        or index.part_of is not None
        or len(parts) < len(index.columns)
        or (index.columns, index.predicate) in had
    ):
        return None
    objects = (index.reference, table_reference(index.table))
    words = f"{index.name}: UNIQUE ({', '.join(part.text for part in parts)})"
    distinct = NULLS_NOT_DISTINCT not in index.traits
    return UniqueRule(f"{index.table.label()}.{index.name}", index.table, words, objects, parts, distinct, index.predicate or "")


def _reference(key: ForeignKey) -> ReferenceRule:
    subject = f"{key.table.label()}.{key.name}"
    return ReferenceRule(subject, key.table, f"{key.name}: {_foreign_key(key)}", (key.reference, table_reference(key.table)), key)


def _meaning(key: ForeignKey) -> tuple[object, ...]:
    return frozenset(zip(key.columns, key.parent_columns, strict=True)), key.parent, key.match


def _foreign_key(key: ForeignKey) -> str:
    return f"FOREIGN KEY ({', '.join(key.columns)}) REFERENCES {key.parent.label()} ({', '.join(key.parent_columns)})"


def _check_words(expression: str) -> str:
    """``CHECK (total > 0)``, on one line; the server's own text has its parentheses already."""
    line = " ".join(expression.split())
    return f"CHECK {line}" if line.startswith("(") and closing(line, 0) == len(line) else f"CHECK ({line})"
