"""Makes the parents that references name and nobody made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from checks.declared.documents import DocumentExpectations, DocumentReference
from checks.pipelines.references import Sides, Stage, asked_by_itself, each_value, sides
from checks.pipelines.types import comparable, families, type_of
from checks.rows.documents import Ask, Document
from checks.schema.collections import CollectionKind
from runner.declaring.applying import Site
from runner.declaring.standing import Standing, standing
from runner.fixing.batches import batches, said
from runner.fixing.ledger import Entry, Ledger, digest
from runner.fixing.making import Maker, Unmakeable, values_of
from runner.targets.mongodb_sessions import said_plainly


@dataclass(frozen=True)
class Gap:
    """A reference with missing parents, counted exactly.

    ``unfit`` keys are none that a parent can have: by its validator, as they are arrays, or as ``strange`` ones of them are of a
    type that no parent's key has (their types with how many there are). ``example`` is what would be made. ``impossible`` says
    why none can be made at all.
    """

    reference: DocumentReference
    missing: int = 0
    unfit: int = 0
    strange: Mapping[str, int] = field(default_factory=dict, hash=False)
    example: Document | None = field(default=None, hash=False)
    impossible: str = ""

    @property
    def makeable(self) -> int:
        """How many parents would be made."""
        return 0 if self.impossible else self.missing - self.unfit


@dataclass(frozen=True)
class Fixed:
    """What came of one reference: how many were made, those there already by then, and refusals in the server's words."""

    gap: Gap
    made: int
    refused: Mapping[str, int] = field(default_factory=dict, hash=False)


def survey(place: Site, declared: DocumentExpectations, values: Mapping[str, Mapping[str, Any]]) -> Iterator[Gap]:
    """Every reference whose parents are missing. Raises StatementFailed where documents cannot be read."""
    with said_plainly():
        there = standing(place.database)
    for reference in dict.fromkeys(declared.references):
        two = sides(reference, place.target.collections)
        try:
            yield _surveyed(place, two, _maker(place, reference, declared, there, values))
        except Unmakeable as why:
            missing = next(_keys(place, two, [{"$count": "missing"}]), {"missing": 0})["missing"]
            yield Gap(reference, int(missing), impossible=str(why))


def _surveyed(place: Site, two: Sides, maker: Maker) -> Gap:
    missing = unfit = 0
    strange: Counter[str] = Counter()
    example: Document | None = None
    types = _parent_types(place, two)
    for key in _missing(place, two):
        missing += 1
        other = _strange(key, types)
        strange.update([other] if other else [])
        made = None if other else _made(maker, key)
        unfit += made is None
        example = example or made
    return Gap(two.reference, missing, unfit, dict(strange), example)


def _made(maker: Maker, key: Sequence[Any]) -> Document | None:
    return None if any(isinstance(part, list) for part in key) else maker.made(key)


def _parent_types(place: Site, two: Sides) -> Sequence[frozenset[str]]:
    """The families of types that each field of the parents' keys has; none where there is no parent yet."""
    name, group = two.reference.parent.collection, {"$group": {"_id": {"$type": "$_id"}}}
    with place.target.documents() as session:
        listed = [list(session.aggregate(name, [*each_value(path), group])) for path in two.reference.parents]
    return [families([str(one["_id"]) for one in each]) for each in listed]


def _strange(key: Sequence[Any], types: Sequence[frozenset[str]]) -> str:
    """The type by which a key is none of the parents': a text is no ObjectId, and a parent with it would mend nothing."""
    found = (type_of(part) for part, known in zip(key, types, strict=True) if known and comparable(type_of(part)) not in known)
    return next(found, "")


def _missing(place: Site, two: Sides) -> Iterator[Sequence[Any]]:
    """The keys without a parent, one by one, each as the values of its fields."""
    for one in _keys(place, two):
        yield tuple(one["_id"].values()) if two.reference.further else (one["_id"],)


def _keys(place: Site, two: Sides, more: Sequence[Stage] = ()) -> Iterator[Mapping[str, Any]]:
    with place.target.documents() as session:
        pipeline: list[Stage] = [*two.every_missing(), *more]
        yield from session.aggregate(two.reference.child.collection, pipeline, collation=two.collation)


def _maker(
    place: Site,
    reference: DocumentReference,
    declared: DocumentExpectations,
    there: Mapping[str, Standing],
    values: Mapping[str, Mapping[str, Any]],
) -> Maker:
    name = reference.parent.collection
    _require_possible(reference, there.get(name))
    now = datetime.now(UTC).replace(microsecond=0)
    given = values_of(values.get(name, {}), now)
    wanted = [one.validator for one in declared.validators if one.collection == name]
    held = there[name].validator
    rules = [rule for rule in (held, *wanted) if rule]
    validator = {"$and": rules} if len(rules) > 1 else rules[0] if rules else {}
    maker = Maker(reference, validator, tuple(there[name].indexes.values()), given, _asking(place, reference), now)
    _require_no_other_reference(reference, declared, validator, given)
    return maker


