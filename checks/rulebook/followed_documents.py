"""What the checks of surviving documents share: which collections they judge, and which command it was."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from checks.document_targets import DocumentTarget
from checks.evidence import Evidence, Place
from checks.interface import NotProven
from checks.pipelines.shell import on
from checks.survivals import Survival

#: What nothing is known of where no collection could be compared.
ALL = "documents of base"

#: What stands in the text of an update that is known to name its fields.
_OPERATOR = "{$"

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


def culprit(evidence: Evidence, words: Sequence[str], names: Sequence[str], field: str = "") -> tuple[Place | None, str]:
    """The last command that has one of the words, the earlier ones first, and names one of the collections.

    Of those that do, one that names the ``field`` (by its label), else one of those of which nobody knows what they name.
    Drivers' writes are not recorded everywhere: without any it is the one new migration, where there is only one.
    """
    said = [one for one in reversed(evidence.statements) if one.place is not None and not one.undone]
    for word in words:
        does = [one for one in said if any(_does(one.text, word, name) for name in names)]
        exact = [one for one in does if field and _top(field) in _names(one.text)]
        for one in (*exact, *(one for one in does if not field or _OPERATOR not in one.text)):
            return one.place, one.text
    new = [migration for migration in evidence.migrations if migration.new]
    return (new[0].place, "") if len(new) == 1 else (None, "")


def _top(field: str) -> str:
    """The name that a field's label begins with; of one in quotes they stay."""
    return field if field.startswith('"') else re.split(r"[.\[]", field, maxsplit=1)[0]


def _names(text: str) -> set[str]:
    """The names of fields in a command's text, without what is below them."""
    found = re.findall(r'("(?:[^"\\]|\\.)*"|[\w]+): (?:…|\{)', text)
    return {name for one in found for name in (one, one.strip('"').split(".")[0])}


def _does(text: str, word: str, name: str) -> bool:
    """Whether a statement's text is of this command and collection; ``renameCollection`` and ``$merge`` name it inside."""
    if word == "renameCollection":
        return word in text and f'.{name}"' in text
    called = (f"{on(name)}.{word}", f"db.{name}.{word}", f"db.getCollection({json.dumps(name)}).{word}")
    return text.startswith(called)
