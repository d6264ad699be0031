"""Asks a Python tool's child in what the models differ, and reads what it tells."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from checks.drift import Drift, DriftKind, DriftOperation
from checks.evidence import Place
from checks.schema.names import ObjectKind, ObjectReference
from runner.children import Command
from runner.migrations import hearing
from runner.migrations.interface import Broke, Elsewhere

#: What the child calls things, where findings can name them.
_KINDS = {
    "table": ObjectKind.TABLE,
    "column": ObjectKind.COLUMN,
    "index": ObjectKind.INDEX,
    "foreign key": ObjectKind.CONSTRAINT,
    "unique constraint": ObjectKind.CONSTRAINT,
    "CHECK": ObjectKind.CONSTRAINT,
}


def compared(command: Command, drift: Drift, default_schema: str = "") -> Drift | None:
    """What the child tells, as ``drift`` with its operations or with the reason; ``None`` where it has no models.

    ``default_schema`` is where tables without a schema stand. Raises ToolFailed.
    """
    told: list[Mapping[str, Any]] = []
    with closing(hearing.events(command, told.append)) as events:
        for event in events:
            if isinstance(event, Broke):
                return Drift(drift.command, drift.write, gap=f"`{drift.command}` failed: {event.said}")
            if isinstance(event, Elsewhere):
                return Drift(drift.command, drift.write, gap=f"`{drift.command}` went to another database")
    compared = [one for one in told if one.get("event") == "drift"]  # one for each database that env.py goes through
    if not compared:
        return None
    operations = tuple(_operation(one, default_schema) for found in compared for one in found["operations"])
    return Drift(drift.command, drift.write, operations)


def _operation(told: Mapping[str, Any], schema: str) -> DriftOperation:
    file, line = told.get("file"), told.get("line")
    kind = _KINDS.get(str(told.get("object", "")))
    named = kind and ObjectReference(kind, str(told["schema"]) or schema, str(told["relation"]), str(told["name"]))
    return DriftOperation(
        subject=str(told["subject"]),
        words=str(told["words"]),
        kind=DriftKind(told["kind"]),
        place=Place(str(file), line if isinstance(line, int) else None) if file else None,
        objects=(named,) if named and (named.name or kind is ObjectKind.TABLE) else (),
        none=str(told["none"] or ""),
        foreign=bool(told.get("foreign")),
    )
