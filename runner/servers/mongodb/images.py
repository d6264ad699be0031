"""What an image's name says: the version of MongoDB in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Images that are MongoDB as it comes, by the last part of their name.
_PLAIN = frozenset({"mongo", "mongodb", "mongodb-community-server", "mongodb-enterprise-server", "percona-server-mongodb"})


@dataclass(frozen=True)
class Image:
    """``version`` is what the tag says, empty for nothing. ``known``: whether we can tell what it holds."""

    name: str
    version: tuple[int, ...]
    known: bool


def image(name: str) -> Image:
    """Read an image's name: ``mongo:7``, ``mongodb/mongodb-community-server:6.0-ubi8``, ``ghcr.io/x/mongo:6.0.5@sha256:…``."""
    bare = name.partition("@")[0]
    path, _, tag = bare.rpartition(":") if ":" in bare.rpartition("/")[2] else (bare, "", "")
    known = path.rpartition("/")[2] in _PLAIN
    found = re.match(r"\d+(?:\.\d+)*", tag) if known else None
    return Image(name, version(found[0]) if found else (), known)


def version(text: str) -> tuple[int, ...]:
    """The numbers of a version (``6``, ``6.0``, ``6.0.5``); raises ValueError for anything else."""
    return tuple(int(part) for part in text.strip().split("."))
