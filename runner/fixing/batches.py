"""Documents by batches, and what the server refused of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from runner.migrations.inside.refusals import refusal

if TYPE_CHECKING:
    from pymongo.errors import BulkWriteError

_Item = TypeVar("_Item")

#: How many documents are made or removed with one command.
BATCH = 500


def batches(items: Iterator[_Item]) -> Iterator[Sequence[_Item]]:
    """The items in lists of at most :data:`BATCH`, read as they are asked for."""
    while batch := list(islice(items, BATCH)):
        yield batch


def said(error: BulkWriteError) -> Iterator[str]:
    """The server's words for each document that it refused, without values."""
    for one in error.details["writeErrors"]:
        words, _ = refusal(one.get("code"), str(one.get("errmsg", "")), one)
        yield f"MongoDB {one.get('code')}: {words}"
