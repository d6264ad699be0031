"""What the settings say that a database may cost at most, besides its declared queries."""

from __future__ import annotations

from checks.declared.documents import DocumentLimits
from runner.settings.values import Count, Duration, Section, setting


class LimitsSettings(Section):
    """Limits of a whole database. Writes are measured where one of theirs is declared."""

    write: Duration | None = setting(None, "How long one insert or update may take, with validators and indexes.", "6ms")
    overhead: Duration | None = setting(None, "How much of that validators and indexes may add.", "5ms")
    collection_scan: Count | None = setting(None, "How many documents a query may read without an index.", 1000)


def limits(settings: LimitsSettings) -> DocumentLimits:
    """The limits of a document database."""
    return DocumentLimits(settings.write, settings.overhead, settings.collection_scan)
