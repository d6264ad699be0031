"""What ``dbproof fix`` is told of the documents that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.settings.values import Section, Text, setting


class FixSettings(Section):
    """What `dbproof fix` gives the documents that it makes in a collection."""

    values: Mapping[Text, Any] = setting(
        {},
        'Values of their fields, by dotted path; {now} is the time of making, {"$oid" = "…"} and the like are Extended JSON.',
        {"created_at": "{now}", "plan": "trial"},
    )
