"""Every check there is, whatever kind of database it judges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checks.interface import Check, Engine, Severity
from checks.registries.between import BETWEEN
from checks.registries.documents import DOCUMENTS
from checks.registries.relational import RELATIONAL

#: Every check by its id: first those of relational databases, then those that only documents have, and those between databases.
#: An id that rows and documents share stands here for the module that judges rows; :func:`modules` gives both.
CHECKS: Mapping[str, Check[Any]] = {
    **RELATIONAL,
    **{name: check for name, check in DOCUMENTS.items() if name not in RELATIONAL},
    **BETWEEN,
}

#: What a run does not ask, for the rows of a pipeline say nothing of production's, and what it weighs where a database that
#: exists is looked at.
LIVE: Mapping[str, Severity] = {
    "key-exhaustion": Severity.WARNING,
    "undeclared-reference": Severity.NOTICE,
    "large-document": Severity.NOTICE,
    "unbounded-array": Severity.NOTICE,
    "unused-field-in-schema": Severity.NOTICE,
    "no-validator": Severity.NOTICE,
}


def modules(identifier: str) -> tuple[Check[Any], ...]:
    """The modules of a check: one, or two where rows and documents are each judged by their own, rows first."""
    registered = (registry[identifier] for registry in (RELATIONAL, DOCUMENTS, BETWEEN) if identifier in registry)
    return tuple({check.run.__module__: check for check in registered}.values())


def engines(identifier: str) -> frozenset[Engine]:
    """The engines that a check judges, by whichever of its modules."""
    return frozenset().union(*(check.ENGINES for check in modules(identifier)))
