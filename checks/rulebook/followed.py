"""What the checks of surviving rows share: which tables they judge, and which statement it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

from checks.evidence import Evidence, Place, Statement
from checks.interface import Judgement, NotProven, Proven
from checks.schema.names import ObjectReference
from checks.schema.sqlite_tokens import tokens
from checks.survivals import Survival
from checks.targets import Target

#: What nothing is known of where no table could be compared.
ALL = "rows of base"
#: Why nothing is proven of rows among which what a statement was written for may be lacking.
MILDER = "milder rows only"

#: Statements by which rows go, values change, and types do.
DELETES = ("DELETE", "TRUNCATE", "MERGE", "REPLACE", "INSERT", "DROP")
WRITES = ("UPDATE", "MERGE", "REPLACE", "INSERT")
RETYPES = ("ALTER", "INSERT", "CREATE", "UPDATE")

#: What stands behind the tables that a DELETE or TRUNCATE names.
_BEHIND = frozenset({"using", "where", "returning", "as", "join", "inner", "left", "cascade", "restrict", "restart", ";"})


def tables(target: Target) -> Iterator[Survival | NotProven]:
    """Every table of base that held rows, and why nothing is known of the others."""
    survivals = target.evidence.survivals
    if survivals is None:
        return
    if survivals.gap:
        yield NotProven(ALL, survivals.gap)
    for one in survivals.tables:
        if one.gap:
            yield NotProven(one.table.label(), one.gap)
        elif one.before:
            yield one
        elif one.now is not None:
            yield NotProven(one.table.label(), "no rows")


def proven(subject: str, one: Survival, *objects: ObjectReference) -> Judgement:
    """That nothing became of a table's rows; of milder ones, which a condition may have passed over, that proves nothing."""
    return NotProven(subject, MILDER) if one.milder else Proven(subject, objects)


def made(one: Survival, what: str = "rows") -> str:
    """What is added to a message where the rows were made from the schema."""
    return f", on {'milder ' if one.milder else ''}{what} that dbproof made" if one.made else ""


def culprit(evidence: Evidence, verbs: Sequence[str], *names: str) -> tuple[Place | None, str]:
    """The last statement that has one of the words, the earlier ones first, and names all of this, or as much of it as one does.

    Without any it is the one new migration, where there is only one.
    """
    said = [(statement, _words(statement)) for statement in reversed(evidence.statements) if statement.place is not None]
    for much in range(len(names), 0, -1):
        wanted = {name.lower() for name in names[:much]}
        for verb in verbs:
            for statement, words in said:
                if verb.lower() in words and wanted <= words:
                    return statement.place, statement.text
    new = [migration for migration in evidence.migrations if migration.new]
    return (new[0].place, "") if len(new) == 1 else (None, "")


def deleted_from(evidence: Evidence, table: str) -> bool:
    """Whether a statement that deletes rows names the table where those are that it deletes from."""
    for statement in evidence.statements:
        found = [] if statement.undone else [token.plain.lstrip('"') for token in tokens(statement.text)]
        for number, word in enumerate(found):
            if word in ("delete", "truncate") and table.lower() in takewhile(
                lambda each: each not in _BEHIND, found[number + 1 :]
            ):
                return True
    return False


def _words(statement: Statement) -> set[str]:
    if statement.undone:
        return set()
    return {token.plain.lstrip('"') for token in tokens(statement.text) if token.kind in ("word", "name")}


def of(number: int, all_of_them: int, what: str) -> str:
    """``12 of 40 rows``, ``all 40 rows``, ``the only row``."""
    if number == all_of_them:
        return f"the only {what}" if number == 1 else f"all {number} {what}s"
    return f"{number} of {all_of_them} {what}s"
