"""Which statement made each object that exists: what the log says by OID, under the names of today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from checks.evidence import Made, Statement
from checks.schema.names import ObjectKind, ObjectReference
from runner.recorder.events import PG_CONSTRAINT, Address
from runner.recorder.ledger import Ledger, Origin
from runner.recorder.naming import reference
from runner.recorder.recording import Recording

if TYPE_CHECKING:
    from psycopg import Connection

# A transaction id that a forged record invented may lie in the future, which pg_xact_status refuses: hence the CASE.
_ABORTED = """
SELECT said FROM unnest(%s::text[]) AS said
WHERE CASE WHEN said::xid8 < pg_snapshot_xmax(pg_current_snapshot()) THEN pg_xact_status(said::xid8) = 'aborted' END
"""

_NAMES = """
SELECT classid::bigint, objid::bigint, objsubid, type, identity, coalesce(relname, '')
FROM unnest(%s::oid[], %s::oid[], %s::int[]) AS said (classid, objid, objsubid)
CROSS JOIN LATERAL pg_identify_object(classid, objid, objsubid)
LEFT JOIN pg_index ON classid = 'pg_class'::regclass AND objsubid = 0 AND indexrelid = objid
LEFT JOIN pg_class ON pg_class.oid = indrelid
WHERE identity IS NOT NULL
"""

# Constraints and indexes that PostgreSQL makes of its own accord have OIDs that no statement named: made anew under their old
# name (ALTER COLUMN … TYPE, REINDEX CONCURRENTLY), or for a partition together with its parent's.
_PARTS = """
SELECT 'pg_constraint'::regclass::oid::bigint, part.oid::bigint, nspname, relname, conname, conrelid::bigint,
       conparentid::bigint
FROM pg_constraint AS part JOIN pg_class ON pg_class.oid = conrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE conrelid >= 16384
UNION ALL
SELECT 'pg_class'::regclass::oid::bigint, indexrelid::bigint, nspname, stands_on.relname, named.relname, indrelid::bigint,
       coalesce(inhparent, 0)::bigint
FROM pg_index JOIN pg_class AS named ON named.oid = indexrelid JOIN pg_class AS stands_on ON stands_on.oid = indrelid
JOIN pg_namespace ON pg_namespace.oid = named.relnamespace
LEFT JOIN pg_inherits ON inhrelid = indexrelid
WHERE indrelid >= 16384 AND nspname <> 'pg_toast'
"""


def resolve(
    connection: Connection[Any], *recordings: Recording, revisions: Mapping[str, str] | None = None
) -> dict[ObjectReference, Made]:
    """The statement that made each object of the connected database, as far as a statement with a place did.

    ``recordings`` are in the order in which they happened, of this database and of those it was cloned from (a clone keeps
    OIDs). ``revisions`` names the revision of each migration file. Statements whose transaction the server calls aborted
    count for nothing.
    """
    ledger = _ledger(recordings)
    aborted = _aborted(connection, ledger)
    found: dict[ObjectReference, Made] = {}
    for named, origin in _origins(connection, ledger):
        statement = origin.maker(aborted)
        if statement and statement.place:
            revision = statement.revision or (revisions or {}).get(statement.place.file)
            found[named] = Made(statement.place, statement.text, revision)
    return found


def _ledger(recordings: Sequence[Recording]) -> Ledger[Statement]:
    ledger: Ledger[Statement] = Ledger()
    for recording in recordings:
        for wrote in recording.wrote:
            ledger.enter(recording.statements[wrote.statement], wrote.made, wrote.dropped)
    return ledger


def _aborted(connection: Connection[Any], ledger: Ledger[Statement]) -> frozenset[int]:
    xids = {candidate.xid for origin in ledger.origins.values() for candidate in origin.candidates} - {None}
    return frozenset(int(xid) for (xid,) in connection.execute(_ABORTED, [[str(xid) for xid in xids]]))


def _origins(connection: Connection[Any], ledger: Ledger[Statement]) -> Iterator[tuple[ObjectReference, Origin[Statement]]]:
    columns = [list(column) for column in zip(*ledger.origins, strict=True)] or [[], [], []]
    for classid, objid, objsubid, kind, identity, table in connection.execute(_NAMES, columns):
        yield reference(kind, identity, table), ledger.origins[classid, objid, objsubid]
    yield from _parts(connection, ledger)


def _parts(connection: Connection[Any], ledger: Ledger[Statement]) -> Iterator[tuple[ObjectReference, Origin[Statement]]]:
    """Constraints and indexes that the log does not know by their OID."""
    origins: dict[Address, Origin[Statement]] = dict(ledger.origins)
    parents: dict[Address, Address] = {}
    unknown: dict[Address, ObjectReference] = {}
    for classid, objid, schema, relation, name, table, parent in connection.execute(_PARTS):
        address: Address = (classid, objid, 0)
        parents[address] = (classid, parent, 0)
        if address in origins:
            continue
        kind = ObjectKind.CONSTRAINT if classid == PG_CONSTRAINT else ObjectKind.INDEX
        unknown[address] = ObjectReference(kind, schema, relation, name)
        if origin := ledger.find((classid, table, name)):
            origins[address] = origin
    for address, named in unknown.items():
        if found := _nearest(address, origins, parents):
            yield named, found


def _nearest(
    address: Address, origins: Mapping[Address, Origin[Statement]], parents: Mapping[Address, Address]
) -> Origin[Statement] | None:
    """The origin of an object, or else of the nearest of its parents that has one."""
    current: Address | None = address
    while current and current not in origins:
        current = parents.get(current)
    return origins[current] if current else None
