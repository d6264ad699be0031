"""Sends planned commands one after the other, each only where everything is still as it was when it was planned."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.declaring.standing import Standing, standing
from runner.declaring.steps import Step, StepKind
from runner.errors import DbproofError, ServerFailed
from runner.migrations.inside.refusals import answer_of

if TYPE_CHECKING:
    from pymongo.database import Database
    from pymongo.errors import PyMongoError


@dataclass(frozen=True)
class Done:
    """A command that went through, and how long it took in seconds."""

    step: Step
    seconds: float


class Stopped(ServerFailed):
    """A command was not sent, or did not go through; those before it did."""


def execute(database: Database[dict[str, Any]], steps: Sequence[Step], there: Mapping[str, Standing]) -> Iterator[Done]:
    """Send the commands; raises Stopped at the first that the server refuses, or before one whose collection has changed.

    ``there`` is what stood when they were planned.
    """
    from pymongo.errors import PyMongoError

    expected: dict[str, Standing | None] = dict(there)
    for step in steps:
        began = time.monotonic()
        try:
            _require_unchanged(database, step, expected.get(step.collection))
            _require_empty(database, step)
            database.command(dict(step.command))
            expected[step.collection] = standing(database, step.collection).get(step.collection)
        except PyMongoError as error:
            raise _stopped(step, error) from None
        yield Done(step, time.monotonic() - began)


def _require_unchanged(database: Database[dict[str, Any]], step: Step, expected: Standing | None) -> None:
    now = standing(database, step.collection).get(step.collection)
    if now is expected is None or (now is not None and now.same(expected)):
        return
    raise Stopped(
        f"{step.collection}: somebody else has changed it since this was planned, so its {step.kind} was not sent",
        "Run it again: it is planned from what is there then.",
    )


def _require_empty(database: Database[dict[str, Any]], step: Step) -> None:
    """No document is ever removed: a collection goes only while it is empty, and nothing can be written to it by then."""
    if step.kind is StepKind.REMOVE and database[step.collection].find_one({}, {"_id": 1}) is not None:
        database.command({"collMod": step.collection, "validator": {}})
        raise Stopped(f"{step.collection}: a document came in, so it was not removed", "Run it again: it stays then.")


def _stopped(step: Step, error: PyMongoError) -> DbproofError:
    from pymongo.errors import ConnectionFailure, OperationFailure

    if isinstance(error, OperationFailure):
        code, said, _ = answer_of(error)
        return Stopped(f"{step.label}: MongoDB {code}: {said}".replace("MongoDB : ", "MongoDB: "))
    if isinstance(error, ConnectionFailure):
        return Stopped(
            f"{step.label}: the server went away: whether this command went through is not known",
            "Run it again when the server is back: it is planned from what is there then.",
        )
    return Stopped(f"{step.label}: the command could not be sent")
