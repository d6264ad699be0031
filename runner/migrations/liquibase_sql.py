"""Liquibase's formatted SQL: ``--changeset author:id`` with its attributes, what undoes it, and what it is run on condition of.

What is no SQL of a changeset is blanked, so that every line keeps its number (Liquibase's manual, "SQL changelog example").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from runner.errors import ToolFailed

_FIRST = re.compile(r"\s*--\s*liquibase\s*formatted\s*sql(?P<attributes>.*)", re.IGNORECASE)
_CHANGESET = re.compile(
    r"\s*--\s*changeset\s+(?P<author>\"[^\"]+\"|[^:]+):(?P<id>\"[^\"]+\"|\S+)(?P<attributes>.*)", re.IGNORECASE
)
_LIKE_A_CHANGESET = re.compile(r"-\s*changeset\s.*|\s*--\s*changeset\b.*", re.IGNORECASE)
_ROLLBACK = re.compile(r"\s*--\s*rollback (?P<sql>.*)", re.IGNORECASE)
_ROLLBACK_BEGINS = re.compile(r"\s*/\*\s*liquibase\s*rollback\s*", re.IGNORECASE)
_ROLLBACK_ENDS = re.compile(r"(?P<sql>.*)\*/\s*", re.IGNORECASE)
_PRECONDITIONS = re.compile(r"\s*--\s*preconditions(?P<attributes>.*)", re.IGNORECASE)
_PRECONDITION = re.compile(r"\s*--\s*precondition-(?P<kind>[a-z0-9-]+)(?: (?P<said>.*))?", re.IGNORECASE)
_COMMENT = re.compile(r"--\s*comment:? (?P<said>.*)", re.IGNORECASE)
_PROPERTY = re.compile(r"\s*--\s*property\s+(?P<attributes>.*:.*)", re.IGNORECASE)
_IGNORED = re.compile(r"--\s*ignoreLines:(?P<what>\w+)\s*", re.IGNORECASE)
_SINGLE_DASH = re.compile(r"\s*-\s*(?:property|rollback|preconditions?|comment|ignoreLines)\b.*", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\b(\w+):(\"[^\"]*\"|\S*)")
_VARIABLE = re.compile(r"\$\{([^}\s]+)\}")
_FORMAT = "Unexpected formatting"


@dataclass(frozen=True)
class Precondition:
    """What has to hold: ``kind`` is ``sql-check``, ``table-exists`` or ``view-exists``, ``said`` the rest of its line."""

    kind: str
    said: str
    line: int


@dataclass
class Changeset:
    """One changeset of a file. ``body`` and ``back`` begin on the lines ``line`` + 1 and ``back_line``.

    ``contexts`` are those of the files that include it too; all of them have to match. ``wrong`` is what Liquibase says of it.
    """

    id: str
    author: str
    path: str
    line: int
    attributes: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    back: str = ""
    back_line: int = 0
    comment: str = ""
    on_fail: str = "HALT"
    preconditions: list[Precondition] = field(default_factory=list)
    contexts: Sequence[str] = ()
    wrong: tuple[int, str] | None = None

    def says(self, name: str, default: bool) -> bool:
        """What an attribute says that is true or false."""
        return self.attributes.get(name.lower(), str(default)).lower() == "true"


def is_formatted(text: str) -> bool:
    """Whether a file says in its first line that it is formatted SQL."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return _FIRST.fullmatch(first) is not None


def raw(text: str, path: str) -> Changeset:
    """A file of SQL without that line, which is one changeset."""
    return Changeset("raw", "includeAll", path, 0, body=text)


