"""The keys of parents, read from the server once for each reference: as bytes, so that children take them as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from checks.declared.documents import DocumentReference
from checks.jsonschema.matching import Matching, Schema
from checks.rows.document_sets.parts import Key, Keys, Part, decoded, part_of, value_of
from checks.rows.document_sets.plan import CollectionPlan, Draw

if TYPE_CHECKING:
    from pymongo.database import Database

    Named = Database[dict[str, Any]]

#: Of more parents than this the first ones are referred to, so that memory does not grow with them.
MOST = 50_000
#: If so many keys are all as the child's schemas ask, the others are taken to be so too: the server judges each document.
LOOKED_AT = 500
#: How many documents come at a time.
BATCH = 5_000
#: The bytes of what stands in a document in the place of a type: its end, an array, null.
_NO_VALUE = (0, 4, 10)
#: Of a collection that refers to itself, so many documents are referred to.
OWN = 5_000


def keys_of(database: Named, plan: CollectionPlan, draw: Draw, documents: int) -> Keys:
    """The keys that a draw takes from, in the order in which parents came. Raises PyMongoError."""
    keys = Keys(len(draw.shared))
    for value in draw.values:
        keys.add((part_of(value),))
    if draw.values:
        return keys
    most = max(MOST, documents // draw.each + 1) if draw.each else MOST
    if draw.collection == plan.collection:
        most = OWN
    allowed = [_known(database, reference, draw) for reference in draw.also]
    asked = [draw.asked.get(path, ()) for path in draw.taken]
    found = _keys(database, draw.collection, draw.columns)
    refused = 0
    for number, key in enumerate(found):
        if number == LOOKED_AT and not (refused or allowed or draw.shared):
            keys.rows.extend((key, *islice(found, most - len(keys.rows) - 1)))
            break
        if len(keys.rows) >= most:
            break
        if (number < LOOKED_AT or refused) and not _suits([value_of(part) for part in key], asked):
            refused += 1
        elif all(tuple(key[place] for place in places) in known for places, known in allowed):
            keys.add(key)
    return keys


def narrow(draws: Sequence[Draw], keys: Mapping[str, Keys]) -> None:
    """Leave those parents out beside which another reference of the same document would find none."""
    for later in draws:
        for first in draws if later.shared and not later.own else ():
            if first.collection != later.collection and set(later.shared) <= set(first.taken):
                places = [list(first.taken).index(path) for path in later.shared]
                known, mine = keys[later.name].groups, keys[first.name]
                kept = [key for key in mine.rows if tuple(key[place] for place in places) in known]
                mine.rows[:] = kept or mine.rows


def _suits(values: Sequence[Any], asked: Sequence[Sequence[Schema]]) -> bool:
    matching = Matching(lambda *_: True)
    return all(matching(schema, value) for value, schemas in zip(values, asked, strict=False) for schema in schemas)


def own_keys(keys: Keys, draw: Draw, documents: Sequence[bytes]) -> None:
    """Add the keys of documents that were just made, for those of the same collection that come after."""
    for document in documents:
        if len(keys.rows) >= OWN:
            return
        for values in _keys_in(decoded(document), draw.columns):
            keys.add(tuple(map(part_of, values)))


def _known(database: Named, reference: DocumentReference, draw: Draw) -> tuple[Sequence[int], set[Key]]:
    """The keys of another reference of the same fields, and where in a key of the draw these stand."""
    fields = [path for path in reference.children if path.dotted in draw.taken]
    theirs = dict(zip((path.dotted for path in reference.children), (path.dotted for path in reference.parents), strict=True))
    columns = [theirs[path.dotted] for path in fields]
    places = [list(draw.taken).index(path.dotted) for path in fields]
    return places, set(_keys(database, reference.parent.collection, columns))


def _keys(database: Named, collection: str, columns: Sequence[str]) -> Iterator[tuple[Part, ...]]:
    """The keys of a collection's documents. One that is a single value at the top is cut out of what the server sends."""
    shown: Mapping[str, int] = {**dict.fromkeys(columns, 1), "_id": int("_id" in columns)}
    alone = len(columns[0].encode()) + 2 if len(columns) == 1 and "." not in columns[0] else 0
    for document in _sent(database, collection, shown):
        if alone and document[4] not in _NO_VALUE:
            yield ((document[4:5], document[4 + alone : -1]),)
        else:
            yield from (tuple(map(part_of, values)) for values in _keys_in(decoded(document), columns))


def _sent(database: Named, collection: str, shown: Mapping[str, int]) -> Iterator[bytes]:
    batches: Iterator[Any] = database[collection].find_raw_batches({}, shown, batch_size=BATCH)
    for batch in batches:
        place = 0
        while place < len(batch):
            end = place + int.from_bytes(batch[place : place + 4], "little")
            yield batch[place:end]
            place = end


def _keys_in(document: Any, columns: Sequence[str]) -> Iterator[Sequence[Any]]:  # noqa: ANN401 - a document
    """A document's keys: of fields in one array those of each element, else all that go together."""
    listed = [list(_at(document, column.split("."))) for column in columns]
    if len({len(one) for one in listed}) == 1:
        yield from zip(*listed, strict=True)
    else:
        yield from product(*listed)


def _at(value: Any, names: Sequence[str]) -> Iterator[Any]:  # noqa: ANN401 - whatever a document holds
    """What stands at a path, in each element of arrays on the way; nothing that is missing or null."""
    if isinstance(value, list):
        for one in value:
            yield from _at(one, names)
    elif not names:
        if value is not None:
            yield value
    elif isinstance(value, Mapping) and names[0] in value:
        yield from _at(value[names[0]], names[1:])
