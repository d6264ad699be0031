"""What was measured of a database, as reports show it, in seconds: queries, what their indexes gain, what writes cost."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Sorting(StrEnum):
    """Where a query sorted without an index."""

    NONE = "none"
    MEMORY = "memory"
    DISK = "disk"


class Writing(StrEnum):
    """What is done with a document."""

    INSERT = "insert"
    UPDATE = "update"


@dataclass(frozen=True)
class ReportedGain:
    """How many times as long a query takes without the indexes that it uses: ``without`` to ``seconds``, by their medians.

    ``low`` and ``high`` are what the ratio lies within with 95 %; ``at_least`` says that it was stopped without them.
    """

    indexes: tuple[str, ...]
    ratio: float
    low: float
    high: float
    seconds: float
    without: float
    at_least: bool = False


@dataclass(frozen=True)
class ReportedQuery:
    """A declared query: its median and p95, ``None`` where it was not run to its end, and what the server looked at for it.

    ``documents`` and ``keys`` are ``None`` where the engine does not say.
    """

    name: str
    category: str
    limit: float
    median: float | None
    p95: float | None
    returned: int
    documents: int | None = None
    keys: int | None = None
    scanned: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    sorting: Sorting = Sorting.NONE
    gain: ReportedGain | None = None


@dataclass(frozen=True)
class ReportedWrite:
    """One kind of write to a collection: the median with everything, and what both, the validator and the indexes add to it."""

    collection: str
    kind: Writing
    median: float
    without: float
    overhead: float
    validator: float
    indexes: float


@dataclass(frozen=True)
class Measured:
    """All that was measured of a database."""

    queries: tuple[ReportedQuery, ...] = ()
    writes: tuple[ReportedWrite, ...] = ()