class Parsed:
    """A file of formatted SQL: its changesets, and ``properties`` that it says."""

    def __init__(self, name: str, text: str, path: str) -> None:
        self.name = name
        self.path = path
        self.changesets = list[Changeset]()
        self.properties = dict[str, str]()
        self._lines = enumerate(text.split("\n"), 1)
        self._body = list[str]()
        self._back = list[tuple[int, str]]()
        for number, line in self._lines:
            self._take(number, line.rstrip("\r"))
        self._end()

    def _take(self, number: int, line: str) -> None:
        if found := _FIRST.fullmatch(line):
            self.path = attributes(found["attributes"]).get("logicalfilepath", self.path)
            self._body.append("")
        elif found := _CHANGESET.fullmatch(line):
            self._end()
            self._begin(number, found)
        elif _LIKE_A_CHANGESET.fullmatch(line) or _SINGLE_DASH.fullmatch(line):
            self._wrong(number, f"{_FORMAT} at line {number}: {line.strip()[:80]}")
        elif found := _PROPERTY.fullmatch(line):
            told = attributes(found["attributes"])
            self.properties.setdefault(told.get("name", ""), told.get("value", ""))
            self._body.append("")
        elif found := _IGNORED.fullmatch(line):
            self._ignore(found["what"])
        elif self.changesets:
            self._body.append(line if not self._said(number, line, self.changesets[-1]) else "")

    def _begin(self, number: int, found: re.Match[str]) -> None:
        told = attributes(found["attributes"])
        if told.get("failonerror", "true").lower() == "false" or "runwith" in told:
            raise ToolFailed(
                f"{self.name}:{number}: failOnError:false and runWith are for Liquibase itself: cannot run here",
                'Set migrations.tool to "command" and migrations.command to your call of Liquibase.',
            )
        path = told.get("logicalfilepath") or self.path
        self.changesets.append(Changeset(found["id"].strip('"'), found["author"].strip('"'), path, number, told))

    def _ignore(self, what: str) -> None:
        count = int(what) if what.isdecimal() else -1
        self._body.append("")
        for _, line in self._lines:
            self._body.append("")
            count -= 1
            ended = _IGNORED.fullmatch(line)
            if count == 0 or (count < 0 and ended and ended["what"].lower() == "end"):
                return

    def _said(self, number: int, line: str, changeset: Changeset) -> bool:
        """Whether a line says something of the changeset and is no SQL of it."""
        if found := _COMMENT.fullmatch(line):
            changeset.comment = found["said"]
        elif found := _ROLLBACK.fullmatch(line):
            self._back.append((number, found["sql"]))
        elif _ROLLBACK_BEGINS.fullmatch(line):
            self._body.append("")
            self._undone_below()
        elif found := _PRECONDITIONS.fullmatch(line):
            changeset.on_fail = attributes(found["attributes"]).get("onfail", "HALT").upper()
        elif found := _PRECONDITION.fullmatch(line):
            changeset.preconditions.append(Precondition(found["kind"].lower(), (found["said"] or "").strip(), number))
        else:
            return False
        return True

    def _undone_below(self) -> None:
        for number, line in self._lines:
            if found := _ROLLBACK_ENDS.fullmatch(line):
                self._back.append((number, found["sql"]))
                return
            self._back.append((number, line))
            self._body.append("")

    def _wrong(self, number: int, said: str) -> None:
        if not self.changesets:
            self.changesets.append(Changeset("?", "?", self.path, number))
        self.changesets[-1].wrong = self.changesets[-1].wrong or (number, said)

    def _end(self) -> None:
        """What belongs to the last changeset is complete."""
        if self.changesets:
            last = self.changesets[-1]
            last.body = "\n".join(self._body)
            if not last.body.strip() and last.wrong is None:
                last.wrong = (last.line, f"No SQL for changeset {self.path}::{last.id}::{last.author}")
            if self._back:
                last.back_line = self._back[0][0]
                lines = dict(self._back)
                last.back = "\n".join(lines.get(number, "") for number in range(last.back_line, self._back[-1][0] + 1))
        self._body, self._back = [], []


def attributes(text: str) -> Mapping[str, str]:
    """What stands as ``name:value`` in a line, by names in lower case."""
    return {name.lower(): value.strip('"') for name, value in _ATTRIBUTE.findall(text)}


def expanded(text: str, properties: Mapping[str, str]) -> str:
    """A text with ``${name}`` replaced where the name has a value."""
    return _VARIABLE.sub(lambda found: properties.get(found[1], found[0]), text)


def matches(expression: str, names: Sequence[str]) -> bool:
    """Whether ``context`` of a changeset lets it run where these contexts are given; none given let everything run."""
    if not names:
        return not expression.strip().startswith("@")
    known = {name.strip().lower() for name in names}
    return not expression.strip() or any(_holds(_words(part), known) for part in expression.split(","))


def _words(expression: str) -> Iterator[str]:
    yield from re.findall(r"[()!]|[^\s()!]+", expression.lower())
    yield ""


def _holds(words: Iterator[str], known: set[str]) -> bool:
    """``or`` binds less than ``and``, that less than ``not``."""
    tokens = list(words)

    def either() -> bool:
        found = both()
        while tokens[0] == "or":
            tokens.pop(0)
            found = both() or found
        return found

    def both() -> bool:
        found = one()
        while tokens[0] == "and":
            tokens.pop(0)
            found = one() and found
        return found

    def one() -> bool:
        word = tokens.pop(0) if tokens[0] else ""
        if word in ("!", "not"):
            return not one()
        if word == "(":
            found = either()
            if tokens[0] == ")":
                tokens.pop(0)
            return found
        return word.lstrip("@") in known

    return either()
