"""The server finds no damage in a collection or its indexes.

Proves, for every collection, that the server's own `validate` finds what is stored whole: every document can be read, every index
has the entries that the documents make and no others, and what is counted is what is there. An index that misses an entry gives a
query less than the collection holds, and a unique one then lets a second document in, without an error (MongoDB's manual,
"validate"). Small collections are looked through whole (`full`), large ones by their indexes and documents. The command keeps
writers out, so nothing is asked of a database that was given to be read only.

**Anti-pattern**

```console
$ cp -r /data/db /backup    # of a server that runs: what is in its memory is not in the copy
```

**Best practice**

```console
$ mongodump --uri "$MONGODB_URI" --oplog --out /backup
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checks.document_targets import DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, Proven, Severity
from checks.schema.collections import Collection, CollectionKind, collection_reference
from checks.targets import StatementFailed
from checks.unanswered import unanswered

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.SANDBOX, Need.QUIET})
SUBJECTS = "collections"
PROVES = "are stored whole"

#: Up to how many documents a collection is looked through whole.
SMALL = 10_000
#: What the server says of documents that break a validator, which document-violates-validator counts.
_ONLY_RULES = "not compliant with the collection's schema"
#: How many of the server's sentences a finding repeats.
SENTENCES = 3


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Ask the server of every collection; a view stores nothing."""
    for collection in target.collections.all:
        if collection.kind is not CollectionKind.VIEW:
            yield _judge(collection, target)


def _judge(collection: Collection, target: DocumentTarget) -> Judgement:
    try:
        answer = target.storage(_stored(collection), full=collection.documents <= SMALL)
    except StatementFailed as failure:
        return unanswered(collection.name, failure)
    return Proven(collection.name) if answer.get("valid") or not _damage(answer) else _finding(collection, answer)


def _stored(collection: Collection) -> str:
    """Where the server keeps its documents: a time series is a view of its buckets."""
    return f"system.buckets.{collection.name}" if collection.kind is CollectionKind.TIME_SERIES else collection.name


def _damage(answer: Mapping[str, Any]) -> bool:
    """Whether there is more than documents that break the collection's validator, which MongoDB 6.0 calls invalid too."""
    indexes = answer.get("indexDetails", {}).values()
    entries = any(
        answer.get(name) for name in ("missingIndexEntries", "extraIndexEntries", "corruptRecords", "nInvalidDocuments")
    )
    broken = entries or not all(index.get("valid", True) for index in indexes)
    return broken or any(_ONLY_RULES not in str(error) for error in answer.get("errors", ())) or not answer.get("errors")


def _finding(collection: Collection, answer: Mapping[str, Any]) -> Finding:
    broken = [name for name, index in answer.get("indexDetails", {}).items() if not index.get("valid", True)]
    told = [str(error) for error in answer.get("errors", ())]
    told += [str(error) for name in broken for error in answer["indexDetails"][name].get("errors", ())]
    where = f", in {'the index' if len(broken) == 1 else 'the indexes'} {', '.join(broken)}" if broken else ""
    missing, extra = len(answer.get("missingIndexEntries", ())), len(answer.get("extraIndexEntries", ()))
    return Finding(
        subject=collection.name,
        message=f"the server finds {collection.name} damaged{where}",
        remedy="Build broken indexes anew (drop and create them); where documents cannot be read, restore a backup, or "
        "db.runCommand({validate: …, repair: true}) on a server that stands alone.",
        objects=(collection_reference(collection.name),),
        said="; ".join(dict.fromkeys(told[:SENTENCES])),
        evidence={"indexes": list(broken), "missing entries": missing, "extra entries": extra},
    )
