"""Sessions of checks on MongoDB: they read, nothing else, and the server's refusals come out as StatementFailed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from checks.targets import StatementFailed
from runner.migrations.inside.refusals import answer_of
from runner.servers.interface import OURS
from runner.servers.mongodb.reasons import reason_of

if TYPE_CHECKING:
    from pymongo.database import Database
    from pymongo.errors import PyMongoError

    from runner.servers.mongodb.sessions import Client

#: What could not be answered here, by the server's code, through no fault of what was asked.
_GAPS = {
    13: "permission denied",  # Unauthorized
    8000: "permission denied",  # AtlasError: of this user, or on a cluster of this size
    50: "stopped by its limit of time",  # MaxTimeMSExpired
    262: "stopped by its limit of time",  # ExceededTimeLimit
    146: "more memory than the server gives",  # ExceededMemoryLimit
    292: "more memory than the server gives, and it may not use its disk",  # QueryExceededMemoryLimitNoDiskUseAllowed
    10334: "a document larger than the server handles",  # BSONObjectTooLarge
    17419: "a result larger than the server sends",
    168: "this server has not the operator",  # InvalidPipelineOperator
    11601: "stopped on the server",  # Interrupted
    11602: "the server changed its role",  # InterruptedDueToReplStateChange
}
#: How many documents come at a time: 16 MB of small ones would be hundreds of MB here.
_BATCH = 10_000
#: Stages that write; the server takes them at the end of a pipeline only.
_WRITING = frozenset({"$out", "$merge"})
#: Why a subject is not judged of which the driver cannot read a document.
UNREADABLE = "a document that the driver cannot read or send"


class MongoReadSession:
    """Reads a database, each command for at most ``seconds``; ``mark`` is a comment that every command carries."""

    def __init__(self, database: Database[dict[str, Any]], seconds: float, mark: str) -> None:
        self._database = database
        self._milliseconds = max(1, round(seconds * 1000))
        self._mark = mark

    def aggregate(
        self, collection: str, pipeline: Sequence[Mapping[str, Any]], *, collation: Mapping[str, Any] | None = None
    ) -> Iterator[Mapping[str, Any]]:
        """The documents that a pipeline gives, one by one; stages may use the disk. ``collation`` instead of the collection's."""
        refuse_writing(pipeline)
        with said_plainly():
            yield from self._database[collection].aggregate(
                list(pipeline),
                collation=collation,
                batchSize=_BATCH,
                allowDiskUse=True,
                maxTimeMS=self._milliseconds,
                comment=self._mark,
            )

    def find(
        self,
        collection: str,
        query: Mapping[str, Any],
        projection: Mapping[str, Any] | None = None,
        *,
        sort: Sequence[tuple[str, int]] = (),
        limit: int = 0,
    ) -> Iterator[Mapping[str, Any]]:
        """The documents that match, one by one; ``limit`` 0 is all."""
        with said_plainly():
            yield from self._database[collection].find(
                query, projection, sort=list(sort) or None, limit=limit, max_time_ms=self._milliseconds, comment=self._mark
            )

    def count(self, collection: str, query: Mapping[str, Any] | None = None) -> int:
        """How many documents match, counted exactly."""
        with said_plainly():
            return self._database[collection].count_documents(query or {}, maxTimeMS=self._milliseconds, comment=self._mark)

    def explain(self, collection: str, query: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """The server's plan of a find (a mapping) or a pipeline (a sequence), with ``executionStats``."""
        with said_plainly():
            return explained(self._database, collection, query, self._milliseconds, self._mark)


def explained(
    database: Database[dict[str, Any]],
    collection: str,
    query: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    milliseconds: int,
    mark: str = OURS,
    sort: Sequence[tuple[str, int]] = (),
) -> Mapping[str, Any]:
    """What the server says of a find or a pipeline that it executes for it; raises PyMongoError, or StatementFailed."""
    command: dict[str, Any]
    if isinstance(query, Mapping):
        command = {"find": collection, "filter": query} | ({"sort": dict(sort)} if sort else {})
    else:
        refuse_writing(query)
        command = {"aggregate": collection, "pipeline": list(query), "cursor": {}, "allowDiskUse": True}
    limited = {**command, "maxTimeMS": milliseconds}
    there = database.read_preference  # of the URL: a command goes to the primary otherwise, and this one executes the query
    return database.command("explain", limited, read_preference=there, verbosity="executionStats", comment=mark)


def end_reads(client: Client, mark: str) -> None:
    """End what still reads with this mark; a server that does not tell of its operations ends them at their limit of time."""
    from pymongo.errors import PyMongoError

    with suppress(PyMongoError):
        for one in client.admin.aggregate([{"$currentOp": {}}, {"$match": {"command.comment": mark}}]):
            client.admin.command("killOp", op=one["opid"])


def refuse_writing(pipeline: Sequence[Mapping[str, Any]]) -> None:
    """Raise StatementFailed for a pipeline that would write."""
    for stage in pipeline:
        if writing := _WRITING & stage.keys():
            raise StatementFailed(f"the stage {min(writing)} writes, and this session only reads")


@contextmanager
def said_plainly() -> Iterator[None]:
    """Turn the driver's errors into StatementFailed, with the server's words and code; so too a document that it cannot read."""
    from bson.errors import BSONError
    from pymongo.errors import PyMongoError

    try:
        yield
    except PyMongoError as error:
        raise failed(error) from None
    except BSONError as error:
        said = str(error).partition(": ")[0]  # behind it the value is quoted that cannot be sent
        raise StatementFailed(f"the driver cannot read or send a document: {said}", gap=UNREADABLE) from None


def failed(error: PyMongoError) -> StatementFailed:
    """The server's words and code; of a connection that failed only why, as the driver's words repeat the address.

    What the user may not do, or the server ended, has a gap.
    """
    from pymongo.errors import ConnectionFailure, OperationFailure

    if isinstance(error, OperationFailure):
        code, said, _ = answer_of(error)
        return StatementFailed(said, code, _GAPS.get(int(code or 0), ""))
    if isinstance(error, ConnectionFailure):
        return StatementFailed(f"the server cannot be reached: {reason_of(error)}")
    return StatementFailed(str(error))
