"""What an image's name says: the major version of PostgreSQL in it, and the extensions that it brings."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Images that are PostgreSQL as it comes, by the last part of their name.
_PLAIN = frozenset({"postgres", "postgresql"})
#: Images that add extensions, by a word in their name. Only what an image is named for; it may hold more.
_ADDED = {"postgis": "postgis", "pgvector": "vector", "timescaledb": "timescaledb", "paradedb": "pg_search", "citus": "citus"}
_MARKED = re.compile(r"(?:pg|postgres|postgresql)-?(\d+)")


@dataclass(frozen=True)
class Image:
    """``major`` is ``None`` where the tag does not say it. ``known``: whether we can tell what it holds."""

    name: str
    major: int | None
    extensions: frozenset[str]
    known: bool


def image(name: str) -> Image:
    """Read an image's name: ``postgres:16-alpine``, ``pgvector/pgvector:pg16``, ``ghcr.io/x/postgis:16-3.4@sha256:…``."""
    bare = name.partition("@")[0]
    path, _, tag = bare.rpartition(":") if ":" in bare.rpartition("/")[2] else (bare, "", "")
    last = path.rpartition("/")[2]
    added = frozenset(extension for word, extension in _ADDED.items() if word in last)
    return Image(name, _major(tag, own="postgres" in last or "postgis" in last), added, known=bool(added) or last in _PLAIN)


def major(version: str) -> int:
    """The major version in ``16``, ``16.4``; raises ValueError for anything else."""
    found = re.match(r"\s*(\d+)(?:\.\d+)*\s*$", version)
    if found is None:
        raise ValueError(version)
    return int(found[1])


def _major(tag: str, *, own: bool) -> int | None:
    """``pg16`` anywhere in the tag counts first; a number at its beginning only where tags count PostgreSQL's versions."""
    found = _MARKED.search(tag) or (re.match(r"(\d{1,2})(?!\d)", tag) if own else None)
    return int(found[1]) if found else None
