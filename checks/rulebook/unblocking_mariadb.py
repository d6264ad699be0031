"""What to do instead of a statement that keeps others out on MariaDB: by the reason that the server gives for its lock.

The reasons are those of ER_ALTER_OPERATION_NOT_SUPPORTED_REASON (1846) in MariaDB's sql/share/errmsg-utf8.txt; what can be done
in place or instantly: https://mariadb.com/kb/en/innodb-online-ddl-overview/.
"""

from __future__ import annotations

from checks.traffic import Blocking, WorkKind, WorkOnRows

_COPIED_BESIDE = "pt-online-schema-change or gh-ost write the table anew beside readers and writers."
_REFUSE = "With ALGORITHM=NOCOPY, LOCK=NONE MariaDB refuses such a statement instead of keeping others out."
#: By words of the server's reason, what there is instead.
_INSTEAD = (
    (
        "column type",
        "Add a new column of the new type (ALGORITHM=INSTANT), fill it in batches, keep both in step by a trigger, and change"
        " over in a later release; a VARCHAR that grows without crossing 255 bytes, or a further value at an ENUM's end, copies"
        " nothing.",
    ),
    (
        "foreign_key_checks",
        "SET foreign_key_checks = 0 for this statement alone, once a query has found no orphans: it reads no row then, and"
        " MariaDB never looks at the old rows again.",
    ),
    ("primary key", "Drop and add the primary key in one ALTER TABLE: that is done in place."),
    (
        "auto-increment",
        "Add the column without AUTO_INCREMENT, fill it in batches, and make it the key where few write.",
    ),
    ("ulltext", "The first FULLTEXT index of a table keeps writers out: build it where few write, or on a table beside."),
    ("GIS", "A SPATIAL index keeps writers out: build it where few write, or on a table beside."),
    ("requires a lock", "Leave ALGORITHM=COPY away, and the table with InnoDB: MariaDB then does in place what it can."),
)
_COPYING = (
    "MariaDB copies the table for a CHECK on a column from before, a STORED column and a default computed for each row; for"
    " a VIRTUAL column, a constant default and a CHECK on the new column itself it copies nothing."
)
_BATCHES = (
    "Write the rows in batches, each in a transaction of its own, without LOCK TABLES: InnoDB locks the rows that it writes."
)
_UNLOCKED = "Leave LOCK TABLES away: the statement takes what it needs."


def of_mariadb(one: Blocking, work: WorkOnRows) -> str:
    """What would not keep others out of the table."""
    if work.kind is WorkKind.WRITE:
        return _BATCHES
    if not one.taken:
        return _UNLOCKED
    instead = next((said for words, said in _INSTEAD if words in work.reason), _COPYING)
    return f"{instead} {_COPIED_BESIDE} {_REFUSE}"
