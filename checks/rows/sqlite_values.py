"""Values of a SQLite column, whatever its affinity: numbers that real rows hardly hold, written as text."""

from __future__ import annotations

from checks.schema.model import Column

#: How many values are thought of.
PLENTY = 16

#: The largest integer that a double holds exactly, which is how a REAL column keeps it.
_LARGEST = 2**53


def candidates(column: Column) -> tuple[str, ...]:  # noqa: ARG001 - the affinity of the column, or of its parent's, reads them
    """Different values that any column can hold (CHECKs aside): SQLite heeds no length (datatype3.html, 3.1.1)."""
    return tuple(str(_LARGEST - number) for number in range(PLENTY))
