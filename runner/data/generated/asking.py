"""What is asked of the server while documents are made, in a database of its own beside the one that is filled."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from checks.jsonschema.rules import Query
from checks.probing.documents import asking
from checks.rows.document_sets.equations import equations
from checks.rows.document_sets.parts import CODEC
from checks.rows.documents import Ask, Document, DocumentCompiler
from checks.rows.missing import NoValue
from checks.schema.collections import CollectionIndex
from checks.targets import StatementFailed
from runner.servers.interface import OURS
from runner.servers.names import shortened
from runner.targets.mongodb_scratch import MongoScratch

if TYPE_CHECKING:
    from pymongo.database import Database

    Named = Database[dict[str, Any]]

#: How many documents are searched for one by one, and the seconds that a question may take.
SEARCHED, SECONDS = 8, 60.0
_MENDED = "dbproof_mended"


class Asking:
    """Asks the server, in a database that is made with the first question and dropped with ``stack``."""

    def __init__(self, database: Named, stack: ExitStack) -> None:
        self._database = database
        self._stack = stack
        self._made: tuple[Named, Ask] | None = None

    def _opened(self) -> tuple[Named, Ask]:
        if self._made is None:
            name = shortened(self._database.name, f"_{secrets.token_hex(4)}")
            self._stack.callback(self._database.client.drop_database, name)
            beside = self._database.client[name]
            self._made = (beside, asking(MongoScratch(beside, self._database.name, SECONDS, OURS)))
        return self._made

    def fits(self, pattern: str, options: str, text: str) -> bool:
        """Whether the server finds a pattern in a text."""
        try:
            return self._opened()[1]({"text": {"$regex": pattern, "$options": options}}, {"text": text})
        except StatementFailed:
            return False

    def searched(self, validators: Sequence[Query], indexes: Sequence[CollectionIndex]) -> Iterator[Document]:
        """A few documents that satisfy validators, each searched for by trying values."""
        compiler = DocumentCompiler({"$and": list(validators)}, indexes, ask=self._opened()[1])
        for number in range(SEARCHED):
            try:
                yield compiler.satisfying(number=number)
            except (NoValue, StatementFailed):
                return

    def mended(self, documents: Sequence[Document], validators: Sequence[Query]) -> Sequence[Mapping[str, Any]]:
        """The documents with what the validators' equations say in the fields that these are of; none without equations."""
        from pymongo.errors import OperationFailure

        stages = [{"$set": {path: expression}} for one in validators for path, expression in equations(one)]
        if not stages or not documents:
            return ()
        collection = self._opened()[0].get_collection(_MENDED, codec_options=CODEC)
        collection.insert_many(map(dict, documents), ordered=False, comment=OURS)
        try:
            return list(collection.aggregate(stages, comment=OURS))
        except OperationFailure:  # the expression cannot be worked out on some of them
            return ()
        finally:
            collection.drop(comment=OURS)
