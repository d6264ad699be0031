"""In what a project's models differ from what its migrations make, as frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from checks.evidence import Place
from checks.schema.names import ObjectReference


class DriftKind(StrEnum):
    """What a difference is: the database lacks something of the models, has something else, or has what no model knows.

    ``UNKNOWN_TABLE`` is apart, as tables that are made without a model are common.
    """

    MISSING = "missing"
    CHANGED = "changed"
    UNKNOWN = "unknown"
    UNKNOWN_TABLE = "unknown table"


@dataclass(frozen=True)
class DriftOperation:
    """One step that would bring the database to the models.

    ``subject`` names the table, column, index or model (``orders.currency``), ``words`` say how it differs, ``place`` is the
    model's. ``none`` is why it is no difference after all, empty where it is one: the tool finds it again after it has settled
    it, or the database takes both for the same. ``foreign`` says that the model is an installed package's.
    """

    subject: str
    words: str
    kind: DriftKind
    place: Place | None = None
    objects: tuple[ObjectReference, ...] = ()
    none: str = ""
    foreign: bool = False


@dataclass(frozen=True)
class Drift:
    """What the migration tool said; ``command`` is its own command that says the same, ``write`` the one that writes a migration.

    ``gap`` is why it could not be asked.
    """

    command: str
    write: str = ""
    operations: tuple[DriftOperation, ...] = ()
    gap: str = ""
