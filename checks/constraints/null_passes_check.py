"""No CHECK loses its hold on a row by way of NULL.

Proves, for every CHECK that speaks of a column which can be NULL, that NULL there does not switch off a rule about something
else. A CHECK refuses what is false; with NULL most expressions are neither true nor false, and pass (PostgreSQL's manual,
"Check Constraints"; sqlite.org/lang_createtable.html, 3.7). So a row that the CHECK refuses is looked for, NULL is put into
that column, and the server is asked what the expression then comes to: false or true is an answer (`discount IS NULL OR …` is
true), NULL lets a row pass that nobody wanted.

Found is a CHECK that compares more than two columns (`total = subtotal - discount`: without a discount any total passes), one
whose sides are joined by OR (`kind <> 'percent' OR share <= 100`: a percentage without a share passes; `email <> '' OR phone <>
''`: so does a row with neither), a boolean that must be true, a column with a default, which is only NULL where somebody writes
NULL, and a comparison with NULL itself, which is never false. That an optional value, where it is given, lies in a range or
after another one (`finished_at >= started_at`) is what a CHECK on a nullable column is for, and no finding.

**Anti-pattern**

```sql
CREATE TABLE orders (
    subtotal numeric NOT NULL, discount numeric, total numeric NOT NULL,
    CHECK (total = subtotal - discount)    -- any total passes where discount is NULL
);
```

**Best practice**

```sql
CREATE TABLE orders (
    subtotal numeric NOT NULL, discount numeric NOT NULL DEFAULT 0, total numeric NOT NULL,
    CHECK (total = subtotal - discount)
);
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlglot import exp

from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.rows import mariadb, postgresql, sqlite
from checks.rows.compiler import Compiler
from checks.rows.expressions import columns_of
from checks.rows.judging import Dialect, Judge
from checks.rows.missing import NoValue
from checks.rows.shapes import Row
from checks.rows.terms import Condition, Truth
from checks.rulebook.covering import filled
from checks.rulebook.meaning import joined_by_and, may_be_null, parsed
from checks.schema.model import CheckConstraint, Table
from checks.schema.names import column_reference
from checks.sql.remedies import made_anew
from checks.sql.statements import quoted, quoted_table
from checks.targets import ReadSession, RelationalTarget, StatementFailed

SEVERITY = Severity.NOTICE
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "CHECKs of columns that can be NULL"
PROVES = "hold with NULL too"

_DIALECTS: Mapping[Engine, Dialect] = {Engine.POSTGRESQL: postgresql, Engine.SQLITE: sqlite, Engine.MARIADB: mariadb}

# Beginnings of codes that say that the session or the server is gone or full, not what became of one CHECK.
_LOST = ("08", "53", "57P")
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Any)


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every CHECK that speaks of a column which can be NULL."""
    with target.rows() as session:
        asked = _Asked(target, session)
        for table in target.catalogue.tables:
            for check in table.checks:
                if check.enforced and asked.nullable(check.expression, table):
                    yield _judge(check, table, asked)


def _judge(check: CheckConstraint, table: Table, asked: _Asked) -> Judgement:
    subject = f"{table.name.label()}.{check.name}"
    try:
        return asked.judged(subject, check, table)
    except NoValue as reason:
        return NotProven(subject, str(reason))
    except StatementFailed as failure:
        if not failure.code or failure.code.startswith(_LOST):
            raise
        return NotProven(subject, failure.gap or f"it could not be asked: {failure}")


