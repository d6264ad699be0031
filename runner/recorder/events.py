"""What the recorder said in the log, read with suspicion: whoever may RAISE LOG can write such a record.

The recorder has no secret. Migrations are the user's own code and may run as superuser, so that whatever the recorder knew
they could read, or replace the recorder itself; a forged record misleads the one who forged it about the place of an object,
and nothing else. Hence only the form is trusted to be hostile: what is not exactly a record is no record, and no value in it
can make a later query fail.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from checks.evidence import Place
from checks.schema.names import ObjectKind, ObjectReference
from runner.recorder.naming import reference
from runner.recorder.stamps import decode

PREFIX = "dbproof:{"

#: The OIDs of catalogues, which PostgreSQL never changes.
PG_CLASS, PG_CONSTRAINT = 1259, 2606
_OTHERS = {"pg_type": 1247, "pg_proc": 1255, "pg_namespace": 2615, "pg_trigger": 2620, "pg_extension": 3079, "pg_policy": 3256}
_CATALOGUES = frozenset({PG_CLASS, PG_CONSTRAINT, *_OTHERS.values()})

_OID, _COLUMN, _XID = 2**32, 2**15, 2**63

#: An object as the server's catalogues address it: (classid, objid, objsubid).
Address = tuple[int, int, int]


@dataclass(frozen=True)
class Row:
    """An object that was made or dropped, or the row of the catalogue that says so.

    ``xid`` is the transaction (or subtransaction) that wrote it. ``whole`` is true for what a CREATE command names, which is
    made for certain; a row alone may also have been changed. ``table`` is the OID of the table it belongs to, or 0.
    """

    address: Address
    reference: ObjectReference
    xid: int | None
    whole: bool
    table: int = 0


@dataclass(frozen=True)
class HeldLock:
    """A lock of the session on a relation; the name is empty where the statement dropped the relation."""

    relation: int
    schema: str
    name: str
    mode: str


@dataclass(frozen=True)
class Rewritten:
    """A table that was rewritten, and the bits of PostgreSQL's reason."""

    schema: str
    name: str
    reason: int


@dataclass(frozen=True)
class Counted:
    """The counters of one table since it was made: rows inserted, updated, deleted, read by scanning it.

    ``file`` is the number of its file, another one after each rewrite and TRUNCATE, ``bytes`` the file's size.
    """

    relation: int
    schema: str
    name: str
    rows: tuple[int, int, int, int]
    file: int
    bytes: int | None


@dataclass(frozen=True)
class Reading:
    """Where the write-ahead log stood after a statement (in bytes), the tables whose counters moved, the invalid indexes.

    ``invalid`` is ``None`` where it was taken in an open transaction, which leaves none invalid. ``number`` counts from 1 the
    statement of a message of several after which it was taken, and is 0 after a message. ``moments`` are when that message
    came, and when the reading began and ended, in seconds.
    """

    position: int
    tables: tuple[Counted, ...]
    invalid: tuple[Row, ...] | None = None
    number: int = 0
    moments: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Event:
    """One record of the recorder.

    ``transaction`` names the one that held ``locks``. ``of_process`` is the project's session that a record of ours is about.
    """

    place: Place | None
    xid: int | None
    made: tuple[Row, ...] = ()
    dropped: tuple[Row, ...] = ()
    rewritten: tuple[Rewritten, ...] = ()
    locks: tuple[HeldLock, ...] = ()
    changed: tuple[Row, ...] = ()
    transaction: str = ""
    reading: Reading | None = None
    of_process: int | None = None


def parse(message: str) -> Event | None:
    """Read a record of the recorder; ``None`` for anything else, whatever it is."""
    if not message.startswith(PREFIX):
        return None
    try:
        return _event(json.loads(message[len(PREFIX) - 1 :]))
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        return None


def _event(said: dict[str, Any]) -> Event | None:
    at, xid = said["at"], said["xid"]
    place = None if at is None else decode(_text(at))
    transaction = None if xid is None else _number(int(_text(xid)), _XID) or None
    match said["event"]:
        case "made":
            said_of = (*(said["objects"] or ()), *(said["heirs"] or ()))
            return Event(place, transaction, made=tuple(row for entry in said_of for row in _made(entry, transaction)))
        case "altered":
            relation, identity, *parts = said["table"]
            return Event(place, transaction, made=tuple(_of_table("table", identity, (relation, *parts), transaction)))
        case "dropped":
            return Event(place, transaction, dropped=tuple(row for entry in said["objects"] for row in _object(entry, None)))
        case "rewritten":
            _, schema, name = said["relation"]
            return Event(place, transaction, rewritten=(Rewritten(_text(schema), _text(name), _number(said["reason"], _OID)),))
        case "locked":
            changed = tuple(row for entry in said["changed"] or () for row in _object(entry, None))
            return Event(place, transaction, locks=_locks(said), changed=changed, transaction=_text(_held(said, "in") or ""))
        case "wrote" | "within" as which:
            reading = _reading(said) if which == "wrote" else _within(said)
            return Event(place, transaction, locks=_locks(said), transaction=_text(_held(said, "in") or ""), reading=reading)
        case "sampled":
            return Event(place, None, locks=_locks(said), of_process=_number(said["pid"], _OID))
    return None


