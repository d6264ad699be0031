"""What the server is asked before an index is built: which documents it could not hold, and which would be removed by it.

Each pipeline follows how MongoDB makes keys of documents (its manual, "Multikey Indexes", "Sparse Indexes", "Partial Indexes"):
an array is each of its elements, a missing field is null, an empty array is a value of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from checks.schema.collections import CollectionIndex

Stage = Mapping[str, Any]

#: How many keys are shown, of however many there are.
SAMPLE = 5
#: The field by which a document says in which language its texts are, and the languages that a text index knows (its manual,
#: "Text Search Languages"); the server refuses to index a document that says another (codes 17261, 17262).
LANGUAGE = "language"
LANGUAGES = (
    *("none", "da", "danish", "nl", "dutch", "en", "english", "fi", "finnish", "fr", "french", "de", "german", "hu", "hungarian"),
    *(
        "it",
        "italian",
        "nb",
        "norwegian",
        "pt",
        "portuguese",
        "ro",
        "romanian",
        "ru",
        "russian",
        "es",
        "spanish",
        "sv",
        "swedish",
    ),
    *("tr", "turkish", "porter"),
)


def held(index: CollectionIndex) -> Mapping[str, Any]:
    """Which documents an index holds, as a filter."""
    if index.partial_filter is not None:
        return index.partial_filter
    if index.sparse:
        return {"$or": [{name: {"$exists": True}} for name in index.fields]}
    return {}


def countable(index: CollectionIndex) -> bool:
    """Whether :func:`duplicates` can make its keys: positions in arrays (``lines.0.sku``) are none that a pipeline knows.

    Nor can it where a field and one within it belong to the same index.
    """
    within = any(other.startswith(f"{name}.") for name in index.fields for other in index.fields)
    return not within and not any(part.isdigit() or part.startswith("$") for name in index.fields for part in name.split("."))


def duplicates(index: CollectionIndex) -> Sequence[Stage]:
    """Keys that more than one document has: ``all`` with ``groups`` and their ``documents``, and a ``sample`` of them.

    A document of several such keys, by an array, counts with each. Compares by the collation that it is asked with.
    """
    listed = list(_roots(index.fields).values())
    sets = {f"g{number}": _keys(names) for number, names in enumerate(listed)}
    key = {"$concatArrays": [f"${name}" for name in sets]}
    order = [name for names in listed for name in names]
    once: Sequence[Stage] = (
        [{"$group": {"_id": {"document": "$_id", "key": key}}}, {"$project": {"key": "$_id.key"}}]
        if index.collation
        else [{"$project": {"key": key}}]
    )
    picked = [{"$arrayElemAt": ["$key", order.index(name)]} for name in index.fields]
    return [
        {"$match": held(index)},
        {"$project": {"_id": 1, **sets}},
        *({"$unwind": f"${name}"} for name in sets),
        *once,
        {"$group": {"_id": picked, "documents": {"$sum": 1}}},
        {"$match": {"documents": {"$gt": 1}}},
        {
            "$facet": {
                "all": [{"$group": {"_id": None, "groups": {"$sum": 1}, "documents": {"$sum": "$documents"}}}],
                "sample": [{"$sort": {"documents": -1, "_id": 1}}, {"$limit": SAMPLE}],
            }
        },
    ]


def _roots(names: Sequence[str]) -> Mapping[str, list[str]]:
    """The fields of an index by the field of the document that each stands in: only one of these may be an array."""
    roots: dict[str, list[str]] = {}
    for name in names:
        roots.setdefault(name.partition(".")[0], []).append(name)
    return roots


def _keys(names: Sequence[str]) -> Mapping[str, Any]:
    """The set of keys that fields of one root give, each a list with a value for each field."""
    root = names[0].partition(".")[0]
    inner = [name.partition(".")[2] for name in names]
    if len(names) == 1 and not inner[0]:
        return {"$map": {"input": _values(f"${root}"), "as": "value", "in": ["$$value"]}}
    elements = {"$cond": [{"$isArray": f"${root}"}, {"$cond": [{"$eq": [f"${root}", []]}, [{}], f"${root}"]}, [f"${root}"]]}
    gathered = _joined({"$map": {"input": elements, "as": "element", "in": _product(inner)}})
    return {"$setUnion": [gathered, []]}


def _product(names: Sequence[str]) -> Any:  # noqa: ANN401 - an expression
    """Every list of one value for each of these fields of an element."""
    lists: Any = [[]]
    for number, name in enumerate(names):
        longer = {"$concatArrays": [f"$$before{number}", [f"$$value{number}"]]}
        values = {"$map": {"input": _values(f"$$element.{name}"), "as": f"value{number}", "in": longer}}
        lists = _joined({"$map": {"input": lists, "as": f"before{number}", "in": values}})
    return lists


def _joined(lists: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"$reduce": {"input": lists, "initialValue": [], "in": {"$concatArrays": ["$$value", "$$this"]}}}


#: Stands for an empty array, which an index tells from null.
_EMPTY: Mapping[str, Any] = {"$literal": {"dbproof": "an empty array"}}


def _values(path: str) -> Mapping[str, Any]:
    """The set of values at a path: the elements of an array, null where nothing is."""
    elements = {"$cond": [{"$eq": [path, []]}, [_EMPTY], {"$setUnion": [path, []]}]}
    return {"$cond": [{"$isArray": [path]}, elements, [{"$ifNull": [path, None]}]]}


def arrays(index: CollectionIndex) -> Sequence[Stage] | None:
    """How many documents have arrays where the index takes none, or ``None`` where it takes them all.

    Two fields of one index may not both be arrays (code 171), and no field that is hashed may be one (16766).
    """
    hashed = [name for name, kind in index.keys if kind == "hashed"]
    roots = _roots(index.fields)
    if not hashed and len(roots) < 2:
        return None
    some = [{"$cond": [{"$or": list(_arrays(root, names))}, 1, 0]} for root, names in roots.items()]
    wrong = [{"$gt": [{"$sum": some}, 1]}, *({"$isArray": [f"${name}"]} for name in hashed)]
    return [{"$match": held(index)}, {"$match": {"$expr": {"$or": wrong}}}, {"$count": "documents"}]


def _arrays(root: str, names: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    yield {"$isArray": [f"${root}"]}
    yield from ({"$isArray": [f"${name}"]} for name in names if name != root)


def foreign_languages(index: CollectionIndex) -> Sequence[Stage]:
    """How many documents say a language that a text index does not know."""
    known = {"$in": [{"$toLower": f"${LANGUAGE}"}, list(LANGUAGES)]}
    text = {"$eq": [{"$type": f"${LANGUAGE}"}, "string"]}
    return [
        {"$match": {"$and": [held(index), {LANGUAGE: {"$exists": True}}]}},
        {"$match": {"$expr": {"$not": [{"$cond": [text, known, False]}]}}},
        {"$count": "documents"},
    ]


def expired(index: CollectionIndex, now: datetime) -> Mapping[str, Any]:
    """A filter for the documents that an index which lets them expire would have removed at once.

    A document expires by the earliest of its dates, and one without a date never does.
    """
    before = now - timedelta(seconds=index.expire_after_seconds or 0)
    return {"$and": [held(index), {index.fields[0]: {"$lt": before}}]}
