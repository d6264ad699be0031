"""What the repository declares of its own database, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from checks.declared.candidates import Candidate
from checks.declared.documents import DocumentExpectations
from checks.declared.expected import ExpectedConstraint
from checks.declared.limits import MigrationLimits
from checks.declared.queries import DeclaredQuery
from checks.declared.references import ExpectedReference, PolymorphicReference
from checks.tenants.declared import Tenancy


@dataclass(frozen=True)
class Expectations:
    """All that the settings declare of one database. ``no_rows`` maps a sentence to a query that must return no row.

    ``audit`` are constraints that are not there yet and that the rows are counted by; ``constraints`` are to be there.
    ``tenancy`` says whose a row is. ``foreign_keys`` is what the application's sessions do with that pragma
    of SQLite, ``None`` where nobody says it; ``documents`` is what only a document database has, ``limits``
    are those of new migrations.
    """

    references: tuple[ExpectedReference, ...] = ()
    polymorphic: tuple[PolymorphicReference, ...] = ()
    audit: tuple[Candidate, ...] = ()
    constraints: tuple[ExpectedConstraint, ...] = ()
    no_rows: Mapping[str, str] = field(default_factory=dict)
    queries: tuple[DeclaredQuery, ...] = ()
    foreign_keys: bool | None = None
    tenancy: Tenancy | None = None
    documents: DocumentExpectations = field(default_factory=DocumentExpectations)
    limits: MigrationLimits = field(default_factory=MigrationLimits)

    @property
    def measured(self) -> bool:
        """Whether there are queries or writes to measure."""
        return bool(self.queries or self.documents.queries or self.documents.limits.of_writes)
