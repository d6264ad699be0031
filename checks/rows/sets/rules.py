"""What rows of a table have to meet, and what of it says which value a column has, or which columns a key is made of."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from checks.rows.conditions import BOUND, conditions
from checks.rows.expressions import columns_of
from checks.rows.judging import Dialect
from checks.rows.terms import Condition
from checks.schema.model import Catalogue, Column, Index, Table


def rules_of(table: Table, catalogue: Catalogue, dialect: Dialect) -> list[Condition]:
    """What rows of a table have to meet; of a partitioned one, that there is a partition for them."""
    held = conditions(table, catalogue, dialect)
    bounds = [bound for leaf in _leaves(table, catalogue) for bound in conditions(leaf, catalogue, dialect)]
    routes = [one for one in bounds if one not in held and one.name == BOUND]
    if not table.partitioned or not routes:
        return held
    names = tuple(dict.fromkeys(name for route in routes for name in route.columns))
    either = " OR ".join(f"({route.expression})" for route in routes)
    reading = " OR ".join(f"({route.reading or route.expression})" for route in routes)
    return [*held, Condition("a partition for it", either, names, dialect.DIALECT, reading, strict=True)]


def _leaves(table: Table, catalogue: Catalogue) -> Iterator[Table]:
    for part in catalogue.partitions.get(table.name, ()):
        yield from _leaves(part, catalogue) if part.partitioned else (part,)


def computed_columns(condition: Condition, names: tuple[str, ...]) -> Iterator[tuple[str, exp.Expression]]:
    """The columns that a rule equals with an expression of others: ``total = subtotal + tax``, alone or joined by AND."""
    tree = condition.tree
    for part in tree.flatten() if isinstance(tree, exp.And) else (tree,):
        inner = part.unnest() if isinstance(part, exp.Expression) else None
        if not isinstance(inner, exp.EQ):
            continue
        for mine, other in ((inner.this, inner.expression), (inner.expression, inner.this)):
            mine = mine.unnest()
            others = columns_of(other, names)
            if isinstance(mine, exp.Column) and others and (own := columns_of(mine, names)) and own[0] not in others:
                yield own[0], other


def columns_of_index(index: Index, table: Table) -> list[str]:
    """The columns that an index of expressions speaks of."""
    text = " ".join(index.keys)
    return [name for name in table.column if name in text]


def feeds_a_formula(column: Column, table: Table) -> bool:
    """Whether a generated column is computed from this one."""
    return any(other.generated and other.default and column.name in other.default for other in table.columns)
