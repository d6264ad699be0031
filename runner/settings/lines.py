"""At which line of a settings file a key stands, found in its text: TOML's own reader tells no lines."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

_HEADER = re.compile(r"\s*\[(?P<keys>[^\[\]]+)\]\s*(?:#.*)?")
_ONE_OF_SEVERAL = re.compile(r"\s*\[\[(?P<keys>[^\[\]]+)\]\]\s*(?:#.*)?")
_NAME = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_ASSIGNED = re.compile(rf"\s*(?P<keys>{_NAME}(?:\s*\.\s*{_NAME})*)\s*=")


def line_of(text: str, keys: Sequence[str]) -> int | None:
    """The line (from 1) of a key, else of the nearest table above it that has one; ``None`` where nothing of it stands there.

    The second ``[[allow]]`` is ``("allow", "1")``.
    """
    lines = _lines(text)
    return next((lines[named] for length in range(len(keys), 0, -1) if (named := tuple(keys[:length])) in lines), None)


@lru_cache(maxsize=8)
def _lines(text: str) -> Mapping[tuple[str, ...], int]:
    """The first line of every table and value: each key of a large file is asked for."""
    lines: dict[tuple[str, ...], int] = {}
    for number, stands in _standing(text):
        lines.setdefault(tuple(stands), number)
    return lines


def _standing(text: str) -> Iterator[tuple[int, list[str]]]:
    """Every line that begins a table or a value, with all the keys down to it."""
    table: list[str] = []
    met: Counter[str] = Counter()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.fullmatch(line):
            table = _split(header["keys"])
            yield number, table
        elif several := _ONE_OF_SEVERAL.fullmatch(line):
            path = _split(several["keys"])
            table = [*path, str(met[repr(path)])]
            met[repr(path)] += 1
            yield number, table
        elif assigned := _ASSIGNED.match(line):
            yield number, [*table, *_split(assigned["keys"])]


def _split(keys: str) -> list[str]:
    """``a."b.c"`` as its parts, read by TOML itself; nothing where it is no key after all."""
    try:
        inner: object = tomllib.loads(f"{keys} = 0")
    except tomllib.TOMLDecodeError:
        return []
    parts: list[str] = []
    while isinstance(inner, Mapping):
        name, inner = next(iter(inner.items()))
        parts.append(str(name))
    return parts
