"""What an object is, in facts, and in which of them two objects differ, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping

#: What an object is, by the name of each fact; what has its default is left out.
Facts = Mapping[str, str]

#: Longer texts are not quoted.
_LONG = 100

_STRING = re.compile(r"'(?:[^']|'')*'")
_CAST = re.compile(r"::(?:character varying|text|varchar|bpchar|character)(?:\(\d+\))?(?:\[\])?")
#: Parentheses round one thing; those of a call belong to its name.
_IDLE = re.compile(r"(?<![\w\"])\((\w+|\"[^\"]+\"|ARRAY\[[^\[\]()]*\])\)")


def difference(was: Facts, now: Facts) -> str:
    """In what an object is not what it was, in words; empty where it is."""
    names = [name for name in [*was, *(name for name in now if name not in was)] if not _same(was.get(name), now.get(name))]
    return " and ".join(_fact(name, was.get(name, ""), now.get(name, "")) for name in names)


def _fact(name: str, was: str, now: str) -> str:
    if len(was) > _LONG or len(now) > _LONG or "\n" in was + now:
        return f"has another {name}" if was and now else f"has {'a' if now else 'no'} {name}"
    if name == "definition":
        return f"is {now}, expected {was}"
    expected = was or "none"
    return f"has {name} {now}, expected {expected}" if now else f"has no {name}, expected {expected}"


def _same(was: str | None, now: str | None) -> bool:
    """Whether two facts say the same; PostgreSQL casts between types of text in one place or another (``IN (…)``)."""
    if was == now:
        return True
    return was is not None and now is not None and "::" in was + now and _bare(was) == _bare(now)


def _bare(text: str) -> str:
    """An expression without casts between types of text, and without parentheses round what needs none then."""
    strings: list[str] = []

    def keep(found: re.Match[str]) -> str:
        strings.append(found[0])
        return f"string_{len(strings)}"

    bare, before = _CAST.sub("", _STRING.sub(keep, text)), ""
    while bare != before:
        before, bare = bare, _IDLE.sub(r"\1", bare)
    return "\0".join([bare, *strings])
