"""Every check there is, whatever kind of database it judges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checks.between import BETWEEN
from checks.documents import DOCUMENTS
from checks.interface import Check, Severity
from checks.relational import RELATIONAL

#: Every check by its id: first those of relational databases, then those that only documents have, and those between databases.
CHECKS: Mapping[str, Check[Any]] = {**RELATIONAL, **DOCUMENTS, **BETWEEN}

#: What a run does not ask, for the rows of a pipeline say nothing of production's, and what it weighs where a database that
#: exists is looked at.
LIVE: Mapping[str, Severity] = {
    "key-exhaustion": Severity.WARNING,
    "undeclared-reference": Severity.NOTICE,
}
