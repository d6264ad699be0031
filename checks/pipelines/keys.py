"""Key values of documents as text for people."""

from __future__ import annotations

import json

#: How much of a long value is shown.
LONGEST = 120


def shown(value: object) -> str:
    """A value in Extended JSON's words, in one line."""
    if isinstance(value, str | int | float | bool) or value is None:
        text = json.dumps(value, ensure_ascii=False)
    elif isinstance(value, dict | list):
        text = json.dumps(value, ensure_ascii=False, default=str)
    else:
        text = str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
