"""Which statement it was that took or changed rows that should have survived."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from checks.evidence import Evidence, Place, Statement
from checks.rulebook.survived import only_new
from checks.schema.sqlite_tokens import tokens

#: Statements by which rows go, values change, and types do.
DELETES = ("DELETE", "TRUNCATE", "MERGE", "REPLACE", "INSERT", "DROP")
WRITES = ("UPDATE", "MERGE", "REPLACE", "INSERT")
RETYPES = ("ALTER", "INSERT", "CREATE", "UPDATE")

#: What stands behind the tables that a DELETE or TRUNCATE names.
_BEHIND = frozenset({"using", "where", "returning", "as", "join", "inner", "left", "cascade", "restrict", "restart", ";"})


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
    return only_new(evidence), ""


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
