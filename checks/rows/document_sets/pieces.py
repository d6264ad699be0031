"""The pieces that documents are written by: functions that give a field's bytes, and keys that are drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from struct import Struct
from typing import Any, TypeAlias

from checks.rows.document_sets.parts import Key, Part, part_of
from checks.rows.document_sets.plan import ArrayOf, Arrays, Draw, Node, ObjectOf, OneOf, Pooled, Spread

#: Gives a field, its name included, of the document with a number; nothing where it is missing.
Write: TypeAlias = "Callable[[int], bytes]"

#: How many different values of a sub-document or array there are, in which nothing is a key.
KEPT = 2_048
#: How often another element is tried where an array may hold none twice.
TRIES = 6
#: Few parents have many children: of a hundred parents the first one has a fifth of them all (a power law).
SKEW = 3


INT = Struct("<i")


def freely(
    rows: list[Key], taken: Sequence[str], slots: dict[str, Part | None], chance: Callable[[], float]
) -> Callable[[int], bool]:
    """Draws any key, of which there are some."""
    many = len(rows)
    if len(taken) != 1:
        return lambda _: slots.update(zip(taken, rows[int(many * chance() ** SKEW)], strict=False)) or True
    (path,), parts = taken, [row[0] for row in rows]

    def drawn(number: int) -> bool:  # noqa: ARG001 - every draw is told
        slots[path] = parts[int(many * chance() ** SKEW)]
        return True

    return drawn


def is_free(node: Node) -> bool:
    """Whether nothing in a node hangs on the document's number or on a parent."""
    match node:
        case ObjectOf():
            return all(is_free(member.node) for member in node.members)
        case ArrayOf():
            return is_free(node.item)
        case OneOf():
            return all(map(is_free, node.nodes))
    return isinstance(node, Pooled | Spread)


def kept(write: Write, chance: Callable[[], float]) -> Write:
    """So many values of a sub-document or array are made; then they come again."""
    made: list[bytes] = []

    def written(number: int) -> bytes:
        if len(made) == KEPT:
            return made[int(chance() * KEPT)]
        made.append(write(number))
        return made[-1]

    return written


def by_arrays(draws: Sequence[Draw]) -> Mapping[Arrays, list[Draw]]:
    """Draws by the arrays that they are drawn in."""
    found: dict[Arrays, list[Draw]] = {}
    for one in draws:
        found.setdefault(one.arrays, []).append(one)
    return found


def elements(values: Sequence[Any], label: bytes) -> list[bytes]:
    """Values as fields; ``label`` is the name as bytes, ended by a zero."""
    parts = map(part_of, values)
    return [kind + label + payload for kind, payload in parts]


def thinned(elements: list[bytes], missing: int) -> list[bytes]:
    """The elements with nothing among them, so often that so many of a hundred are missing."""
    if not missing:
        return elements
    often = elements * max(1, 100 // missing // len(elements))
    return often + [b""] * max(1, round(len(often) * missing / (100 - missing)))


def pooled(elements: list[bytes], chance: Callable[[], float]) -> Write:
    """One of the fields, by chance."""
    size = len(elements)
    if size == 1:
        return lambda _: elements[0]
    return lambda _: elements[int(chance() * size)]


def one_of(writes: list[Write], chance: Callable[[], float]) -> Write:
    """What one of several writes, by chance."""
    size = len(writes)
    return lambda number: writes[int(chance() * size)](number)


def sub(head: bytes, members: Write) -> Write:
    """A sub-document with these fields; ``head`` is its type and name."""

    def write(number: int) -> bytes:
        body = members(number)
        return head + INT.pack(len(body) + 5) + body + b"\0"

    return write


def alike(element: Callable[[int, int], bytes], first: int, length: int) -> list[bytes]:
    """Elements, without those that lack something that they need."""
    made: list[bytes] = []
    for number in range(first, first + length):
        one = element(number, len(made))
        if one:
            made.append(one)
    return made


def different(element: Callable[[int, int], bytes], first: int, length: int) -> list[bytes]:
    """Elements no two of which are the same, fewer where no other comes."""
    made: list[bytes] = []
    seen: set[bytes] = set()
    for number in range(first, first + length):
        for _ in range(TRIES):
            one = element(number, len(made))
            value = one[:1] + one[one.index(0, 1) :] if one else b""
            if value and value not in seen:
                seen.add(value)
                made.append(one)
                break
    return made


def text_of(text: str) -> bytes:
    """A text as it stands behind a name."""
    encoded = text.encode()
    return INT.pack(len(encoded) + 1) + encoded + b"\0"
