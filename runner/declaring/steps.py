"""The commands to what is declared, as data: what each is about, why, where that is declared, and what it makes and drops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from checks.evidence import Place
from checks.schema.collections import CollectionIndex
from checks.schema.names import ObjectReference


class StepKind(StrEnum):
    """What a command is about."""

    CREATE = "create"
    VALIDATOR = "validator"
    BUILD = "build"
    CHANGE = "change"
    DROP = "drop"
    REMOVE = "remove"


@dataclass(frozen=True)
class Step:
    """One command: why, where it is declared, what it makes and drops. ``impossible`` says why no server takes it.

    ``index`` is the definition that a ``BUILD`` builds or a ``CHANGE`` comes to.
    """

    kind: StepKind
    collection: str
    command: Mapping[str, Any] = field(hash=False)
    why: str = ""
    place: Place | None = None
    made: tuple[ObjectReference, ...] = ()
    dropped: tuple[ObjectReference, ...] = ()
    index: CollectionIndex | None = None
    impossible: str = ""

    @property
    def label(self) -> str:
        """``subscriptions`` of a validator, ``subscriptions.company_name_idx`` of an index."""
        name = self.index.name if self.index else self.command.get("index", "")
        return f"{self.collection}.{name}" if name else self.collection


@dataclass(frozen=True)
class Policy:
    """How far the commands go.

    ``drop_undeclared``: other indexes of collections whose indexes are declared go, not only unique ones that a declared one
    stands in for. ``drop_validators``: validators that are not declared go. ``build_first``: what is built is built before
    anything is dropped, where the server (``version``) can have both. ``moderate`` are the collections whose validators are
    attached with the level `moderate`.
    """

    drop_undeclared: bool = False
    drop_validators: bool = False
    build_first: bool = True
    version: tuple[int, ...] = (6, 0)
    moderate: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Steps:
    """The commands in their order, and what is left as it is though it is not what is declared, in words."""

    all: tuple[Step, ...] = ()
    left: tuple[str, ...] = ()


#: For a database that was made from an older declaration of the same repository: nothing else can be in it.
WHOLLY = Policy(drop_undeclared=True, drop_validators=True, build_first=False)
