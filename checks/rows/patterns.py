"""Short texts that a pattern matches: LIKE, GLOB, and the part of regular expressions that CHECKs are written in."""

from __future__ import annotations

from collections.abc import Sequence

#: What stands for any character, and what stands outside of a class: the first that fits is taken.
_ANY = "a1A_- .!"
_CLASSES = {
    "alpha": "aA",
    "alnum": "a1A",
    "digit": "1",
    "lower": "a",
    "upper": "A",
    "space": " ",
    "blank": " ",
    "punct": "-",
    "xdigit": "1a",
    "word": "a1",
    "print": "a",
    "graph": "a",
    "cntrl": "\t",
}
_ESCAPES = {"d": "1", "w": "a", "s": " ", "D": "a", "W": "-", "S": "a", "n": "\n", "t": "\t", "r": "\r"}
_NOTHING = frozenset("bBAZzmMyY")
#: More repetitions than this are not written out.
_MANY = 10_000


def like(pattern: str, *, escape: str = "\\", many: str = "%", one: str = "_") -> tuple[str, ...]:
    """Two texts that a LIKE pattern matches: ``%`` stands for nothing in the first and for a letter in the second.

    GLOB has ``*`` and ``?`` in their place.
    """
    short, longer, taken = "", "", False
    for character in pattern:
        if not taken and character == escape:
            taken = True
            continue
        short += "a" if character == one and not taken else "" if character == many and not taken else character
        longer += "a" if character in (one, many) and not taken else character
        taken = False
    return tuple(dict.fromkeys((short, longer)))


def regular(pattern: str) -> tuple[str, ...]:
    """Texts that a regular expression should match, the shortest first; empty for one with parts that are not known.

    Each choice between alternatives and each repetition is made the first way, then the second way, and so on. Whoever asks has
    to try them: back references and look-ahead are not followed.
    """
    found: list[str] = []
    for way in range(4):
        try:
            found.append(_Reader(pattern, way).read())
        except (IndexError, ValueError):
            break
    return tuple(dict.fromkeys(found))


class _Reader:
    """Goes through a regular expression once, and writes down what it matches as it goes."""

    def __init__(self, pattern: str, way: int) -> None:
        self.pattern = pattern.removeprefix("***:").removeprefix("(?i)")
        self.at = 0
        self.way = way

    def read(self) -> str:
        text = self._alternatives()
        if self.at < len(self.pattern):
            raise ValueError("a parenthesis too many")
        return text

    @property
    def next(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def _take(self) -> str:
        character = self.pattern[self.at]
        self.at += 1
        return character

    def _alternatives(self) -> str:
        listed = [self._sequence()]
        while self.next == "|":
            self.at += 1
            listed.append(self._sequence())
        return listed[self.way % len(listed)]

    def _sequence(self) -> str:
        text = ""
        while self.next and self.next not in "|)":
            part = self._part()
            text += self._repeated(part)
        return text

    def _part(self) -> str:
        character = self._take()
        match character:
            case "(":
                return self._group()
            case "[":
                return self._one_of(self._class())
            case "\\":
                escaped = self._take()
                return "" if escaped in _NOTHING else _ESCAPES.get(escaped, escaped)
            case "^" | "$":
                return ""
            case ".":
                return "a"
        return character

    def _group(self) -> str:
        ignored = False
        if self.next == "?":
            self.at += 1
            ignored = self._take() in "=!<"
            if ignored and self.next in ("=", "!"):
                self.at += 1
        text = self._alternatives()
        if self._take() != ")":
            raise ValueError("a group without an end")
        return "" if ignored else text

    def _class(self) -> str:
        """The characters of a bracket expression that could stand for it; of a negated one, some that are not in it."""
        negated = self.next == "^"
        self.at += negated
        inside = ""
        first = True
        while first or self.next != "]":
            first = False
            inside += self._member()
        self.at += 1
        if not negated:
            return inside
        return "".join(character for character in _ANY if character not in inside)

    def _member(self) -> str:
        if self.pattern.startswith("[:", self.at):
            end = self.pattern.index(":]", self.at)
            name, self.at = self.pattern[self.at + 2 : end], end + 2
            return _CLASSES.get(name, "a")
        start = self._take()
        if start == "\\":
            escaped = self._take()
            start = _ESCAPES.get(escaped, escaped)
        if self.next == "-" and self.pattern[self.at + 1 : self.at + 2] not in ("]", ""):
            self.at += 1
            return _range(start, self._take())
        return start

    def _one_of(self, characters: Sequence[str]) -> str:
        if not characters:
            raise ValueError("no character for a class")
        return characters[min(self.way, len(characters) - 1)] if self.way < 2 else characters[-1]

    def _repeated(self, part: str) -> str:
        least, most = self._repetition()
        if self.next in ("?", "+") and (least, most) != (1, 1):
            self.at += self.next == "?"
        times = min(most, least + (self.way if most > least else 0))
        if times > _MANY:
            raise ValueError("too many repetitions")
        return part * times

    def _repetition(self) -> tuple[int, int]:
        match self.next:
            case "*":
                self.at += 1
                return 0, _MANY
            case "+":
                self.at += 1
                return 1, _MANY
            case "?":
                self.at += 1
                return 0, 1
            case "{" if self.pattern[self.at + 1 : self.at + 2].isdigit():
                end = self.pattern.index("}", self.at)
                low, comma, high = self.pattern[self.at + 1 : end].partition(",")
                self.at = end + 1
                return int(low), (int(high) if high else _MANY) if comma else int(low)
        return 1, 1


def _range(first: str, last: str) -> str:
    """The ends of a range, and what lies between where it is short."""
    low, high = ord(first), ord(last)
    if high - low > 64:
        return "".join(character for character in "a1A" if low <= ord(character) <= high) or first + last
    return "".join(map(chr, range(low, high + 1)))
