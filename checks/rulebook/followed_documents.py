"""What the checks of surviving documents share: which collections they judge, and which command it was."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from checks.evidence import Evidence, Place
from checks.interface import NotProven
from checks.pipelines.shell import on
from checks.survivals import Survival
from checks.targets import DocumentTarget

#: What nothing is known of where no collection could be compared.
ALL = "documents of base"
#: What is added where the documents were made from the schema.
ON_MADE_DOCUMENTS = ", on documents that dbproof made"

#: Commands by which documents go, and by which values do, as statements write them.
DELETES = ("delete", "drop", "aggregate", "insert", "findAndModify", "renameCollection")
WRITES = ("update", "aggregate", "findAndModify", "insert", "drop", "renameCollection")


def collections(target: DocumentTarget) -> Iterator[Survival | NotProven]:
    """Every collection of base that held documents, and why nothing is known of the others."""
    survivals = target.evidence.survivals
    if survivals is None:
        return
    if survivals.gap:
        yield NotProven(ALL, survivals.gap)
    for one in survivals.tables:
        if one.gap:
            yield NotProven(one.table.name, one.gap)
        elif one.before:
            yield one
        elif one.now is not None:
            yield NotProven(one.table.name, "no documents")


def culprit(evidence: Evidence, words: Sequence[str], *names: str) -> tuple[Place | None, str]:
    """The last command that has one of the words, the earlier ones first, and names one of the collections.

    Drivers' writes are not recorded everywhere: without any it is the one new migration, where there is only one.
    """
    said = [one for one in reversed(evidence.statements) if one.place is not None and not one.undone]
    for word in words:
        for statement in said:
            if any(_does(statement.text, word, name) for name in names):
                return statement.place, statement.text
    new = [migration for migration in evidence.migrations if migration.new]
    return (new[0].place, "") if len(new) == 1 else (None, "")


def _does(text: str, word: str, name: str) -> bool:
    """Whether a statement's text is of this command and collection; ``renameCollection`` and ``$merge`` name it inside."""
    if word == "renameCollection":
        return word in text and f'.{name}"' in text
    called = (f"{on(name)}.{word}", f"db.{name}.{word}", f"db.getCollection({json.dumps(name)}).{word}")
    return text.startswith(called)
