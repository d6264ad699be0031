"""Changes a few documents that were made, so that keys are no more different than the indexes ask.

What is unique only together with another field comes twice, and of what is unique alone some differ in case or in white space
behind. Every change is tried by the server, which refuses what validators and indexes do not allow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from checks.rows.document_sets.parts import CODEC
from checks.rows.sets.retouching import CHANGED, LEAST, LOOKED_AT, TRIED
from checks.schema.collections import CollectionIndex, CollectionKind
from runner.servers.interface import OURS

if TYPE_CHECKING:
    from runner.data.generated.batches import Filling

#: A document's key, a field of it, and the value that this is to have.
Change = tuple[Any, str, Any]
Found = Sequence[dict[str, Any]]


def retouch(run: Filling, name: str) -> None:
    """Change a few documents of a collection; where not the server alone refuses documents, or they are few, none."""
    collection = run.collections.collection[name]
    fixed = collection.kind is not CollectionKind.COLLECTION or bool(collection.options.get("capped"))
    if fixed or run.made[name] < LEAST or run.planner.unjudged(collection) or run.planner.mild:
        return
    unique = [index for index in run.planner.indexes(collection) if index.unique and index.name != "_id_"]
    fields = [field for field in dict.fromkeys(one for index in unique for one in index.fields) if _is_free(run, name, field)]
    if not fields:
        return
    listed = dict.fromkeys((one for index in unique for one in index.fields), 1)
    documents = run.database.get_collection(name, codec_options=CODEC)
    found: Found = list(documents.find({}, listed, comment=OURS).sort("_id", 1).limit(LOOKED_AT))
    used: set[int] = set()
    for field in fields:
        for alike in _kinds(field, [index for index in unique if field in index.fields], found, used):
            _changed(run, name, alike)


def _is_free(run: Filling, name: str, field: str) -> bool:
    """Whether nothing but its keys hangs on a field at the top of a document."""
    references = (*run.planner.of_child(name), *run.planner.of_parent(name))
    told = {path.dotted for one in references for path in (*one.children, *one.parents) if path.collection == name}
    return "." not in field and "$" not in field and field not in told and field not in (*run.planner.tenants, "_id")


def _changed(run: Filling, name: str, changes: Iterator[Change]) -> None:
    from pymongo.errors import WriteError

    collection, taken = run.database[name], 0
    for key, field, value in islice(changes, TRIED):
        try:
            taken += collection.update_one({"_id": key}, {"$set": {field: value}}, comment=OURS).modified_count
        except WriteError:  # a key twice, a validator
            continue
        if taken == CHANGED:
            return


def _kinds(field: str, own: Sequence[CollectionIndex], found: Found, used: set[int]) -> Iterator[Iterator[Change]]:
    if all(len(index.fields) > 1 for index in own):
        yield _repeated(field, own, found, used)
    else:
        yield _spelt(field, found, used, str.upper)
        yield _spelt(field, found, used, lambda text: f"{text} ")


def _repeated(field: str, own: Sequence[CollectionIndex], found: Found, used: set[int]) -> Iterator[Change]:
    """A document gets the value of another one, from which each key tells it by something else."""
    for place, document in enumerate(found):
        for other in range(place):
            if (
                not used & {place, other}
                and field in found[other]
                and all(_differ(index, field, document, found[other]) for index in own)
            ):
                used |= {place, other}
                yield document["_id"], field, found[other][field]


def _differ(index: CollectionIndex, field: str, document: dict[str, Any], other: dict[str, Any]) -> bool:
    return any(document.get(one) != other.get(one) for one in index.fields if one != field)


def _spelt(field: str, found: Found, used: set[int], spelling: Callable[[str], str]) -> Iterator[Change]:
    """A document gets the value of another one, spelt otherwise."""
    free = (place for place in range(len(found)) if place not in used)
    for place, other in zip(free, free, strict=False):
        text = found[other].get(field)
        if isinstance(text, str) and spelling(text) != text:
            used |= {place, other}
            yield found[place]["_id"], field, spelling(text)