class _Asked:
    """What the server says of the CHECKs of one database."""

    def __init__(self, target: RelationalTarget, session: ReadSession) -> None:
        self._target = target
        self._read = session.rows
        self._dialect = _DIALECTS[target.engine]
        self._compiler = Compiler(target.catalogue, self._dialect, session.rows)

    def nullable(self, expression: str, table: Table) -> list[str]:
        """The columns that an expression speaks of and that can be NULL."""
        said = expression.lower()
        if not any(column.nullable and column.name.lower() in said for column in table.columns):
            return []  # parsing thousands of CHECKs takes its time
        tree = parsed(expression, self._target.engine)
        names = columns_of(tree, tuple(table.column)) if tree is not None else ()
        return [name for name in names if not filled(name, table, self._target.engine)]

    def judged(self, subject: str, check: CheckConstraint, table: Table) -> Judgement:
        """By each of the parts that AND joins."""
        for part in joined_by_and(check.expression, self._target.engine):
            silenced = self._silenced(part, check, table)
            if silenced:
                return _finding(subject, check, silenced, table, self._target)
        return Proven(subject)

    def _silenced(self, part: exp.Expression, check: CheckConstraint, table: Table) -> str:
        """The column by whose NULL this part of a CHECK refuses nothing, and why that matters; empty for none."""
        condition = self._condition(part, check, table)
        compared = (one for one in part.find_all(*_COMPARISONS) if isinstance(one, exp.Expression))
        if any(isinstance(side, exp.Null) for one in compared for side in _sides(one)):
            return "NULL stands in it, and nothing is equal to that"
        for name in (name for name in condition.columns if not filled(name, table, self._target.engine)):
            more = _is_more_than_optional(part, condition.columns, table.column[name].default)
            if not more or not may_be_null(part, name):
                continue
            if self._truth(condition, table, {**self._refused(condition, table), name: None}) is Truth.NULL:
                return f"it passes where {name} is NULL"
        return ""

    def _condition(self, part: exp.Expression, check: CheckConstraint, table: Table) -> Condition:
        columns = columns_of(part, tuple(table.column))
        return Condition(check.name, part.sql(dialect=self._dialect.DIALECT), columns, self._dialect.DIALECT)

    def _refused(self, condition: Condition, table: Table) -> Row:
        """A row that it refuses; of a single column none is needed."""
        if len(condition.columns) == 1:
            return {}
        found = self._compiler.violating(table.name, condition).row
        if any(name not in found for name in condition.columns):
            raise NoValue("a generated column")
        return {name: found[name] for name in condition.columns}

    def _truth(self, condition: Condition, table: Table, row: Row) -> Truth:
        judge = Judge(self._dialect, self._read, table, [table.column[name] for name in condition.columns])
        ((truth,),) = judge([condition], [row])
        return truth


def _sides(compared: exp.Expression) -> Iterator[exp.Expression]:
    """What a comparison compares, values of lists one by one."""
    for side in compared.args.values():
        for one in side if isinstance(side, list) else [side]:
            inner = one.unnest() if isinstance(one, exp.Expression) else one
            while isinstance(inner, exp.Cast):
                inner = inner.this.unnest()
            if isinstance(inner, exp.Array):
                yield from (value.this.unnest() if isinstance(value, exp.Cast) else value for value in inner.expressions)
            elif isinstance(inner, exp.Expression):
                yield inner


def _is_more_than_optional(part: exp.Expression, columns: Sequence[str], default: str | None) -> bool:
    """Whether the part says more than what a value must be where there is one, or after which other one."""
    bare = part.this.unnest() if isinstance(part, exp.Not) else part
    if len(columns) == 1:
        boolean = isinstance(bare, exp.Column) or isinstance(bare.args.get("expression"), exp.Boolean)
        return boolean or (default is not None and not default.upper().startswith("NULL"))
    return len(columns) > 2 or isinstance(bare, exp.Or)


def _finding(subject: str, check: CheckConstraint, why: str, table: Table, target: RelationalTarget) -> Finding:
    name = why.removeprefix("it passes where ").removesuffix(" is NULL") if why.startswith("it passes where ") else ""
    objects = (check.reference, column_reference(table.name, name)) if name else (check.reference,)
    said = " ".join(check.expression.split())
    return Finding(
        subject=subject,
        message=f"{check.name} of {table.name.label()} does not refuse what it should: {why}: {said}",
        remedy=_remedy(name, table, target),
        objects=objects,
        evidence={"expression": check.expression, **({"column": name} if name else {})},
    )


def _remedy(name: str, table: Table, target: RelationalTarget) -> str:
    if not name:
        return "Write IS NULL or IS NOT NULL where NULL is meant, and take it out of the list or the comparison."
    column, where = quoted(target.engine, name), quoted_table(target.engine, table.name, target.catalogue.default_schema)
    if target.engine is Engine.SQLITE:
        return made_anew(where, f"{column} NOT NULL") + f" Where NULL is meant, say so: {column} IS NULL OR (…)."
    change = f"ALTER {column} SET NOT NULL"
    if target.engine is Engine.MARIADB:
        change = f"MODIFY {column} {table.column[name].type} NOT NULL"
    return f"ALTER TABLE {where} {change}; where NULL is meant, say so in the CHECK: {column} IS NULL OR (…)."
