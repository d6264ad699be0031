"""Changes to the text that SQLite keeps of a table, which is all that its constraints are.

SQLite has no ALTER TABLE for constraints. What its documentation gives for changes that leave the rows as they lie (foreign keys,
CHECKs, NOT NULL, types) is to write the new text into ``sqlite_schema`` (lang_altertable.html, 7).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from checks.schema.names import TableName
from checks.schema.sqlite_tokens import Token, tokens


class Part(StrEnum):
    """What of a table's text is changed."""

    REFERENCE = "reference"
    RULE = "rule"
    CHECK = "check"
    WHOLE_CHECK = "whole check"
    NOT_NULL = "not null"
    TYPE = "type"
    INDEX = "index"


@dataclass(frozen=True)
class Edit:
    """A change to the text of a table. Foreign keys and CHECKs are counted (``number``, from 0) in the order they are written in.

    ``text`` is what is put there: a delete rule (``CASCADE``), a type, an index's whole definition (``column`` is its name). A
    reference becomes ``CHECK (1)``; where no text is given a CHECK's expression becomes 1, and NOT NULL becomes NULL.
    """

    table: TableName
    part: Part
    number: int = 0
    column: str = ""
    text: str = ""


class NothingThere(Exception):
    """The text has no such part."""


def edited(sql: str, edit: Edit) -> str:
    """A CREATE TABLE with the change made; raises :class:`NothingThere`."""
    found = tokens(sql)
    start, end, text = _SPANS[edit.part](found, edit)
    return sql[:start] + text + sql[end:]


Span = tuple[int, int, str]


def _reference(found: Sequence[Token], edit: Edit) -> Span:
    first, last = _clause(found, edit.number)
    if first > 0 and found[first - 1].keyword == ")":
        opened = _opening(found, first - 1)
        if _words(found, opened - 2, 2) == ["FOREIGN", "KEY"]:
            first = opened - 2
    return found[first].start, found[last].end, "CHECK (1)"


def _rule(found: Sequence[Token], edit: Edit) -> Span:
    first, last = _clause(found, edit.number)
    for at in range(first, last):
        if _words(found, at, 2) == ["ON", "DELETE"]:
            words = 2 if found[at + 2].keyword in ("SET", "NO") else 1
            return found[at + 2].start, found[at + 1 + words].end, edit.text
    end = first + 1
    if end < last and found[end + 1].keyword == "(":
        end = _closing(found, end + 1)
    return found[end].end, found[end].end, f" ON DELETE {edit.text}"


def _check(found: Sequence[Token], edit: Edit) -> Span:
    places = [at for at in _inside(found) if found[at].keyword == "CHECK"]
    if edit.number >= len(places):
        raise NothingThere(f"the text has {len(places)} CHECKs")
    opened = places[edit.number] + 1
    return found[opened].end, found[_closing(found, opened)].start, edit.text or "1"


def _whole_check(found: Sequence[Token], edit: Edit) -> Span:
    """With its name, so that nothing stands under that any more."""
    places = [at for at in _inside(found) if found[at].keyword == "CHECK"]
    if edit.number >= len(places):
        raise NothingThere(f"the text has {len(places)} CHECKs")
    first, last = places[edit.number], _closing(found, places[edit.number] + 1)
    if found[first - 2].keyword == "CONSTRAINT":
        first -= 2
    return found[first].start, found[last].end, "CHECK (1)"


def _not_null(found: Sequence[Token], edit: Edit) -> Span:
    first, last = _column(found, edit.column)
    for at in range(first, last):
        if _words(found, at, 2) == ["NOT", "NULL"]:
            return found[at].start, found[at + 1].end, edit.text or "NULL"
    raise NothingThere(f"{edit.column} is not NOT NULL by itself")


