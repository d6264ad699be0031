"""Every migration applies.

Proves that the migrations run to their end, as the project itself applies them, on a database that holds rows. The finding
stands at the file and line of the statement that was refused, with the server's code and words. Where the same migration passes
on an empty copy it says so: that is the migration which is green in every test and red in production. Where only rows that
dbproof made stop it, and not any row would, it is a warning with the query to ask production; a later statement that any row
would stop is an error all the same.

**Anti-pattern**

```sql
ALTER TABLE orders ADD COLUMN currency char(3) NOT NULL;    -- passes on an empty table, fails on the first row (23502)
```

**Best practice**

```sql
ALTER TABLE orders ADD COLUMN currency char(3) NOT NULL DEFAULT 'EUR';
-- or: add it nullable, fill it in batches, then SET NOT NULL.
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.evidence import Migration, MigrationFailure, MigrationState
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.rulebook.made_rows import asking, broken_rows, stops_any_row
from checks.targets import Target

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB, Engine.MONGODB})
NEEDS = frozenset({Need.EVIDENCE})
SUBJECTS = "migrations"
PROVES = "apply"

#: The subject where the tool has no revisions (a command of the project's).
ALL = "migrations"
#: The subject of what a change may add to those, where they fail before it is reached.
NEW = "new migrations"

_REMEDIES = {
    "23502": "Give the column a default, or add it nullable, fill it, then SET NOT NULL.",
    "23503": "Settle the rows without a parent first, or add the key NOT VALID and validate it after they are settled.",
    "23505": "Merge or remove the duplicates in an earlier statement of the migration.",
    "23514": "Correct the rows first, or add the CHECK NOT VALID and validate it after they are corrected.",
    "22001": "Shorten the values first, or choose a wider type.",
    "22003": "Correct the values first, or choose a wider type.",
    "25001": "Run this statement outside a transaction, as the migration tool offers it (Alembic: autocommit_block).",
    "25P02": "An earlier statement of the same transaction failed; that one is the cause.",
    "2BP01": "Drop or change first what depends on it.",
    "42501": "Let a role with that privilege do this once, outside the migrations, or grant it to the role that migrates.",
    "42P01": "Correct the name, or let the migration that makes it come first.",
    "42703": "Correct the name, or let the migration that makes it come first.",
    "42704": "Correct the name, or make it first: roles that stand outside of the migrations go into a file of `before`.",
    "42P07": "It exists already: an earlier migration, or another branch of the history, makes it too.",
    "42710": "It exists already: an earlier migration, or another branch of the history, makes it too.",
    "42701": "It exists already: an earlier migration, or another branch of the history, makes it too.",
    "55P03": "Another session holds the lock that this statement waits for.",
    "55P04": "An enum value cannot be used in the transaction that adds it: commit in between, in two migrations.",
    "0A000": "Choose a server that has it (`image` or `version` in the settings), if this is an extension.",
    # The names of SQLite's codes.
    "SQLITE_CONSTRAINT_NOTNULL": "Give the column a default, or fill it in an earlier statement of the migration.",
    "SQLITE_CONSTRAINT_FOREIGNKEY": "Settle the rows without a parent first.",
    "SQLITE_CONSTRAINT_UNIQUE": "Merge or remove the duplicates in an earlier statement of the migration.",
    "SQLITE_CONSTRAINT_PRIMARYKEY": "Merge or remove the duplicates in an earlier statement of the migration.",
    "SQLITE_CONSTRAINT_CHECK": "Correct the rows first, in an earlier statement of the migration.",
    "SQLITE_BUSY": "Another session of the migrations holds the file: end its transaction first.",
    "SQLITE_LOCKED": "A statement of the same session is still being read: fetch it to its end first.",
    # MariaDB's numbers of errors.
    "1048": "Give the column a default, or fill it in an earlier statement of the migration.",
    "1364": "Give the column a default, or name a value for it.",
    "1265": "Correct the values that do not fit first (NULL in a column that becomes NOT NULL), in an earlier statement.",
    "1406": "Shorten the values first, or choose a wider type.",
    "1264": "Correct the values first, or choose a wider type.",
    "1062": "Merge or remove the duplicates in an earlier statement of the migration.",
    "1452": "Settle the rows without a parent first.",
    "1451": "Change or remove the children first.",
    "4025": "Correct the rows first, in an earlier statement of the migration.",
    "1005": "The key's columns must have the types and collations of those that they refer to, which need an index.",
    "1146": "Correct the name, or let the migration that makes it come first.",
    "1054": "Correct the name, or let the migration that makes it come first.",
    "1050": "It exists already: an earlier migration makes it too, or one that failed half way did: DDL is not undone.",
    "1060": "It exists already: an earlier migration makes it too, or one that failed half way did: DDL is not undone.",
    "1061": "It exists already: an earlier migration makes it too, or one that failed half way did: DDL is not undone.",
    "1091": "It is not there: an earlier migration dropped it too, or one that failed half way did: DDL is not undone.",
    "1553": "Drop the foreign key first, or give it another index.",
    "1064": "Correct the statement; in files of SQL what a trigger or routine holds needs DELIMITER.",
    "1142": "Let a user with that privilege do this once, outside the migrations, or grant it to the user that migrates.",
    "1044": "Let a user with that privilege do this once, outside the migrations, or grant it to the user that migrates.",
    "1227": "Let a user with that privilege do this once, outside the migrations, or grant it to the user that migrates.",
    # MongoDB's codes are shorter than any SQLSTATE, or begin like none.
    "11000": "Merge or remove the duplicates in an earlier step of the migration, or build the index not unique.",
    "121": "Correct the document that is written, or change the validator first.",
    "13": "Let a user with that privilege do this once, outside the migrations, or grant it to the user that migrates.",
    "26": "Correct the collection's name, or let the migration that makes it come first.",
    "27": "Correct the index's name, or let the migration that builds it come first.",
    "48": "It exists already: an earlier migration makes it too, or an insert did.",
    "59": "Correct the command's name, or choose a server that has it (`image` or `version` in the settings).",
    "67": "The index cannot be built like this; the server's words say why.",
    "85": "An index on the same keys has another name or other options: drop it in the migration before this one is built.",
    "86": "An index of this name has other keys or options: drop it in the migration before this one is built.",
    "58P01": "Choose a server that has it (`image` or `version` in the settings), if this is an extension.",
}

#: How golang-migrate, goose, Atlas, Flyway and Supabase refuse a new migration that is older than what is applied.
_LATE = (
    "golang-migrate passes this file over",
    "found a missing migration before the database's version",
    "was added out of order",
    "detected resolved migration not applied to database",
    "to be inserted before the last migration on remote database",
)

#: What to do with rows that a statement does not take, whatever its reason.
_ROWS_FIRST = "Correct them in an earlier statement of the migration, or let this one take them."

#: Where what base has keeps from being tried what a change adds.
_BASE_FIRST = (
    "Let base's history apply here first (`dbproof run --all` shows why it does not): mend it, start from a dump (`start_from`), "
    "or give the server what it lacks (`before`, `version`, `image`)."
)

#: What SQLite, Alembic for it, or a tool before it begins says without a code of its own.
_BY_WORDS = (
    (
        "the journal dates it before the newest",
        "Generate it again on top of the newest one, or give its entry in meta/_journal.json a later `when`: a database that has"
        " the newer one never gets it.",
    ),
    *((words, "Give it a number after the newest one.") for words in _LATE),
    ("there is a NUL byte", "Remove it: no statement holds one."),
    ("the file is UTF-16", "Save it as UTF-8."),
    (
        "Cannot add a NOT NULL column with default value NULL",
        "Give the column a default, or add it nullable, fill it, and make the table anew with NOT NULL (op.batch_alter_table).",
    ),
    (
        "No support for ALTER of constraints in SQLite",
        "SQLite changes no constraint of a table that is there: use op.batch_alter_table, which makes the table anew.",
    ),
)


def run(target: Target) -> Iterator[Judgement]:
    """Judge every migration by what became of it; a tool without revisions as one whole."""
    evidence = target.evidence
    failure = evidence.failure
    broken = _subject(failure) if failure else ""
    known = evidence.base_failed and not any(one.new for one in evidence.migrations if one.revision == broken)
    certain = _subject(evidence.certain) if evidence.certain else ""
    left = (migration for migration in evidence.migrations if migration.revision not in (broken, certain))
    yield from (_judge(migration, broken, known) for migration in left)
    if evidence.certain:
        yield _finding(certain, evidence.certain, target)
    if failure and certain != broken:
        yield _finding(broken, failure, target)
        if evidence.base_failed and evidence.untold:
            yield _never_built()
    elif evidence.statements and not evidence.migrations:
        yield Proven(ALL)


def _subject(failure: MigrationFailure) -> str:
    return failure.revision or ALL


def _judge(migration: Migration, broken: str, known: bool) -> Judgement:
    """What became of one that did not fail. ``known`` says that the one before it fails on base too, which fails no run."""
    match migration.state:
        case MigrationState.APPLIED:
            return Proven(migration.revision)
        case MigrationState.PENDING if known and migration.new:
            return _out_of_reach(migration, broken)
        case MigrationState.PENDING:
            return NotProven(migration.revision, f"not reached, {broken} failed" if broken else "not reached")
        case MigrationState.FAILED:
            return Finding(migration.revision, f"migration {migration.revision} failed", place=migration.place)


def _out_of_reach(migration: Migration, broken: str) -> Finding:
    before = "the migrations before it fail" if broken == ALL else f"{broken} before it fails"
    return Finding(
        subject=migration.revision,
        message=f"migration {migration.revision} was not reached, so nothing of it is proven: {before}, on base too",
        remedy=_BASE_FIRST,
        place=migration.place,
    )


def _never_built() -> Finding:
    """Of a command nobody can say which of its migrations are new, and whether they were reached."""
    return Finding(
        subject=NEW,
        message="the migrations fail on base and here, so the schema of this change was never built and nothing new is proven",
        remedy=_BASE_FIRST,
    )


def _finding(subject: str, failure: MigrationFailure, target: Target) -> Finding:
    only_some = failure.invented and not stops_any_row(failure)
    return Finding(
        subject=subject,
        message=_message(subject, failure, broken_rows(failure, target) if only_some else None),
        remedy=asking(failure, target, _REMEDIES.get(failure.code, _ROWS_FIRST)) if only_some else _remedy(failure),
        severity=Severity.WARNING if only_some else None,
        place=failure.place,
        code=failure.code,
        said=failure.said,
        detail=failure.detail,
        evidence={
            "statement": failure.statement,
            "on_rows": failure.on_rows,
            "invented": failure.invented,
            "timed_out": failure.timed_out,
        },
    )


def _message(subject: str, failure: MigrationFailure, made: str | None) -> str:
    """What happened; ``made`` says which made rows were in the way, where only those were."""
    what = "the migrations" if subject == ALL else f"migration {subject}"
    if failure.timed_out:
        return f"{what} did not end within the deadline"
    if made is not None:
        return f"{what} failed on rows that dbproof made{f' ({made})' if made else ''}; without them it passes"
    if failure.on_rows:
        return f"{what} failed on rows: green on an empty table, red on {'any row' if stops_any_row(failure) else 'these rows'}"
    return f"{what} failed"


def _remedy(failure: MigrationFailure) -> str:
    if failure.timed_out:
        return "Look for a statement that waits for a lock or for input, or raise `timeout` under `migrations`."
    by_words = next((remedy for words, remedy in _BY_WORDS if words in failure.said), None)
    return by_words or _REMEDIES.get(failure.code, "Correct the statement, then apply the whole history again.")
