"""The constraints that the repository expects stand in the database.

Proves, for every line of `checks` under `[databases.NAME.expect]`, that such a constraint is there and enforced. A name is looked
for among CHECKs, keys, UNIQUE and EXCLUDE constraints and unique indexes. A meaning (`orders: total > 0`,
`orders.buyer_id: not null`, `users: unique (email)`) is met by whatever holds the table to it, under any name: the same condition
in other words, a part of a longer one, a primary key where a UNIQUE was asked for, a UNIQUE of fewer columns.

The server itself reads both sides: what is expected is put upon an empty copy of the table, in a transaction that is undone, and
comes back as its catalogue has it, so that types and casts are its own. `IN (…)` and `= ANY (…)`, `a > b` and `b < a`, the order
of what AND, OR and `+` join, and `BETWEEN` are then seen through; beyond that two conditions that mean the same are taken for
different, and the finding says what was compared. SQLite keeps the text as it was written. In a database that is only read
nothing can be put anywhere: there a line counts by its name, or is not proven.

**Anti-pattern**

```toml
[databases.shop]
engine = "postgresql"
# ... and a test that inserts a negative total on SQLite, where the models and not the migrations made the tables.
```

**Best practice**

```toml
[databases.shop.expect]
checks = ["ck_order_total_positive", "orders: total = subtotal + tax - discount", "users: unique (lower(email))"]
```
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from checks.declared.candidates import CheckCandidate, NotNullCandidate, UniqueCandidate
from checks.declared.expected import ExpectedConstraint, NamedConstraint
from checks.evidence import Evidence, Place
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.rulebook.covering import asked, conditions, filled, is_unique_by
from checks.rulebook.inventory import Kind, Rule, rules
from checks.rulebook.meaning import columns_in
from checks.schema.model import Catalogue, CheckConstraint, ForeignKey, Index, Table
from checks.schema.names import TableName, table_reference
from checks.sql.remedies import made_anew
from checks.sql.statements import quoted, quoted_table
from checks.targets import ReadBack, RelationalTarget, StatementFailed

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
#: It locks tables where anything may be written, and is of use where nothing may: so it runs alone, and needs no sandbox.
NEEDS = frozenset({Need.QUIET})
SUBJECTS = "expected constraints"
PROVES = "stand as declared"

#: undefined_column, undefined_table; SQLite's words stand for a code.
_ABSENT = ("42703", "42P01", "1054", "1146")
_NO_SUCH_COLUMN = "no such column"

_ByMeaning = CheckCandidate | UniqueCandidate


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every line; the first that the server cannot read is raised after all have been judged."""
    faulty: StatementFailed | None = None
    expected = {one.declared.label: one for one in target.expect.constraints}.values()
    for one, read in zip(expected, _read(list(expected), target), strict=True):
        try:
            yield _judge(one, read, target)
        except StatementFailed as failure:
            faulty = faulty or failure
    if faulty is not None:
        raise faulty


def _read(expected: Sequence[ExpectedConstraint], target: RelationalTarget) -> Sequence[ReadBack | None]:
    """What the server makes of each line that it has to read; ``None`` for the others, and where nothing may be written."""
    asked_for = [_spelled(one.declared, target) for one in expected if isinstance(one.declared, _ByMeaning)]
    there = [one for one in asked_for if one.table in target.catalogue.table]
    answers = _answers(list(dict.fromkeys(there)), target)
    known = dict(zip(dict.fromkeys(there), answers or (), strict=False))
    return [known.get(_spelled(one.declared, target)) if isinstance(one.declared, _ByMeaning) else None for one in expected]


def _answers(asked_for: Sequence[_ByMeaning], target: RelationalTarget) -> Sequence[ReadBack] | None:
    """What the server says; where it lets nothing be put anywhere, that of each."""
    try:
        return target.read_back(asked_for) if asked_for else None
    except StatementFailed as failure:
        if not failure.gap:
            raise
        return [failure] * len(asked_for)


def _judge(expected: ExpectedConstraint, read: ReadBack | None, target: RelationalTarget) -> Judgement:
    declared = expected.declared
    if isinstance(declared, NamedConstraint):
        return _by_name(declared, target)
    table = target.catalogue.table.get(_table_of(declared, target.catalogue))
    if table is None:
        return _no_table(declared, target)
    if isinstance(declared, NotNullCandidate):
        return _not_null(declared, table, target)
    if read is None:
        return NotProven(declared.label, "the database was given to be read only: constraints are known by name only")
    if isinstance(read, StatementFailed):
        return _not_read(expected, read, table, target)
    return _by_meaning(declared, read, table, target)


