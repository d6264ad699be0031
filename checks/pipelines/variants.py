"""Whether a field's types go with the kind of document: each value of a field like ``type`` has one, which is meant."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Collection as Many
from collections.abc import Iterator, Mapping
from typing import Any

from checks.document_targets import DocumentSession
from checks.pipelines.fields import NOTHING, Field
from checks.pipelines.paths import Path, Within, dotted, kind_of

#: What fields are called that say of which kind a document is; mappers write ``_cls``, ``_t``, ``__t``, ``_class``.
_KIND = re.compile(r"(^|_|(?<=[a-z]))(type|kind|class|variant|discriminator|event|model)$|^_*(t|cls)$", re.IGNORECASE)
#: How many kinds are told apart.
_MOST = 500


def told_apart(collection: str, one: Field, found: Many[Field], session: DocumentSession) -> bool:
    """Whether a field beside it, or above, has one type of it for each of its values. Raises StatementFailed."""
    return any(_tells(collection, kind, one.path, session) for kind in _kinds(one.path, found))


def _kinds(path: Path, found: Many[Field]) -> Iterator[Path]:
    """The fields that may say the kind: in the document or sub-document that the field is in, and those around it."""
    for one in found:
        name, around = one.path[-1], one.path[:-1]
        inside = around == path[: len(around)] and one.path != path[: len(one.path)]
        if inside and isinstance(name, str) and set(one.kinds) == {"string"} and _KIND.search(name):
            yield one.path


def _tells(collection: str, kind: Path, path: Path, session: DocumentSession) -> bool:
    """Ask for the types beside each kind; a path that the server cannot follow through tells nothing."""
    wanted, says = dotted(path), dotted(kind)
    nested = any(one is two is Within.EACH for one, two in itertools.pairwise(path))
    if wanted is None or says is None or nested:
        return False
    arrays = [dotted(path[:place]) for place, step in enumerate(path) if step is Within.EACH]
    pipeline: list[Mapping[str, Any]] = [
        *({"$unwind": f"${array}"} for array in arrays),
        {"$group": {"_id": {"kind": f"${says}", "type": kind_of(f"${wanted}")}, "n": {"$sum": 1}}},
        {"$limit": _MOST + 1},
    ]
    types: dict[str, Counter[str]] = defaultdict(Counter)
    rows = list(session.aggregate(collection, pipeline))
    for row in rows:
        types[str(row["_id"].get("kind"))]["" if row["_id"]["type"] in NOTHING else row["_id"]["type"]] += row["n"]
    return len(rows) <= _MOST and all(map(_has_one, types.values()))


def _has_one(types: Counter[str]) -> bool:
    """Whether documents of one kind have one type, and most of them do, so that it is no accident; or none of them has any."""
    there = types.total() - types[""]
    return len([kind for kind in types if kind]) <= 1 and (not there or there >= types[""])
