"""What CI systems would take for a command in a log: an oracle that shares no code with what it judges.

GitHub: ``src/Runner.Common/ActionCommand.cs`` of actions/runner. ``TryParseV2`` trims space, wants ``::`` first and a second
``::`` later; ``TryParse`` looks for ``##[`` anywhere with a ``]`` after it. Lines end at ``\\n`` and at ``\\r``. .NET compares by
culture, so characters that have no weight do not count; whether a name is registered is not asked, which is stricter.
"""

from __future__ import annotations

import re
import unicodedata

#: Characters that .NET trims (``Char.IsWhiteSpace``).
_WHITE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"


def commands(log: str) -> list[str]:
    """The lines of a log that a CI system would act upon."""
    return [line for line in re.split(r"\r\n|\r|\n", log) if is_command(line)]


def is_command(line: str) -> bool:
    """Whether GitHub (either syntax), Azure or TeamCity would act upon a line."""
    weighty = "".join(character for character in line if unicodedata.category(character) not in ("Cf", "Cc", "Cs"))
    return any(_v2(text) or _v1(text) for text in (line, weighty))


def _v2(line: str) -> bool:
    trimmed = line.lstrip(_WHITE)
    return trimmed.startswith("::") and trimmed.find("::", 2) >= 0


def _v1(line: str) -> bool:
    return any((at := line.find(prefix)) >= 0 and line.find("]", at) >= 0 for prefix in ("##[", "##vso[", "##teamcity["))
