"""What to do instead of a statement that keeps others out while it works: by what was seen of it, never by its text."""

from __future__ import annotations

from checks.rulebook.unblocking_mariadb import of_mariadb
from checks.schema.names import ObjectKind
from checks.traffic import Blocking, WorkKind, WorkOnRows

_SPLIT = (
    "Let that statement run in a transaction of its own, in a migration before or after this one, so that the lock of an earlier"
    " statement is not held meanwhile."
)
_INDEX = "CREATE INDEX CONCURRENTLY, outside a transaction: it builds beside writers."
_USING_INDEX = (
    "CREATE UNIQUE INDEX CONCURRENTLY first, outside a transaction, then ALTER TABLE … ADD CONSTRAINT … UNIQUE (or PRIMARY KEY)"
    " USING INDEX, which reads no row (a primary key's columns must be NOT NULL already)."
)
_VALIDATE = (
    "ADD CONSTRAINT … NOT VALID, then ALTER TABLE … VALIDATE CONSTRAINT in a transaction of its own: that reads the rows beside"
    " readers and writers."
)
_NOT_NULL = (
    "ADD CONSTRAINT … CHECK (… IS NOT NULL) NOT VALID, VALIDATE it in a transaction of its own, then SET NOT NULL, which reads no"
    " row where such a CHECK stands; drop the CHECK after."
)
_ATTACH = (
    "Put a CHECK with the partition's bounds on it first, NOT VALID, and VALIDATE it in a transaction of its own: ATTACH"
    " PARTITION then reads no row."
)
_APART = "Read the rows in a transaction of its own, apart from the statement that takes the lock."
_DEFAULT = (
    "Add the column without that default (a constant one rewrites nothing), SET DEFAULT for rows to come, and fill the old rows"
    " in batches, each in a transaction of its own."
)
_TYPE = (
    "Add a new column of the new type, fill it in batches, keep both in step by a trigger, and change over in a later release; a"
    " longer varchar, or text, needs no rewrite."
)
_BATCHES = "Write the rows in batches, each in a transaction of its own, apart from the ALTER TABLE that holds the lock."
_ANEW = "pg_repack or pg_squeeze write a table anew beside readers and writers; VACUUM without FULL needs no such lock."
_REINDEX = "REINDEX … CONCURRENTLY, outside a transaction."


def remedy_of(one: Blocking, work: WorkOnRows) -> str:
    """What would not keep others out: by the kind of work, the server's reason and what the statement made."""
    if any(lock.mode.startswith("MDL_") for lock in (*one.taken, *(lock for lock, _ in one.earlier))):
        return of_mariadb(one, work)
    own = _BATCHES if work.kind is WorkKind.WRITE else _of_kind(one, work)
    return own if one.taken or work.kind is WorkKind.WRITE else f"{_SPLIT} {own}".rstrip()


def _of_kind(one: Blocking, work: WorkOnRows) -> str:
    if work.kind is WorkKind.REWRITE:
        return _of_rewrite(work.reason)
    if work.kind is WorkKind.INDEX:
        if _made(one, ObjectKind.CONSTRAINT):
            return _USING_INDEX
        return _INDEX if "CREATE INDEX" in one.commands else _REINDEX
    return _of_scan(one)


def _of_rewrite(reason: str) -> str:
    if "type" in reason:
        return _TYPE
    return _DEFAULT if "default" in reason else _ANEW


def _of_scan(one: Blocking) -> str:
    if _made(one, ObjectKind.CONSTRAINT):
        return _VALIDATE
    if _made(one, ObjectKind.COLUMN):
        return _NOT_NULL
    return _ATTACH if set(one.commands) <= {"ALTER TABLE"} else _APART if one.taken else ""


def _made(one: Blocking, kind: ObjectKind) -> bool:
    return any(made.kind is kind for made in one.made)
