"""How far a session's statements hold: what is undone by ROLLBACK, by ROLLBACK TO, or by an error in the transaction.

The log does not say how a transaction ended; the statements that control it do. A transaction that is still open when the log
ends counts as undone: its session is gone, or will be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from runner.migrations.statements import Statement, split
from runner.recorder.words import words

_CONTROLS = frozenset({"begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare"})
_CONTROL = re.compile(rf"\b(?:{'|'.join(sorted(_CONTROLS))})\b", re.IGNORECASE)
_FIRST = re.compile(r"\w*", re.ASCII)
#: One statement of bare words, which needs no tokenizer.
_PLAIN = re.compile(r"\s*(\w[\w\s]*?)\s*;?\s*", re.ASCII)


class Undoable(Protocol):
    """A statement that may turn out to be undone."""

    undone: bool


@dataclass
class Transaction:
    """The transaction of one session. Without BEGIN each message is one of its own and needs no entry here."""

    _open: bool = False
    _failed: bool = False
    _statements: list[Undoable] = field(default_factory=list)
    _savepoints: list[tuple[str, int]] = field(default_factory=list)

    def ran(self, statement: Undoable, text: str) -> None:
        """A statement, or a message of several, that the server executed without an error.

        A message counts as kept as soon as a part of it is; transaction control alone is never undone.
        """
        entered = False
        for said in _statements(text):
            if said[0] in _CONTROLS:
                self._control(said)
            elif self._open and not entered:
                self._statements.append(statement)
                entered = True

    def failed(self) -> None:
        """A statement failed: unless the session goes back to a savepoint, its transaction is undone."""
        self._failed = self._open

    def ended(self) -> None:
        """The session is over."""
        self._finish(undone=True)

    def _control(self, said: tuple[str, ...]) -> None:
        match said:
            case ("begin" | "start", *_):
                self._open = True
            case ("savepoint", name, *_):
                self._savepoints.append((_name(name), len(self._statements)))
            case ("release", *_):
                self._inside(_name(said[-1]))
                del self._savepoints[-1:]
            case ("rollback", *rest) if "to" in rest and "prepared" not in rest:
                self._back_to(_name(said[-1]))
            case ("commit" | "end" | "rollback", "prepared", *_):
                return
            case ("commit" | "end", *_):
                self._finish(undone=self._failed, chained=_chained(said))
            case ("rollback" | "abort", *_):
                self._finish(undone=True, chained=_chained(said))
            case ("prepare", "transaction", *_):
                self._finish(undone=self._failed)

    def _inside(self, name: str) -> None:
        """Forget the savepoints within the newest one of that name."""
        while self._savepoints and self._savepoints[-1][0] != name:
            self._savepoints.pop()

    def _back_to(self, name: str) -> None:
        """Undo what came after the newest savepoint of that name; the savepoint itself stays."""
        self._inside(name)
        if self._savepoints:
            self._failed = False
            _undo(self._statements, self._savepoints[-1][1])

    def _finish(self, undone: bool, chained: bool = False) -> None:
        if undone and self._open:
            _undo(self._statements, 0)
        self._statements, self._savepoints = [], []
        self._open, self._failed = chained, False


def _undo(entered: list[Undoable], since: int) -> None:
    for statement in entered[since:]:
        statement.undone = True
    del entered[since:]


def _name(word: str) -> str:
    """A savepoint's name, quoted or not."""
    return word.removeprefix('"')


def _chained(said: tuple[str, ...]) -> bool:
    return said[-2:] == ("and", "chain")


def _statements(text: str) -> Iterator[tuple[str, ...]]:
    """The statements of a message: as words what controls a transaction, else one word that stands for it."""
    plain = _PLAIN.fullmatch(text)
    if plain:
        yield tuple(plain[1].lower().split())
    elif _CONTROL.search(text) is None:
        yield ("",)
    else:
        yield from (_words(part.text) for part in split(text) if isinstance(part, Statement))


def _words(statement: str) -> tuple[str, ...]:
    first = _FIRST.match(statement)
    return (words(statement) or ("",)) if first and first[0].lower() in _CONTROLS else ("",)
