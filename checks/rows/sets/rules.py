"""What rows of a table have to meet, and what of it says which value a column has, or which columns a key is made of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from checks.rows.conditions import BOUND, conditions
from checks.rows.judging import Dialect
from checks.rows.terms import Condition
from checks.schema.model import Catalogue, Column, Index, Table

#: Behind a name, the length of the prefix that an index holds of it.
_PREFIX = re.compile(r"`\((\d+)\) (?:asc|desc)$")

#: How PostgreSQL writes that a row belongs into a partition by hash: with the number of the table, which is another every time.
_HASH = re.compile(r"satisfies_hash_partition\([^()]*\)")


def rules_of(table: Table, catalogue: Catalogue, dialect: Dialect) -> list[Condition]:
    """What rows of a table have to meet; of a partitioned one, that there is a partition for them."""
    held = conditions(table, catalogue, dialect)
    bounds = [bound for leaf in _leaves(table, catalogue) for bound in conditions(leaf, catalogue, dialect)]
    routes = [one for one in bounds if one not in held and one.name == BOUND]
    if not table.partitioned or not routes:
        return held
    names = tuple(dict.fromkeys(name for route in routes for name in route.columns))
    either = " OR ".join(f"({route.expression})" for route in routes)
    reading = _HASH.sub("true", " OR ".join(f"({route.reading or route.expression})" for route in routes))
    return [*held, Condition("a partition for it", either, names, dialect.DIALECT, reading, strict=True)]


def _leaves(table: Table, catalogue: Catalogue) -> Iterator[Table]:
    for part in catalogue.partitions.get(table.name, ()):
        yield from _leaves(part, catalogue) if part.partitioned else (part,)


def columns_of_index(index: Index, table: Table) -> list[str]:
    """The columns that an index of expressions speaks of."""
    text = " ".join(index.keys).lower()
    return [name for name in table.column if name.lower() in text]


def kept_length(index: Index, name: str) -> int | None:
    """How many characters of a column an index keeps apart, where those are not all (``title(4)`` in MariaDB)."""
    for column, key in zip(index.columns, index.keys, strict=False):
        found = _PREFIX.search(key) if column == name else None
        if found:
            return int(found[1])
    return None


def behind_formulas(names: Sequence[str], table: Table) -> list[str]:
    """The columns that generated ones among these are computed from, as far as that can be read, not generated themselves."""
    formulas = " ".join(table.column[name].default or "" for name in names if table.column[name].generated)
    return [column.name for column in table.columns if not column.generated and column.name in formulas]


def feeds_a_formula(column: Column, table: Table) -> bool:
    """Whether a generated column is computed from this one."""
    return any(other.generated and other.default and column.name in other.default for other in table.columns)
