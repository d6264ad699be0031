"""All that a row of a table has to meet, as conditions which the server can be asked about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import chain

from sqlglot import exp

from checks.rows.expressions import columns_of, parsed, with_formulas
from checks.rows.judging import Dialect
from checks.rows.shapes import Row, Value
from checks.rows.terms import Condition
from checks.schema.model import Catalogue, CheckConstraint, Column, DomainCheck, Index, Table
from checks.sql.statements import quoted

#: What a partition's bound is called among the conditions of its rows.
BOUND = "the partition's bound"

#: The word VALUE where it stands for the value of a domain: not in a text, not as a name.
_VALUE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\bVALUE\b")


def above(table: Table, catalogue: Catalogue) -> Iterator[Table]:
    """The table itself, then what it is a partition of, up to the whole: what holds there holds here."""
    here: Table | None = table
    while here is not None:
        yield here
        here = catalogue.table.get(here.partition_of) if here.partition_of is not None else None


def storing(table: Table, catalogue: Catalogue) -> Table | None:
    """A table that holds the rows of this one: itself, or one of its partitions."""
    if not table.partitioned:
        return table
    found = (storing(part, catalogue) for part in catalogue.partitions.get(table.name, ()))
    return next((part for part in found if part is not None), None)


def of_check(check: CheckConstraint, table: Table, dialect: Dialect) -> Condition:
    """A CHECK of the table, or of one that it is a partition of."""
    return _condition(check.name, check.expression, table, dialect)


def of_domain(check: DomainCheck, column: Column, table: Table, dialect: Dialect) -> Condition:
    """A CHECK of a column's domain, asked of that column."""
    name = quoted(dialect.ENGINE, column.name)
    expression = _VALUE.sub(lambda found: f"({name})" if found[0] == "VALUE" else found[0], check.expression)
    return _condition(f"{check.domain}.{check.name}", expression, table, dialect)


def of_predicate(index: Index, table: Table, dialect: Dialect) -> Condition | None:
    """That a row is in a partial index; None for one that holds every row."""
    if not index.predicate:
        return None
    return replace(_condition(f"the predicate of {index.name}", index.predicate, table, dialect), strict=True)


def conditions(table: Table, catalogue: Catalogue, dialect: Dialect) -> list[Condition]:
    """What is enforced of a row of the table, except for its references: CHECKs, those of domains, a partition's bound."""
    checks = chain.from_iterable(one.checks for one in above(table, catalogue))
    found = [of_check(check, table, dialect) for check in checks if check.enforced]
    found += [of_domain(check, column, table, dialect) for column in table.columns for check in column.domain_checks]
    found += [not_null(column, table, dialect) for column in table.columns if column.generated and not column.nullable]
    if table.bound:
        found.append(_condition(BOUND, table.bound, table, dialect))
    return list(dict.fromkeys(found))


def not_null(column: Column, table: Table, dialect: Dialect) -> Condition:
    """A column has to have a value, a generated one to come to something."""
    return _condition(f"NOT NULL of {column.name}", f"{quoted(dialect.ENGINE, column.name)} IS NOT NULL", table, dialect)


def unique(index: Index, table: Table, given: Sequence[str], besides: Sequence[Row], dialect: Dialect) -> Condition | None:
    """That no row has the values of a unique index, nor any of ``besides``, which are still to go in.

    None where a row does not give them all, and what the index's predicate speaks of, or they are no plain columns.
    """
    names = [name for name in index.columns if name is not None and name in given]
    predicate = of_predicate(index, table, dialect)
    beside = [name for name in predicate.columns if name not in names] if predicate else []
    if not index.unique or len(names) < len(index.columns) or not names or not {*beside} <= {*given}:
        return None
    mine, other = quoted(dialect.ENGINE, table.name.name), "dbproof_other"
    equal = " AND ".join(f"{other}.{column} = {mine}.{column}" for column in (quoted(dialect.ENGINE, name) for name in names))
    schema = f"{quoted(dialect.ENGINE, table.name.schema)}." if table.name.schema else ""
    expression = f"NOT EXISTS (SELECT 1 FROM {schema}{mine} AS {other} WHERE {equal})"  # noqa: S608 - names are quoted
    for row in besides:
        same = " AND ".join(f"{quoted(dialect.ENGINE, name)} = {_literal(row.get(name), dialect)}" for name in names)
        expression = f"{expression} AND ({same}) IS NOT TRUE"
    if index.predicate:
        expression = f"({index.predicate}) IS NOT TRUE OR {expression}"
    return Condition(f"unique {index.name}", expression, (*names, *beside))


def _literal(value: Value, dialect: Dialect) -> str:
    """A value as it is written in SQL."""
    if value is None:
        return "NULL"
    made = exp.Literal.number(f"{value:f}") if isinstance(value, Decimal) else exp.Literal.string(value)
    return made.sql(dialect=dialect.DIALECT)


def _condition(name: str, expression: str, table: Table, dialect: Dialect) -> Condition:
    names = tuple(table.column)
    tree = parsed(expression, dialect.DIALECT)
    if tree is None:
        words = set(re.findall(r"\w+", expression.lower()))
        return Condition(name, expression, tuple(column for column in names if column.lower() in words))
    spoken = columns_of(tree, names)
    computed = {column: formula for column in spoken if (formula := _formula(table.column[column], dialect)) is not None}
    reading = with_formulas(tree, computed, names) if computed else tree
    meant = reading.sql(dialect=dialect.DIALECT) if computed else expression
    return Condition(name, expression, columns_of(reading, names), dialect.DIALECT, meant, computed=tuple(computed))


def _formula(column: Column, dialect: Dialect) -> exp.Expression | None:
    """What a generated column is computed by."""
    return parsed(column.default, dialect.DIALECT) if column.generated and column.default else None
