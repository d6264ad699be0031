"""GitHub's runner as the reader of a step: what it makes of a log and of the files that it names. Shares no code with dbproof.

Written from what actions/runner does, by file:

- ``ActionCommand.cs``: ``::name key=value,key=value::data`` at the start of a line, after white space;
  ``##[name key=value;…]data`` anywhere in it; only registered names count; what is escaped is read again with ``%25`` last.
- ``ActionCommandManager.cs``: what each command does; between ``::stop-commands::TOKEN`` and ``::TOKEN::`` nothing counts.
- ``OutputManager.cs``, ``ProcessInvoker.cs``: both streams are read, lines end at ``\\n``, ``\\r\\n`` and at a ``\\r`` alone.
- ``ExecutionContext.cs``: ten issues of each type are kept, a message is cut at 4 096 UTF-16 units.
- ``FileCommandManager.cs``: ``NAME=VALUE`` and ``NAME<<DELIMITER``; a summary above 1 MiB is dropped whole.

.NET compares by culture where the code does not say otherwise, and then characters without weight (Unicode's Cf and Cc) do not
count. Both readings are tried, and either one makes a line a command: that is stricter than any one machine.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

REGISTERED = frozenset(
    {"add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "notice", "remove-matcher"}
    | {"save-state", "set-env", "set-output", "warning"}
)
ISSUES = ("error", "warning", "notice")
MOST_ISSUES = 10
LONGEST_MESSAGE = 4096
MOST_SUMMARY_BYTES = 1024 * 1024

_WHITE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
_DATA = (("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))
_PROPERTY = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))
_OLD = (("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%25", "%"))


@dataclass(frozen=True)
class Parsed:
    """A command as the runner reads it."""

    name: str
    properties: dict[str, str]
    data: str


def parse(line: str, registered: frozenset[str] = REGISTERED) -> Parsed | None:
    """The command that a line is, if it is one."""
    for text in (line, _weighty(line)):
        found = _new_form(text, registered) or _old_form(text, registered)
        if found is not None:
            return found
    return None


def lines(stream: bytes) -> list[str]:
    """A stream as the runner reads it."""
    text = stream.decode("utf-8", "replace")
    return re.split(r"\r\n|\r|\n", text)


@dataclass
class Step:
    """A step under way: what its log has made the runner do so far."""

    issues: list[Parsed] = field(default_factory=list)
    acted: list[Parsed] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    stopped_by: str = ""

    def read(self, stream: bytes) -> Step:
        """Read a stream to its end."""
        for line in lines(stream):
            self._line(line)
        return self

    def kept(self, name: str) -> list[Parsed]:
        """The annotations of one type that GitHub keeps."""
        return [issue for issue in self.issues if issue.name == name][:MOST_ISSUES]

    def _line(self, line: str) -> None:
        registered = REGISTERED | {"stop-commands"} | ({self.stopped_by} if self.stopped_by else frozenset())
        command = parse(line, frozenset(name.lower() for name in registered))
        if command is None or (self.stopped_by and command.name.lower() != self.stopped_by.lower()):
            self.shown.append(line)
        elif self.stopped_by:
            self.stopped_by = ""
        elif command.name.lower() == "stop-commands":
            assert command.data
            assert command.data.lower() not in REGISTERED | {"pause-logging", "stop-commands"}
            self.stopped_by = command.data
        elif command.name.lower() in ISSUES:
            cut = command.data.encode("utf-16-le", "surrogatepass")[: 2 * LONGEST_MESSAGE].decode("utf-16-le", "replace")
            self.issues.append(Parsed(command.name.lower(), command.properties, cut))
        else:
            self.acted.append(command)


class InvalidFile(ValueError):
    """The runner fails the step for what a file of values holds."""


def values(text: str) -> list[tuple[str, str]]:
    """The names and values in the file of ``GITHUB_OUTPUT``, ``GITHUB_ENV`` or ``GITHUB_STATE``."""
    found = []
    rest = iter(text.split("\n"))
    for line in rest:
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            found.append((line[:equals], line[equals + 1 :]))
        elif heredoc > 0 and line[heredoc + 2 :]:
            found.append((line[:heredoc], "\n".join(_until(line[heredoc + 2 :], rest))))
        else:
            raise InvalidFile(line)
    return found


def summary(data: bytes) -> str | None:
    """The summary that is shown of a step, if any."""
    return data.decode("utf-8") if 0 < len(data) <= MOST_SUMMARY_BYTES else None


def _until(delimiter: str, rest: Iterator[str]) -> Iterator[str]:
    for line in rest:
        if line == delimiter:
            return
        yield line
    raise InvalidFile(delimiter)


def _new_form(line: str, registered: frozenset[str]) -> Parsed | None:
    message = line.lstrip(_WHITE)
    end = message.find("::", 2)
    if not message.startswith("::") or end < 0:
        return None
    name, properties = _head(message[2:end], registered)
    if name is None:
        return None
    return Parsed(name, _properties(properties.strip(_WHITE), ",", _PROPERTY), _read_again(message[end + 2 :], _DATA))


def _old_form(line: str, registered: frozenset[str]) -> Parsed | None:
    start = line.find("##[")
    end = line.find("]", start)
    if start < 0 or end < 0:
        return None
    name, properties = _head(line[start + 3 : end], registered)
    if name is None:
        return None
    return Parsed(name, _properties(properties, ";", _OLD), _read_again(line[end + 1 :], _OLD))


def _head(information: str, registered: frozenset[str]) -> tuple[str | None, str]:
    name, _, properties = information.partition(" ")
    return (name if name.lower() in registered else None), properties


def _properties(text: str, separator: str, escapes: tuple[tuple[str, str], ...]) -> dict[str, str]:
    found = {}
    for part in filter(None, text.split(separator)):
        name, _, value = part.lstrip("=").partition("=")
        value = value.lstrip("=")
        if name and value:
            found[name.lower()] = _read_again(value, escapes)
    return found


def _read_again(text: str, escapes: tuple[tuple[str, str], ...]) -> str:
    for escape, meant in escapes:
        text = text.replace(escape, meant)
    return text


def _weighty(line: str) -> str:
    return "".join(character for character in line if unicodedata.category(character) not in ("Cf", "Cc", "Cs"))
