"""Every migration that base has applied is as it was, or still comes to the same schema and as many rows.

Proves it where files of base's migrations were edited or deleted: one database applies base's files and then head's new ones, as
production does, another applies head's files from nothing, and the schemas of the two are compared, every object as the server
itself describes it. A comment or another layout changes nothing, and neither does a squash that comes to what it replaces. Where
the two differ, production never gets the change: its books say that the migration is done. Where the tool itself refuses to go
on (a checksum that is another one, a revision that it does not find), that is the finding. Of what migrations write into tables
the number of rows is compared: a table that holds more or fewer of them by the files is a warning, as production does not get
those either. What rows hold is not compared, as that may be the time.

So it is with the dump that a history starts from (`start_from`), where the change edits it: production never loads it again, so
what it has otherwise than base's dump and all migrations is a warning. Privileges, owners and settings of the database are left
out of that, as dumps leave them out.

**Anti-pattern**

```sql
-- migrations/0007_orders.sql, which is on main and in production
CREATE TABLE orders (id bigint PRIMARY KEY, note text NOT NULL);    -- NOT NULL was added today: new databases only
```

**Best practice**

```sql
-- migrations/0031_orders_note.sql, a new file
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checks.evidence import MigrationFailure, MigrationState
from checks.histories import EditedMigration
from checks.interface import Engine, Finding, Json, Judgement, Need, NotProven, Proven, Severity
from checks.reversals import OF_ROWS, Difference, DifferenceKind
from checks.schema.names import default_schema, object_label
from checks.targets import Target

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB, Engine.MONGODB})
NEEDS = frozenset({Need.EVIDENCE, Need.BASE})
SUBJECTS = "migrations of base"
PROVES = "come to the same schema and as many rows as when they were applied"

#: How many differences are said.
_MOST = 6


def run(target: Target) -> Iterator[Judgement]:
    """Judge every migration of base: by what was compared where its file is another one, else it is as it was."""
    edited = {one.revision: one for one in target.evidence.edited}
    schema = default_schema(target.engine)
    for one in target.evidence.migrations:
        if not one.new and one.revision not in edited and one.state is MigrationState.APPLIED:
            yield Proven(one.revision)
    for each in edited.values():
        yield _judge(each, schema)


def _judge(one: EditedMigration, schema: str) -> Judgement:
    if one.gap:
        return NotProven(one.revision, one.gap)
    if one.dump and one.leads_apart:
        return _dump(one, schema)
    if one.refused is not None:
        return _refused(one, one.refused)
    if one.differences:
        return _apart(one, schema)
    return Proven(one.revision)


def _refused(one: EditedMigration, failure: MigrationFailure) -> Finding:
    return Finding(
        subject=one.revision,
        message=f"{_what(one)}, and on a database that has applied it the migrations stop",
        remedy=_TELL if one.gone else _TAKE_BACK,
        place=None if one.gone else one.place,
        code=failure.code,
        said=failure.said,
        detail=failure.detail,
        evidence={"gone": one.gone, "file": one.place.file, "statement": failure.statement},
    )


def _apart(one: EditedMigration, schema: str) -> Finding:
    return Finding(
        subject=one.revision,
        message=f"{_what(one)}, and databases that have applied it stay apart from the files: {_list(one.differences, schema)}",
        remedy=_SQUASH if one.gone else _TAKE_BACK,
        severity=Severity.ERROR if one.leads_apart else Severity.WARNING,
        place=None if one.gone else one.place,
        objects=tuple(dict.fromkeys(each.of for each in one.differences)),
        evidence={"gone": one.gone, "file": one.place.file, "differences": _facts(one.differences, schema)},
    )


def _dump(one: EditedMigration, schema: str) -> Finding:
    """New databases start from it, and those that are there never see it."""
    apart = f"those that are there stay apart from it: {_list(one.differences, schema)}"
    return Finding(
        subject=one.revision,
        message=f"the dump {one.place.file} was edited, and "
        + (apart if one.refused is None else "a new database does not come to be from it any more"),
        remedy=_DUMP_AGAIN,
        severity=Severity.WARNING,
        objects=tuple(dict.fromkeys(each.of for each in one.differences)),
        place=one.place,
        code=one.refused.code if one.refused else "",
        said=one.refused.said if one.refused else "",
        evidence={"file": one.place.file, "differences": _facts(one.differences, schema)},
    )


_DUMP_AGAIN = (
    "Dump again from a database that has applied every migration, with the rows of the tool's own table; what is to be otherwise "
    "in production too is a new migration."
)
_TAKE_BACK = (
    "Restore the file as base has it, and write the change as a new migration: where the old file was applied this one never is. "
    "Tools that keep checksums (Flyway, Prisma, Atlas, Liquibase) refuse to go on there at all."
)
_TELL = (
    "Restore the file, or tell the tool what stands for it before this is deployed (Django's `replaces`, a baseline, a stamp), "
    "and accept this once with an allow."
)
_SQUASH = (
    "Restore the file, or let what replaces it come to the same schema; what it made and nothing else makes is dropped by a new "
    "migration."
)


def _what(one: EditedMigration) -> str:
    return f"migration {one.revision} was {f'deleted ({one.place.file})' if one.gone else 'edited'} after base had applied it"


def _list(differences: Sequence[Difference], schema: str) -> str:
    said = "; ".join(_say(one, schema) for one in differences[:_MOST])
    more = len(differences) - _MOST
    return f"{said}; and {more} more" if more > 0 else said


def _say(one: Difference, schema: str) -> str:
    label = object_label(one.of, schema)
    if one.kind is DifferenceKind.MISSING:
        return f"{label} is there only"
    if one.kind is DifferenceKind.EXTRA:
        return f"{label} is missing there"
    if one.kind in OF_ROWS:
        more = "more" if one.kind is DifferenceKind.ROWS_EXTRA else "fewer"
        return f"by the files {label} holds {one.rows} {more} {'row' if one.rows == 1 else 'rows'}"
    return f"by the files {label} {one.words}"


def _facts(differences: Sequence[Difference], schema: str) -> list[Json]:
    return [
        {"object": object_label(one.of, schema), "kind": one.kind.value, "words": one.words, "rows": one.rows}
        for one in differences
    ]