def _require_possible(reference: DocumentReference, held: Standing | None) -> None:
    name = reference.parent.collection
    if held is None:
        raise Unmakeable(f"there is no collection {name}; `dbproof apply` makes it with what is declared of it")
    if held.kind != CollectionKind.COLLECTION:
        raise Unmakeable(f"{name} is a {held.kind}")
    if held.capped:
        raise Unmakeable(f"{name} is capped: new documents would push out old ones")
    if any(list(path.arrays) for path in reference.parents):
        raise Unmakeable(f"a parent is an element of an array in {name}, and in which document is not known")


def _require_no_other_reference(
    reference: DocumentReference, declared: DocumentExpectations, validator: Mapping[str, Any], given: Mapping[str, Any]
) -> None:
    """What is made must not dangle itself: whom it refers to has to be said."""
    own = {path.steps[0].name for path in reference.parents}
    told = {name.partition(".")[0] for name in given}
    for other in declared.references:
        first = other.child.steps[0].name
        if other.child.collection == reference.parent.collection and first not in own | told and first in _required(validator):
            section = f"[databases.NAME.fix.{reference.parent.collection}]"
            itself = f"a document of {other.child.collection} has to refer to one of {other.parent.collection} itself"
            raise Unmakeable(f"{itself}, by {other.child.spelled}: say to which, as one of the values under {section}")


def _required(validator: Mapping[str, Any]) -> set[str]:
    rules = validator.get("$and", [validator])
    return {name for rule in rules for name in rule.get("$jsonSchema", {}).get("required", ())}


def _asking(place: Site, reference: DocumentReference) -> Ask:
    """Asks the server whether a document matches, reading only: the document stands in for one of the children."""

    def ask(query: Mapping[str, Any], document: Document) -> bool:
        pipeline: list[Stage] = [{"$limit": 1}, {"$replaceWith": {"$literal": dict(document)}}, {"$match": dict(query)}]
        with place.target.documents() as session:
            return any(True for _ in session.aggregate(reference.child.collection, pipeline))

    return ask


def fix(
    place: Site, gap: Gap, declared: DocumentExpectations, values: Mapping[str, Mapping[str, Any]], ledger: Ledger
) -> Iterator[Fixed]:
    """Make the parents, batch by batch, each written down before; what came of it so far after each batch."""
    with said_plainly():
        there = standing(place.database)
    maker = _maker(place, gap.reference, declared, there, values)
    two = sides(gap.reference, place.target.collections)
    made, refused = 0, Counter[str]()
    types = _parent_types(place, two)
    fitting = (key for key in _missing(place, two) if not _strange(key, types))
    for keys in batches(fitting):
        with said_plainly():
            documents = [document for key in _absent(place, two, keys) if (document := _made(maker, key)) is not None]
            stored, said = _insert(place, gap.reference.parent.collection, documents, ledger)
        made += stored
        refused.update(said)
        yield Fixed(gap, made, dict(refused))


def _absent(place: Site, two: Sides, keys: Sequence[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    """Those that nobody has made meanwhile."""
    paths = [path.dotted for path in two.reference.parents]
    plain = len(paths) == 1 and all(asked_by_itself(key[0]) for key in keys)
    query: dict[str, Any] = (
        {paths[0]: {"$in": [key[0] for key in keys]}}
        if plain
        else {"$or": [{path: {"$eq": value} for path, value in zip(paths, key, strict=True)} for key in keys]}
    )
    parents = place.database[two.reference.parent.collection]
    listed = parents.find(query, dict.fromkeys(paths, 1), collation=two.collation)
    found = [tuple(_at(one, path) for path in paths) for one in listed]
    yield from (key for key in keys if tuple(key) not in found)


def _at(document: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - whatever a document holds
    value: Any = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _insert(place: Site, name: str, documents: Sequence[Document], ledger: Ledger) -> tuple[int, Counter[str]]:
    from bson import encode
    from pymongo.errors import BulkWriteError

    if not documents:
        return 0, Counter()
    collection = place.database[name]
    options = collection.codec_options
    ledger.add([Entry(name, one["_id"], digest(encode(dict(one), codec_options=options))) for one in documents])
    try:
        return len(collection.insert_many([dict(one) for one in documents], ordered=False).inserted_ids), Counter()
    except BulkWriteError as error:
        return int(error.details["nInserted"]), Counter(said(error))