def _locks(said: dict[str, Any]) -> tuple[HeldLock, ...]:
    return tuple(_lock(entry) for entry in _held(said, "locks") or ())


def _held(said: dict[str, Any], part: str) -> Any:  # noqa: ANN401 - whatever the record says
    """A part of what was said of locks; ``None`` where they were not asked for."""
    return None if said["held"] is None else said["held"][part]


def _reading(said: dict[str, Any]) -> Reading:
    return Reading(
        _number(said["lsn"], _XID),
        tuple(_counted(entry) for entry in said["tables"] or ()),
        tuple(row for entry in said["invalid"] or () for row in _object(entry, None)),
    )


def _within(said: dict[str, Any]) -> Reading:
    came, began, ended = (_number(moment, _XID) / 1_000_000 for moment in said["moments"])
    tables = tuple(_counted(entry) for entry in said["tables"] or ())
    return Reading(_number(said["lsn"], _XID), tables, None, _number(said["number"], _OID), (came, began, ended))


def _counted(entry: list[Any]) -> Counted:
    relation, schema, name, inserted, updated, deleted, read, file, size = entry
    rows = (_number(inserted, _XID), _number(updated, _XID), _number(deleted, _XID), _number(read, _XID))
    bytes_ = None if size is None else _number(size, _XID)
    return Counted(_number(relation, _OID), _text(schema), _text(name), rows, _number(file, _OID), bytes_)


def _made(entry: list[Any], xid: int | None) -> Iterator[Row]:
    """The rows of an object that a command named: itself where a CREATE did, and what is new of a table."""
    if entry[3] is True:
        yield from _object(entry, xid)
    if entry[4] != "index" and entry[6] is not None:
        yield from _of_table(entry[4], entry[5], entry[6], xid)


def _object(entry: list[Any], xid: int | None) -> Iterator[Row]:
    """The object itself, where findings can name it; others (casts, operators, publications) are left out."""
    classid, objid, objsubid, whole, kind, identity, parts = entry
    table, stands_on = _split(parts, 1) if kind == "index" and parts else (0, "")
    address = (_number(classid, _OID), _number(objid, _OID), _number(objsubid, _COLUMN))
    if classid in _CATALOGUES and (objsubid == 0 or classid == PG_CLASS):
        table_name = reference("table", stands_on).relation
        named = reference(_text(kind), _text(identity), table_name)
        yield Row(address, named, xid, whole is True, table)


def _of_table(kind: object, identity: object, parts: Sequence[Any], xid: int | None) -> Iterator[Row]:
    """The rows of a table's columns, constraints and the indexes of those."""
    named = reference(_text(kind), _text(identity))
    relation = (named.schema, named.relation)
    table, columns, constraints = parts
    owner = _number(table, _OID)
    for said in columns or ():
        number, wrote, column = _split(said, 2)
        yield _row((PG_CLASS, owner, _number(number, _COLUMN)), ObjectKind.COLUMN, relation, column, _written(wrote, xid), owner)
    for said in constraints or ():
        oid, wrote, index, constraint = _split(said, 3)
        written = _written(wrote, xid)
        yield _row((PG_CONSTRAINT, oid, 0), ObjectKind.CONSTRAINT, relation, constraint, written, owner)
        if index:  # it has the name of its constraint
            yield _row((PG_CLASS, index, 0), ObjectKind.INDEX, relation, constraint, written, owner)


def _split(said: object, numbers: int) -> list[Any]:
    """A part of a table: so many numbers, each below 2^32, and its name, which may hold anything."""
    *first, name = _text(said).split(" ", numbers)
    if len(first) != numbers:
        raise ValueError
    return [*(_number(int(number), _OID) for number in first), name]


def _row(address: Address, kind: ObjectKind, relation: tuple[str, str], name: str, xid: int | None, table: int) -> Row:
    return Row(address, ObjectReference(kind, *relation, name), xid, whole=False, table=table)


def _written(xmin: int, xid: int | None) -> int | None:
    """The full id of a transaction close to ``xid`` from its last 32 bits, which are all that a row holds."""
    if xid is None:
        return None
    near = (xmin - xid) % _OID
    full = xid + (near if near < _OID // 2 else near - _OID)
    return _number(full, _XID)


def _lock(entry: list[Any]) -> HeldLock:
    relation, schema, name, mode = entry
    return HeldLock(_number(relation, _OID), _text(schema or ""), _text(name or ""), _text(mode))


def _number(value: object, limit: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < limit:
        raise ValueError
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value.encode("utf-8", "replace").decode("utf-8")
