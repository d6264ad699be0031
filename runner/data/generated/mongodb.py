"""Fills the empty collections of a MongoDB database with documents that its validators, indexes and references allow.

Documents are written here as bytes and sent in batches; the server takes or refuses each. Where only it can judge a validator,
documents that it took are what the next ones are made like.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from checks.declared.documents import DocumentExpectations
from checks.evidence import FilledTable
from checks.jsonschema.rules import Query
from checks.probing.documents import asking
from checks.rows.document_sets.order import Turn, turns
from checks.rows.document_sets.parts import Keys, decoded, part_of
from checks.rows.document_sets.plan import CollectionPlan, Draw
from checks.rows.document_sets.planner import Planner
from checks.rows.document_sets.wishes import DocumentWishes
from checks.rows.document_sets.writing import Writing
from checks.rows.documents import Ask, Document, DocumentCompiler
from checks.rows.missing import NoValue
from checks.rows.sets.planner import Wishes
from checks.schema.collections import Collection, CollectionKind, Collections
from checks.schema.names import TableName
from checks.targets import StatementFailed
from runner.data.generated.parents import keys_of, own_keys
from runner.migrations.inside.refusals import refusal, rules
from runner.servers.interface import OURS, Address
from runner.servers.mongodb.sessions import session
from runner.servers.names import shortened
from runner.targets.mongodb_scratch import MongoScratch

if TYPE_CHECKING:
    from pymongo.database import Database

    Named = Database[dict[str, Any]]

#: Documents and bytes that go to the server at once, and how many go first, so that what it refuses is known early.
BATCH, BYTES, FIRST = 1_000, 8 * 1024 * 1024, 20
#: Documents by which it is judged how many the server takes, what share it has to take, and what share is worth a second plan.
TRIED, LEAST, ENOUGH = 600, 0.02, 0.5
#: The fewest documents that others are made like, and how many are searched for one by one where there are fewer.
FEWEST, SEARCHED = 8, 8
#: The largest document that a server takes, in bytes.
_LARGEST = 16 * 1024 * 1024


@dataclass
class _Filling:
    """A database while it is filled."""

    database: Named
    collections: Collections
    planner: Planner
    seed: int
    ask: Callable[[], Ask]
    numbers: Counter[str] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)


def generate(
    address: Address,
    collections: Collections,
    wanted: Mapping[TableName, int],
    seed: int,
    wishes: Wishes,
    say: Callable[[str], object],
) -> tuple[FilledTable, ...]:
    """Fill every collection of ``wanted`` that is empty, as a superuser; ``say`` is told which one is being filled.

    What cannot be filled is left empty, with the reason. Raises PyMongoError where the server is lost.
    """
    empty = {name.name: number for name, number in wanted.items() if number and _is_empty(collections, name.name)}
    with session(address) as client, ExitStack() as stack:
        ask = _Asking(client[collections.database], stack)
        expect = wishes.expect if isinstance(wishes, DocumentWishes) else DocumentExpectations()
        planner = Planner(collections, expect, wishes.tenants, seed, ask.fits)
        run = _Filling(client[collections.database], collections, planner, seed, ask.asked)
        names = {name.name: name for name in wanted}
        reasons: dict[str, str] = {}
        for turn in turns(empty, planner.references, lambda name, without: not planner.planned(name, without).reason):
            say(f"{turn.collection}, {turn.documents} documents")
            reasons[turn.collection] = _taken_turn(run, turn)
    return tuple(
        FilledTable(names[name], run.made[name], number, "" if run.made[name] >= number else reasons[name])
        for name, number in empty.items()
    )


def _is_empty(collections: Collections, name: str) -> bool:
    found = collections.collection.get(name)
    return found is not None and found.readable and not found.documents


class _Asking:
    """Asks the server whether documents match queries, in a database of its own that is made with the first question."""

    def __init__(self, database: Named, stack: ExitStack) -> None:
        self._database = database
        self._stack = stack
        self._ask: Ask | None = None

    def asked(self) -> Ask:
        """What asks."""
        if self._ask is None:
            import secrets

            name = shortened(self._database.name, f"_{secrets.token_hex(4)}")
            self._stack.callback(self._database.client.drop_database, name)
            self._ask = asking(MongoScratch(self._database.client[name], self._database.name, 60.0, OURS))
        return self._ask

    def fits(self, pattern: str, options: str, text: str) -> bool:
        """Whether the server finds a pattern in a text."""
        try:
            return self.asked()({"text": {"$regex": pattern, "$options": options}}, {"text": text})
        except StatementFailed:
            return False


def _taken_turn(run: _Filling, turn: Turn) -> str:
    """Fill one collection as far as its turn goes; gives why it has fewer documents than wanted, if it has."""
    if turn.stuck:
        return f"{min(one.label for one in turn.without)}: its references go in a circle that no document can begin"
    without, keys, lacking = turn.without, dict[str, Keys](), ""
    while True:
        plan = run.planner.planned(turn.collection, without)
        if plan.reason:
            return lacking or plan.reason
        keys = {draw.name: _keys(run, plan, draw, turn.documents) for draw in plan.draws}
        barren = [draw for draw in plan.draws if not keys[draw.name].rows and not _begins(draw, plan)]
        if not barren:
            return _Writer(run, plan, keys, turn.documents).fill()
        without |= {one for draw in barren if draw.reference for one in (draw.reference, *draw.also)}
        lacking = next(f"{_empty(draw, run)}, and {draw.reference.label} must refer to it" for draw in barren if draw.reference)


def _empty(draw: Draw, run: _Filling) -> str:
    made = run.made[draw.collection] or getattr(run.collections.collection.get(draw.collection), "documents", 0)
    return f"{draw.collection} has no key that its schema allows" if made else f"{draw.collection} is empty"


def _begins(draw: Draw, plan: CollectionPlan) -> bool:
    """Whether a draw goes without keys at first: documents refer to those before them."""
    return draw.collection == plan.collection and bool(draw.own or draw.itself)


def _keys(run: _Filling, plan: CollectionPlan, draw: Draw, documents: int) -> Keys:
    return keys_of(run.database, plan, draw, documents)


class _Writer:
    """Writes the documents of one collection until there are enough, or no more come."""

    def __init__(self, run: _Filling, plan: CollectionPlan, keys: Mapping[str, Keys], documents: int) -> None:
        self._run = run
        self._plan = plan
        self._keys = keys
        self._name = plan.collection
        self._collection = run.collections.collection[plan.collection]
        self._unjudged = run.planner.unjudged(self._collection)
        self._wanted, self._room, self._capped = _room(self._collection, documents)
        self._writing = Writing(plan, run.seed, keys)
        self._refused: Counter[str] = Counter()
        self._examples: list[Document] = []
        self._tried = self._took = self._lacked = 0
        self._own = [draw for draw in plan.draws if draw.collection == self._name]

    def fill(self) -> str:
        """Insert; gives why there are fewer documents than wanted, empty where there are enough."""
        size, made, again = FIRST, self._run.made, self._plan.opaque
        while made[self._name] < self._wanted and self._room > 0:
            batch = self._batch(min(size, self._spare()))
            if not batch:
                return self._exhausted()
            took = [document for document, taken in zip(batch, self._inserted(batch), strict=True) if taken]
            self._note(batch, took)
            if again and self._tried >= TRIED and self._took < ENOUGH * self._tried:
                again = False
                self._couple()
            elif self._tried >= TRIED * 2 and self._took < LEAST * self._tried:
                return self._why()
            size = min(BATCH, size * 5)
        return self._capped

    def _spare(self) -> int:
        """How many more have to be made so that those that the server takes are enough."""
        lacking = self._wanted - self._run.made[self._name]
        return lacking if self._took == self._tried else int(lacking * max(1, self._tried) / max(1, self._took)) + 5

    def _batch(self, size: int) -> list[bytes]:
        numbers, most = self._run.numbers, self._plan.most
        made: list[bytes] = []
        weight = lacked = 0
        while len(made) < size and weight < min(BYTES, self._room) and lacked < TRIED:
            number = numbers[self._name]
            if most is not None and number >= most:
                break
            numbers[self._name] += 1
            document = self._writing.document(number)
            if document is None or len(document) > _LARGEST:
                lacked += 1
                continue
            made.append(document)
            weight += len(document)
        self._lacked += lacked
        self._tried += lacked
        self._room -= weight
        return made

    def _inserted(self, batch: Sequence[bytes]) -> Sequence[bool]:
        """Which of the documents the server took, and left."""
        from bson.raw_bson import RawBSONDocument
        from pymongo.errors import BulkWriteError

        taken = [True] * len(batch)
        try:
            self._run.database[self._name].insert_many([RawBSONDocument(one) for one in batch], ordered=False, comment=OURS)
        except BulkWriteError as several:
            for one in (several.details or {}).get("writeErrors", ()):
                taken[one["index"]] = False
                self._refused[_said(one)] += 1
        if self._unjudged:
            self._judge(batch, taken)
        return taken

    def _judge(self, batch: Sequence[bytes], taken: list[bool]) -> None:
        """Take those away that break a validator by which the server refuses nothing."""
        collection = self._run.database[self._name]
        places = {part_of(decoded(document)["_id"]): place for place, document in enumerate(batch) if taken[place]}
        ids = [decoded(batch[place])["_id"] for place in places.values()]
        broken = {"_id": {"$in": ids}, "$nor": list(self._unjudged)}
        wrong = [one["_id"] for one in collection.find(broken, {"_id": 1})]
        for key in wrong:
            taken[places[part_of(key)]] = False
            self._refused["the validator does not match"] += 1
        if wrong:
            collection.delete_many({"_id": {"$in": wrong}}, comment=OURS)

    def _note(self, batch: Sequence[bytes], took: Sequence[bytes]) -> None:
        self._run.made[self._name] += len(took)
        self._tried += len(batch)
        self._took += len(took)
        if self._plan.opaque and len(self._examples) < BATCH:
            self._examples += map(decoded, took)
        for draw in self._own:
            own_keys(self._keys[draw.name], draw, took)

    def _couple(self) -> None:
        """Make the next documents like those that the server took, and like some that are searched for."""
        examples = [*self._examples, *(self._searched() if len(self._examples) < FEWEST else ())]
        if examples:
            self._plan = self._run.planner.coupled(self._plan, examples)
            self._writing = Writing(self._plan, self._run.seed, self._keys)
        self._tried = self._took = 0

    def _searched(self) -> Iterator[Document]:
        validator: Query = {"$and": list(self._run.planner.validators(self._collection))}
        compiler = DocumentCompiler(validator, self._run.planner.indexes(self._collection), ask=self._run.ask())
        for number in range(SEARCHED):
            try:
                yield compiler.satisfying(number=number)
            except (NoValue, StatementFailed):
                return

    def _exhausted(self) -> str:
        if self._plan.most is not None and self._run.numbers[self._name] >= self._plan.most:
            return self._plan.limited
        if any(draw.each for draw in self._plan.draws):
            return "each has a parent of its own, and there are no more"
        return self._why()

    def _why(self) -> str:
        if not self._refused:
            return "a parent that all of its references allow is lacking"
        return f"too few documents that were made are taken: {self._refused.most_common(1)[0][0]}"


def _room(collection: Collection, documents: int) -> tuple[int, int, str]:
    """How many documents and bytes a collection has room for, and what is said where that is less than wanted."""
    if not collection.options.get("capped"):
        return documents, 2**62, ""
    most, size = int(collection.options.get("max") or 0), int(collection.options.get("size") or 2**62)
    number = min(documents, most) if most > 0 else documents
    return number, size * 9 // 10, f"is capped at {f'{most} documents' if number < documents else f'{size} bytes'}"


def _said(error: Mapping[str, Any]) -> str:
    """The server's words for a refusal, with the rules that are broken, without values."""
    broken = tuple(dict.fromkeys(rules((error.get("errInfo") or {}).get("details") or {})))
    said, _ = refusal(error.get("code"), str(error.get("errmsg") or "the server refused it"), error)
    return f"{said} ({', '.join(broken[:3])})" if broken and broken[0] not in said else said


def fillable(collections: Collections) -> Sequence[TableName]:
    """The names of all collections that may hold documents of their own."""
    return [TableName("", one.name) for one in collections.all if one.kind is not CollectionKind.VIEW]
