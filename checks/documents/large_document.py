"""No document is large.

Proves, for every collection, that none of its documents is larger than 1 MB, or than `document_size` under `limits` in
`[databases.NAME]` says. The server holds 16 MB at most in a document and refuses the write that would go beyond (MongoDB's
manual, "MongoDB Limits and Thresholds"); long before, every read of one of its fields brings all of it into memory, and every
update writes it whole. The sizes are the server's own (`$bsonSize`), the counts exact, by one scan. A pipeline's rows are no
measure of production's, so this is asked only of a database that exists and is looked at, or where the settings give it a
severity.

**Anti-pattern**

```python
db.invoices.update_one({"_id": invoice}, {"$set": {"scan": pdf.read_bytes()}})
```

**Best practice**

```python
scan = gridfs.GridFS(db).put(pdf.read_bytes())  # in pieces, read when it is asked for
db.invoices.update_one({"_id": invoice}, {"$set": {"scan_id": scan}})
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from checks.document_targets import DocumentSession, DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.pipelines.keys import shown
from checks.schema.collections import Collection, CollectionKind, collection_reference
from checks.targets import StatementFailed
from checks.unanswered import unanswered

SEVERITY = Severity.OFF
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "collections with documents"
PROVES = "hold no large document"

#: In bytes: how large a document may be where the settings do not say, what the server refuses, and what comes near it.
LARGE, REFUSED = 1_048_576, 16_777_216
NEAR = REFUSED * 3 // 4
#: How many documents a finding shows, and of how many bytes a key may be to be shown.
SAMPLE, SHOWN_KEY = 5, 1_000


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge every collection that holds documents; a view's are those of its collections, a time series' are measurements."""
    large = target.expect.documents.limits.document_size or LARGE
    with target.documents() as session:
        for collection in target.collections.all:
            if collection.kind is CollectionKind.COLLECTION:
                yield from _judge(collection, large, session)


def _judge(collection: Collection, large: int, session: DocumentSession) -> Iterator[Judgement]:
    if not collection.readable:
        yield NotProven(collection.name, "permission denied")
        return
    if not collection.documents:
        return
    try:
        found: Mapping[str, Any] = next(iter(session.aggregate(collection.name, _sizes(large))), {"all": []})
        yield (
            _finding(collection, found, large)
            if found["all"]
            else Proven(collection.name, (collection_reference(collection.name),))
        )
    except StatementFailed as failure:
        yield unanswered(collection.name, failure)


def _sizes(large: int) -> Sequence[Mapping[str, Any]]:
    """How many are large, how many nearly as large as can be, the largest, and the keys of some."""
    key = {"$cond": [{"$lt": [{"$bsonSize": {"_id": "$_id"}}, SHOWN_KEY]}, "$_id", None]}
    near = {"$sum": {"$cond": [{"$gt": ["$size", NEAR]}, 1, 0]}}
    return [
        {"$project": {"_id": key, "size": {"$bsonSize": "$$ROOT"}}},
        {"$match": {"size": {"$gt": large}}},
        {
            "$facet": {
                "all": [{"$group": {"_id": None, "documents": {"$sum": 1}, "near": near, "largest": {"$max": "$size"}}}],
                "sample": [{"$match": {"_id": {"$ne": None}}}, {"$sort": {"size": -1, "_id": 1}}, {"$limit": SAMPLE}],
            }
        },
    ]


def _finding(collection: Collection, found: Mapping[str, Any], large: int) -> Finding:
    whole = found["all"][0]
    count, near = int(whole["documents"]), int(whole["near"])
    many = f"{count} document of {collection.name} is" if count == 1 else f"{count} documents of {collection.name} are"
    close = f", {near} of them near the 16 MB that the server takes" if near else ""
    return Finding(
        subject=collection.name,
        message=f"{many} larger than {in_words(large)}, {in_words(whole['largest'])} the largest{close}",
        remedy="Give what makes them large a collection of its own, or GridFS for files. Where it is meant, say so: "
        "document_size under `limits`.",
        objects=(collection_reference(collection.name),),
        count=count,
        values=tuple(f"_id={shown(one['_id'])} ({in_words(one['size'])})" for one in found["sample"]),
        evidence={"largest": whole["largest"], "near the limit": near},
    )


def in_words(size: int) -> str:
    """``1.5 MB``; a MB is 1 048 576 bytes, as the server counts."""
    for unit, length in (("MB", 1_048_576), ("KB", 1_024)):
        if size >= length:
            return f"{size / length:.1f}".removesuffix(".0") + f" {unit}"
    return f"{size} bytes"
