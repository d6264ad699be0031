"""The project's statements as MariaDB's log is read, each with what is said of it behind it: how long it took, what it moved."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from checks.evidence import Statement
from runner.recorder import mariadb_working as working
from runner.recorder.mariadb_counters import Moved, told
from runner.recorder.mariadb_relay import is_quiet
from runner.recorder.mariadb_watching import Timed
from runner.recorder.stamps import unstamp

#: How many statements of the slow log may be passed over to find one: it has some that the other log has not.
_AHEAD = 2


@dataclass(frozen=True)
class _Message:
    """What a session sent: its statements that do more than read, by their numbers."""

    text: str
    statements: Sequence[int]


@dataclass
class _Session:
    """``since`` are the messages since counters were read last, but those after which nothing has moved."""

    timed: deque[Timed] = field(default_factory=deque)
    since: list[_Message] = field(default_factory=list)
    last: int | None = None


class Drafts:
    """All statements so far, in the order in which they began. ``version`` is the server's.

    The log also has the statements of triggers and procedures, behind the one that set them off.
    """

    def __init__(self, version: tuple[int, ...], timed: Sequence[Timed]) -> None:
        self.statements: list[Statement] = []
        self._version = version
        self._sessions: dict[str, _Session] = {}
        for one in timed:
            self._of(one.session).timed.append(one)

    def _of(self, session: str) -> _Session:
        return self._sessions.setdefault(session, _Session())

    def add(self, session: str, sent: str, statements: Sequence[Statement]) -> None:
        """A message, and those of its statements that do more than read."""
        one = self._of(session)
        seconds = _seconds(one.timed, sent)
        first = len(self.statements)
        self.statements.extend([replace(statements[0], seconds=seconds)] if len(statements) == 1 else statements)
        if not is_quiet(sent):
            one.since.append(_Message(sent, range(first, len(self.statements))))

    def move(self, sent: str) -> None:
        """What a session's last statements moved; what a COMMIT or a ROLLBACK writes counts with the statement before."""
        moved = told(sent)
        if moved is None:
            return
        one = self._of(str(moved.session))
        since, one.since = one.since, []
        if not since:
            return
        message = since[0] if moved.statements == 1 else since[-1]
        number = self._number(message, moved)
        if number is not None:
            texts = [message.text] if moved.statements == 1 else [each.text for each in since]
            several = max(len(message.statements), moved.statements)
            self.statements[number] = self._moved(self.statements[number], replace(moved, statements=several), texts)
            one.last = number
        elif one.last is not None and (work := self.statements[one.last].work) is not None:
            self.statements[one.last] = replace(self.statements[one.last], work=replace(work, wal=(work.wal or 0) + moved.redo))

    def _number(self, message: _Message, moved: Moved) -> int | None:
        """Whose work it is: of a SELECT only where it changed something, by a function, and then it is one of the statements."""
        if message.statements:
            return message.statements[-1]
        if not any(changed > 0 for changed, _ in moved.rows.values()):
            return None
        place, text = list(unstamp(message.text))[-1]
        self.statements.append(Statement(text, place))
        return len(self.statements) - 1

    def _moved(self, said: Statement, moved: Moved, texts: Sequence[str]) -> Statement:
        text = said.text if moved.statements == 1 else next((sent for sent in texts if working.writes_anew(sent)), "")
        return replace(
            said,
            work=working.work(moved, text),
            locks=working.locks(moved, text, self._version),
            rewrites=working.rewrites(moved, text),
        )


def _seconds(timed: deque[Timed], sent: str) -> float | None:
    """How long the server took for a message: the slow log has the statements of it one by one, without the semicolons."""
    ahead = next((number for number, one in zip(range(_AHEAD), timed, strict=False) if one.text in sent), None)
    if ahead is None:
        return None
    for _ in range(ahead):
        timed.popleft()
    seconds, at = 0.0, 0
    while timed and (found := sent.find(timed[0].text, at)) >= 0:
        at = found + max(1, len(timed[0].text))
        seconds += timed.popleft().seconds
    return seconds