def _by_name(declared: NamedConstraint, target: RelationalTarget) -> Judgement:
    named = [rule for rule in rules(target.catalogue) if rule.kind not in (Kind.NOT_NULL, Kind.TRIGGER)]
    found = [rule for rule in named if _same(rule.thing.name, declared.name, target.engine)]
    if any(_enforced(rule) for rule in found):
        return Proven(declared.label)
    if target.evidence.incomplete:
        return NotProven(declared.label, "not there, the migrations failed")
    if found:
        return Finding(
            subject=declared.label,
            message=f"{declared.name} of {found[0].table.name.label()} is NOT ENFORCED: the server refuses no row by it",
            remedy="Add it again without NOT ENFORCED.",
            objects=found[0].references,
        )
    place, statement = _dropped(declared.name, target.evidence)
    return Finding(
        subject=declared.label,
        message=f"there is no constraint {declared.name}{_near(declared.name, [rule.thing.name for rule in named])}",
        remedy="Add it in a migration, or correct its name under `checks`.",
        place=place,
        evidence={"statement": statement} if statement else {},
    )


def _same(name: str, wanted: str, engine: Engine) -> bool:
    """PostgreSQL folds what was not quoted to lower case; SQLite's names know no case."""
    return name in (wanted, wanted.lower()) or (engine is not Engine.POSTGRESQL and name.lower() == wanted.lower())


def _enforced(rule: Rule) -> bool:
    return rule.thing.enforced if isinstance(rule.thing, CheckConstraint | ForeignKey) else True


def _dropped(name: str, evidence: Evidence) -> tuple[Place | None, str]:
    """The last statement that dropped something of that name."""
    for statement in reversed(evidence.statements):
        if not statement.undone and any(thing.name == name for thing in statement.dropped):
            return statement.place, statement.text
    return None, ""


