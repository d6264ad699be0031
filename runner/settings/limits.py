"""What the settings say that a database and its migrations may cost at most, besides its declared queries."""

from __future__ import annotations

from collections.abc import Mapping

from checks.declared.documents import DocumentLimits
from checks.declared.limits import MigrationLimits
from runner.settings.values import Count, Duration, Section, Size, setting


class LimitsSettings(Section):
    """Limits of a whole database. Writes are measured where one of theirs is declared."""

    migration: Duration | None = setting(None, "How long each new migration may take, on the rows of base.", "60s")
    blocked: Duration | None = setting(
        None, "How long a new migration may keep others waiting for a table; with `production_rows` at that size.", "500ms"
    )
    write: Duration | None = setting(None, "How long one insert or update may take, with validators and indexes.", "6ms")
    overhead: Duration | None = setting(None, "How much of that validators and indexes may add.", "5ms")
    collection_scan: Count | None = setting(None, "How many documents a query may read without an index.", 1000)
    array_length: Count | None = setting(None, "How many elements an array of a document may have.", 1000)
    document_size: Size | None = setting(None, "How large a document may be.", "1MB")


def limits(settings: LimitsSettings) -> DocumentLimits:
    """The limits of a document database."""
    return DocumentLimits(
        write=settings.write,
        overhead=settings.overhead,
        collection_scan=settings.collection_scan,
        array_length=settings.array_length,
        document_size=settings.document_size,
    )


def of_migrations(settings: LimitsSettings, production_rows: Mapping[str, int]) -> MigrationLimits:
    """The limits of new migrations, with what production holds."""
    labels = {name.removeprefix("public."): rows for name, rows in production_rows.items()}
    return MigrationLimits(settings.migration, settings.blocked, labels)
