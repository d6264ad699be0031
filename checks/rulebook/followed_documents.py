"""Which command it was that took or changed documents that should have survived."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from checks.evidence import Evidence, Place
from checks.pipelines.shell import on
from checks.rulebook.survived import only_new

#: What stands in the text of an update that is known to name its fields.
_OPERATOR = "{$"

#: Commands by which documents go, and by which values do, as statements write them.
DELETES = ("delete", "drop", "aggregate", "insert", "findAndModify", "renameCollection")
WRITES = ("update", "aggregate", "findAndModify", "insert", "drop", "renameCollection")


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
    return only_new(evidence), ""


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