def _type(found: Sequence[Token], edit: Edit) -> Span:
    first, last = _column(found, edit.column)
    words = [at for at in range(first + 1, last + 1) if found[at].kind in ("word", "name")]
    if not words or words[0] != first + 1 or found[first + 1].keyword in _CONSTRAINTS:
        return found[first].end, found[first].end, f" {edit.text}"
    end = first + 1
    while end < last and found[end + 1].kind in ("word", "name") and found[end + 1].keyword not in _CONSTRAINTS:
        end += 1
    if end < last and found[end + 1].keyword == "(":
        end = _closing(found, end + 1)
    return found[first + 1].start, found[end].end, edit.text


_SPANS = {
    Part.REFERENCE: _reference,
    Part.RULE: _rule,
    Part.CHECK: _check,
    Part.WHOLE_CHECK: _whole_check,
    Part.NOT_NULL: _not_null,
    Part.TYPE: _type,
}
_CONSTRAINTS = frozenset(
    {"CONSTRAINT", "PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "COLLATE", "REFERENCES", "GENERATED", "AS"}
)
_AFTER_PARENT = frozenset({"ON", "MATCH", "NOT", "DEFERRABLE"})


def _clause(found: Sequence[Token], number: int) -> tuple[int, int]:
    """The first and last token of a REFERENCES clause."""
    places = [at for at in _inside(found) if found[at].keyword == "REFERENCES"]
    if number >= len(places):
        raise NothingThere(f"the text has {len(places)} references")
    first = places[number]
    last = first + 1
    if found[last + 1].keyword == "(":
        last = _closing(found, last + 1)
    while found[last + 1].keyword in _AFTER_PARENT:
        words = _length(found, last + 1)
        if not words:
            break
        last += words
    return first, last


def _length(found: Sequence[Token], at: int) -> int:
    """How many tokens the next part of a reference has; 0 for NOT NULL, which is the column's."""
    match _words(found, at, 4):
        case ["ON", _, "SET" | "NO", _]:
            return 4
        case ["ON", *_]:
            return 3
        case ["MATCH", *_]:
            return 2
        case ["NOT", "DEFERRABLE", "INITIALLY", _]:
            return 4
        case ["NOT", "DEFERRABLE", *_]:
            return 2
        case ["DEFERRABLE", "INITIALLY", *_]:
            return 3
        case ["DEFERRABLE", *_]:
            return 1
    return 0


def _inside(found: Sequence[Token]) -> Iterator[int]:
    """The tokens of the outermost parentheses, without what stands in further ones."""
    depth = 0
    for at, token in enumerate(found):
        depth -= token.keyword == ")"
        if depth == 1:
            yield at
        depth += token.keyword == "("


def _column(found: Sequence[Token], column: str) -> tuple[int, int]:
    """The first and last token of a column's definition."""
    inside = list(_inside(found))
    for place, at in enumerate(inside):
        begins = place == 0 or found[inside[place - 1]].keyword == ","
        if begins and found[at].kind != "other" and found[at].name.lower() == column.lower():
            end = next((later for later in inside[place:] if found[later].keyword == ","), None)
            return at, (end if end is not None else _closing(found, _first_opening(found))) - 1
    raise NothingThere(f"the text has no column {column}")


def _first_opening(found: Sequence[Token]) -> int:
    return next(at for at, token in enumerate(found) if token.keyword == "(")


def _closing(found: Sequence[Token], opened: int) -> int:
    depth = 0
    for at in range(opened, len(found)):
        depth += (found[at].keyword == "(") - (found[at].keyword == ")")
        if depth == 0:
            return at
    raise NothingThere("a parenthesis is not closed")


def _opening(found: Sequence[Token], closed: int) -> int:
    depth = 0
    for at in range(closed, -1, -1):
        depth += (found[at].keyword == ")") - (found[at].keyword == "(")
        if depth == 0:
            return at
    raise NothingThere("a parenthesis is not opened")


def _words(found: Sequence[Token], at: int, length: int) -> list[str]:
    return [token.keyword for token in found[max(at, 0) : max(at, 0) + length]]
