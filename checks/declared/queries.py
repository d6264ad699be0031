"""The queries that the settings declare, with the limit that each has to keep."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Category(StrEnum):
    """The kinds of declared queries; each has a default limit."""

    SIMPLE = "simple"
    JOIN = "join"
    CONSTRAINT = "constraint"
    BATCH = "batch"
    AGGREGATION = "aggregation"

    @property
    def limit(self) -> float:
        """The default limit in seconds: simple 0.5, join 1, constraint 0.1, batch 2, aggregation 0.3."""
        return _LIMITS[self]


_LIMITS = {
    Category.SIMPLE: 0.5,
    Category.JOIN: 1.0,
    Category.CONSTRAINT: 0.1,
    Category.BATCH: 2.0,
    Category.AGGREGATION: 0.3,
}


@dataclass(frozen=True)
class DeclaredQuery:
    """A query with a limit in seconds, measured by ``runner.measure`` and judged by ``query-limit``."""

    name: str
    sql: str
    category: Category
    limit: float