def _near(name: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(name.lower(), {one.lower(): one for one in names}, n=1)
    return f"; did you mean '{next(one for one in names if one.lower() == close[0])}'?" if close else ""


def _table_of(declared: _ByMeaning | NotNullCandidate, catalogue: Catalogue) -> TableName:
    """The table as the catalogue spells it: SQLite's names know no case."""
    if catalogue.default_schema:
        return declared.table
    return next((name for name in catalogue.table if name.name.lower() == declared.table.name.lower()), declared.table)


def _spelled(declared: _ByMeaning, target: RelationalTarget) -> _ByMeaning:
    table = _table_of(declared, target.catalogue)
    if isinstance(declared, CheckCandidate):
        return CheckCandidate(table, declared.expression)
    return UniqueCandidate(table, declared.parts, declared.nulls_distinct, declared.predicate)


def _no_table(declared: _ByMeaning | NotNullCandidate, target: RelationalTarget) -> Judgement:
    if target.evidence.incomplete:
        return NotProven(declared.label, "not there, the migrations failed")
    name = declared.table.label(target.catalogue.default_schema)
    known = [table.label(target.catalogue.default_schema) for table in target.catalogue.table]
    return Finding(
        subject=declared.label,
        message=f"there is no table {name}{_near(name, known)}",
        remedy="Correct the line under `checks`, or make the table in a migration.",
    )


def _not_read(expected: ExpectedConstraint, read: StatementFailed, table: Table, target: RelationalTarget) -> Judgement:
    """A column that is gone is the database's fault, all else that the server cannot read is the line's."""
    if read.gap:
        return NotProven(expected.declared.label, read.gap)
    if read.code in _ABSENT or read.said.startswith(_NO_SUCH_COLUMN):
        if target.evidence.incomplete:
            return NotProven(expected.declared.label, "not there, the migrations failed")
        return Finding(
            subject=expected.declared.label,
            message=f"{table.name.label()} cannot have it: {read.said}",
            remedy="Correct the line under `checks`, or add the column in a migration.",
            objects=(table_reference(table.name),),
        )
    where = f"{expected.place}: " if expected.place else ""
    raise StatementFailed(f"{where}expect.checks: '{expected.declared.label}' cannot be read: {read.said}", read.code)


def _not_null(declared: NotNullCandidate, table: Table, target: RelationalTarget) -> Judgement:
    column = next((one.name for one in table.columns if _same(one.name, declared.column, target.engine)), None)
    if column is not None and filled(column, table, target.engine):
        return Proven(declared.label)
    if target.evidence.incomplete:
        return NotProven(declared.label, "not there, the migrations failed")
    name = quoted(target.engine, declared.column)
    change = f"ALTER COLUMN {name} SET NOT NULL" if column else f"ADD COLUMN {name} …"
    absent = f"has no column {declared.column}{_near(declared.column, list(table.column))}"
    return Finding(
        subject=declared.label,
        message=f"{table.name.label()} {'takes NULL in ' + declared.column if column else absent}",
        remedy=_remedy(table, change, f"{name} NOT NULL", target),
        objects=(table_reference(table.name),),
    )


def _by_meaning(declared: _ByMeaning, read: CheckConstraint | Index, table: Table, target: RelationalTarget) -> Judgement:
    if _holds(read, table, target.engine):
        return Proven(declared.label)
    if target.evidence.incomplete:
        return NotProven(declared.label, "not there, the migrations failed")
    if isinstance(declared, UniqueCandidate):
        return _missing_unique(declared, table, target)
    return _missing_check(declared, read.expression if isinstance(read, CheckConstraint) else "", table, target)


def _holds(read: CheckConstraint | Index, table: Table, engine: Engine) -> bool:
    if isinstance(read, CheckConstraint):
        return asked(read.expression, engine) <= conditions(table, engine)
    return any(is_unique_by(read, index, table, engine) for index in table.indexes)


def _missing_check(declared: CheckCandidate, condition: str, table: Table, target: RelationalTarget) -> Finding:
    clause = f"CHECK ({condition})"
    near = _about_the_same(condition, table, target.engine)
    among = "none of its CHECKs" if table.checks else "it has no CHECK that"
    return Finding(
        subject=declared.label,
        message=f"{table.name.label()} is not held to {condition}: {among} asks for that{''.join(near)}",
        remedy=_remedy(table, f"ADD {clause}", clause, target),
        objects=(table_reference(table.name),),
        evidence={"compared": condition, "with": {check.name: check.expression for check in table.checks}},
    )


def _about_the_same(condition: str, table: Table, engine: Engine) -> Iterator[str]:
    """CHECKs on the same columns, which may mean it in words that are not seen through here."""
    mine = columns_in(condition, engine)
    same = [check for check in table.checks if columns_in(check.expression, engine) == mine]
    for check in same[:3]:
        lack = " (NOT ENFORCED)" if not check.enforced else ""
        yield f"; {check.name}{lack} says {' '.join(check.expression.split())}"


def _missing_unique(declared: UniqueCandidate, table: Table, target: RelationalTarget) -> Finding:
    name = quoted_table(target.engine, table.name, target.catalogue.default_schema)
    parts = ", ".join(f"({part.text})" if part.expression else quoted(target.engine, part.text) for part in declared.parts)
    nulls = "" if declared.nulls_distinct else " NULLS NOT DISTINCT"
    where = f" WHERE {declared.predicate}" if declared.predicate else ""
    of = ", ".join(part.text for part in declared.parts)
    return Finding(
        subject=declared.label,
        message=f"two rows of {table.name.label()} can have the same {of}{where.replace('WHERE', 'where')}",
        remedy=f"CREATE UNIQUE INDEX {_index_name(table, target)}ON {name} ({parts}){nulls}{where};",
        objects=(table_reference(table.name),),
        evidence={"with": {index.name: index.definition for index in table.indexes if index.unique}},
    )


def _index_name(table: Table, target: RelationalTarget) -> str:
    """SQLite has none of its own for an index."""
    return f"{quoted(target.engine, f'{table.name.name}_unique')} " if target.engine is Engine.SQLITE else ""


def _remedy(table: Table, change: str, clause: str, target: RelationalTarget) -> str:
    name = quoted_table(target.engine, table.name, target.catalogue.default_schema)
    return made_anew(name, clause) if target.engine is Engine.SQLITE else f"ALTER TABLE {name} {change};"
