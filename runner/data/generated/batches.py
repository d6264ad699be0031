"""Sends one collection's documents in batches, and learns from what the server says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bson import encode
from pymongo import WriteConcern

from checks.rows.document_sets.parts import CODEC, Keys, decoded, part_of
from checks.rows.document_sets.plan import CollectionPlan
from checks.rows.document_sets.planner import Planner
from checks.rows.document_sets.writing import Writing
from checks.rows.documents import Document
from checks.schema.collections import Collection, Collections
from runner.data.generated.asking import Asking
from runner.data.generated.parents import own_keys
from runner.migrations.inside.refusals import refusal, rules
from runner.servers.interface import OURS

if TYPE_CHECKING:
    from pymongo.database import Database

    Named = Database[dict[str, Any]]

#: Documents and bytes that go to the server at once, and how many go first, so that what it refuses is known early.
BATCH, BYTES, FIRST = 1_000, 8 * 1024 * 1024, 20
#: Documents by which it is judged how many the server takes, what share it has to take, and what share is worth a second plan.
TRIED, LEAST, ENOUGH = 600, 0.02, 0.5
#: The fewest documents that others are made like, before more are searched for; and how many are mended by the server.
FEWEST, MENDED = 8, 400
#: The largest document that a server takes, in bytes.
_LARGEST = 16 * 1024 * 1024


@dataclass
class Filling:
    """A database while it is filled."""

    database: Named
    collections: Collections
    planner: Planner
    seed: int
    ask: Asking
    sender: Executor
    numbers: Counter[str] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)


class Batches:
    """Writes the documents of one collection until there are enough, or no more come."""

    def __init__(self, run: Filling, plan: CollectionPlan, keys: Mapping[str, Keys], documents: int) -> None:
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
        self._tried = self._took = self._sent = 0
        self._sink = run.database.get_collection(self._name, write_concern=WriteConcern(1))
        self._own = [draw for draw in plan.draws if draw.collection == self._name]

    def fill(self) -> str:
        """Insert; gives why there are fewer documents than wanted, empty where there are enough.

        While the server works on one batch, the next is written.
        """
        size, again = FIRST, self._plan.opaque
        sent: tuple[Writing, Sequence[bytes], Future[Sequence[bool]]] | None = None
        while True:
            if sent is not None and self._own:  # the next documents may refer to these
                self._note(*sent)
                sent, self._sent = None, 0
            batch = self._batch(min(size, self._spare()))
            if sent is not None:
                self._note(*sent)
            elif not batch:
                return self._exhausted() if self._spare() and self._room > 0 else self._capped
            sent = (self._writing, batch, self._run.sender.submit(self._inserted, batch)) if batch else None
            if again and self._tried >= TRIED and self._took < ENOUGH * self._tried:
                again = False
                if sent is not None:
                    sent[-1].result()  # one after the other, so that the order of documents is the same each time
                self._couple()
            elif self._tried >= TRIED * 2 and self._took < LEAST * self._tried:
                if sent is not None:
                    self._note(*sent)
                return self._why()
            size = min(BATCH, size * 5)

    def _spare(self) -> int:
        """How many more have to be made so that those that the server takes, what is sent among them, are enough."""
        lacking = self._wanted - self._run.made[self._name] - self._sent
        if lacking <= 0 or self._took == self._tried:
            return max(0, lacking)
        return int(lacking * self._tried / max(1, self._took)) + 5

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
            if self._writing.exhausted:
                break
            if document is None or len(document) > _LARGEST:
                lacked += 1
                continue
            made.append(document)
            weight += len(document)
        self._tried += lacked
        self._room -= weight
        self._sent = len(made)
        return made

    def _inserted(self, batch: Sequence[bytes]) -> Sequence[bool]:
        """Which of the documents the server took, and left."""
        from bson.raw_bson import RawBSONDocument
        from pymongo.errors import BulkWriteError

        taken = [True] * len(batch)
        try:
            self._sink.insert_many([RawBSONDocument(one) for one in batch], ordered=False, comment=OURS)
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
        wrong = self._broken([decoded(batch[place])["_id"] for place in places.values()])
        for key in wrong:
            taken[places[part_of(key)]] = False
            self._refused["the validator does not match"] += 1
        if wrong:
            collection.delete_many({"_id": {"$in": wrong}}, comment=OURS)

    def _broken(self, ids: list[Any]) -> list[Any]:
        """Those of the documents that break a validator; one on which it cannot be worked out breaks it too."""
        from pymongo.errors import OperationFailure

        try:
            query = {"_id": {"$in": ids}, "$nor": list(self._unjudged)}
            return [
                one["_id"] for one in self._run.database.get_collection(self._name, codec_options=CODEC).find(query, {"_id": 1})
            ]
        except OperationFailure:
            if len(ids) == 1:
                return ids
            half = len(ids) // 2
            return [*self._broken(ids[:half]), *self._broken(ids[half:])]

    def _note(self, writing: Writing, batch: Sequence[bytes], answer: Future[Sequence[bool]]) -> None:
        """Learn what became of a batch; of one that an earlier plan made nothing is concluded for this one."""
        took = [document for document, taken in zip(batch, answer.result(), strict=True) if taken]
        self._run.made[self._name] += len(took)
        if writing is self._writing:
            self._tried += len(batch)
            self._took += len(took)
        if self._plan.opaque and len(self._examples) < BATCH:
            self._examples += map(decoded, took)
        for draw in self._own:
            own_keys(self._keys[draw.name], draw, took)

    def _couple(self) -> None:
        """Make the next documents like those that the server took: some of them mended, some searched for if too few."""
        self._mend()
        planner, examples = self._run.planner, self._examples
        if len(examples) < FEWEST:
            validators = planner.validators(self._collection)
            examples += self._run.ask.searched(validators, planner.indexes(self._collection))
        if examples:
            self._plan = planner.coupled(self._plan, examples)
            self._writing = Writing(self._plan, self._run.seed, self._keys)
        self._tried = self._took = 0

    def _mend(self) -> None:
        """Insert documents in which the validator's equations were worked out by the server."""
        batch = self._batch(min(MENDED, self._spare()))
        mended = self._run.ask.mended(list(map(decoded, batch)), self._run.planner.validators(self._collection))
        encoded = [encode(one, codec_options=CODEC) for one in mended]
        self._sent = 0
        for document, taken in zip(encoded, self._inserted(encoded) if encoded else (), strict=True):
            if taken:
                self._run.made[self._name] += 1
                self._examples.append(decoded(document))

    def _exhausted(self) -> str:
        if self._plan.most is not None and self._run.numbers[self._name] >= self._plan.most:
            return self._plan.limited
        if self._writing.exhausted:
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
