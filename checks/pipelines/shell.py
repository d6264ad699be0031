"""Names as MongoDB's shell takes them, for commands that can be pasted."""

from __future__ import annotations

import json


def quoted(name: str) -> str:
    """A name in quotes: ``"audit.log"``."""
    return json.dumps(name, ensure_ascii=False)


def on(collection: str) -> str:
    """A collection: ``db.companies``, or ``db.getCollection("audit.log")``."""
    plain = collection.replace("_", "").isalnum() and collection.isascii()
    return f"db.{collection}" if plain else f"db.getCollection({quoted(collection)})"
