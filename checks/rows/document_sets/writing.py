"""Documents as bytes: a plan is made into functions once, and these give one document after the other.

Values of a pool are encoded once, with the names of their fields; a document is these bytes put together. Each field has chance
of its own, seeded with a text, so the same seed gives the same documents on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from struct import Struct
from typing import Any, TypeAlias

from checks.rows.document_sets.chance import seeded
from checks.rows.document_sets.keys import in_digits, object_id, salt_of, value_of
from checks.rows.document_sets.parts import Key, Keys, Part, decoded, part_of
from checks.rows.document_sets.plan import (
    ArrayOf,
    Arrays,
    CollectionPlan,
    Draw,
    Form,
    Member,
    Node,
    Numbered,
    ObjectOf,
    OneOf,
    Pooled,
    Spread,
    Taken,
)

#: Gives a field, its name included, of the document with a number; nothing where it is missing.
Write: TypeAlias = "Callable[[int], bytes]"

#: Of so many documents one has a number or date at an end.
ENDS = 16
#: How many different values of a sub-document or array there are, in which nothing is a key.
KEPT = 2_048
#: How often another element is tried where an array may hold none twice.
TRIES = 6
#: Few parents have many children: of a hundred parents the first one has a fifth of them all (a power law).
SKEW = 3

#: Keeps a share of a range within it, however it is rounded.
_BELOW = 1 - 1e-12

_INT, _LONG, _DOUBLE = Struct("<i"), Struct("<q"), Struct("<d")
_NULL: Part = (b"\x0a", b"")


class Writing:
    """Writes the documents of one collection; ``keys`` are those of its draws, by their names.

    ``exhausted`` says that parents that come in turn have all come.
    """

    def __init__(self, plan: CollectionPlan, seed: int, keys: Mapping[str, Keys]) -> None:
        self._plan = plan
        self._salt = f"{seed}/{plan.collection}"
        self._keys = keys
        self._slots: dict[str, Part | None] = {}
        self._chances = 0
        self.exhausted = False
        self._lacking: list[bool] = [False]
        self._draws = {arrays: [self._draw(one) for one in some] for arrays, some in _by_arrays(plan.draws).items()}
        self._root = self._members(plan.root)

    def document(self, number: int) -> bytes | None:
        """The document with a number, from 0 on; ``None`` where it lacks something that it needs."""
        self._lacking[0] = False
        for draw in self._draws.get((), ()):
            if not draw(number):
                return None
        body = self._root(number)
        return None if self._lacking[0] else _INT.pack(len(body) + 5) + body + b"\0"

    def _chance(self) -> Callable[[], float]:
        self._chances += 1
        return seeded(f"{self._salt}/{self._chances}").random

    def _members(self, node: Node) -> Write:
        """The fields of a document, or of one of several."""
        if isinstance(node, OneOf):
            made = {id(one): self._members(one) for one in node.nodes}
            return _one_of([made[id(one)] for one in node.nodes], self._chance())
        writes = [self._member(one) for one in node.members] if isinstance(node, ObjectOf) else []
        return lambda number: b"".join([write(number) for write in writes])

    def _member(self, member: Member) -> Write:
        if isinstance(member.node, Pooled):
            return _pooled(_thinned(_elements(member.node.values, member.name.encode() + b"\0"), member.missing), self._chance())
        write = self._field(member.node, member.name)
        if not member.missing:
            return write
        chance, share = self._chance(), member.missing / 100
        if isinstance(member.node, ObjectOf | ArrayOf) and not _is_free(member.node):
            write = self._dropped(write)
        return lambda number: b"" if chance() < share else write(number)

    def _dropped(self, write: Write) -> Write:
        """Nothing, where what is written lacks a part that it needs."""
        lacking = self._lacking

        def written(number: int) -> bytes:
            before, lacking[0] = lacking[0], False
            made = write(number)
            lacks, lacking[0] = lacking[0], before
            return b"" if lacks else made

        return written

    def _field(self, node: Node, name: str) -> Write:
        if isinstance(node, ObjectOf | ArrayOf) and _is_free(node):
            return _kept(self._made(node, name), self._chance())
        return self._made(node, name)

    def _made(self, node: Node, name: str) -> Write:
        label = name.encode() + b"\0"
        match node:
            case Pooled():
                return _pooled(_elements(node.values, label), self._chance())
            case Spread():
                return self._spread(node, label)
            case Numbered():
                return self._numbered(node, label)
            case Taken():
                return self._taken(node, label)
            case ObjectOf():
                return _sub(b"\x03" + label, self._members(node))
            case ArrayOf():
                return self._array(node, b"\x04" + label)
            case OneOf():
                made = {id(one): self._field(one, name) for one in node.nodes}
                return _one_of([made[id(one)] for one in node.nodes], self._chance())

    def _spread(self, node: Spread, label: bytes) -> Write:
        """Every so many documents one of the ends, so that each of them comes; any number of the range in between."""
        chance, ends, low, size = self._chance(), _elements(node.ends, label), node.low, node.high - node.low + 1
        many, turn, scale = len(ends), self._chances % ENDS, size * _BELOW
        head, pack = self._packed(node.kind, label)

        def write(number: int) -> bytes:
            if many and number % ENDS == turn:
                return ends[number // ENDS % many]
            return head + pack(low + int(chance() * scale))

        return write

    def _packed(self, kind: str, label: bytes) -> tuple[bytes, Callable[[int], bytes]]:
        """The bytes before a value, and how a whole number becomes one."""
        if kind == "objectId":
            chance = self._chance()
            return b"\x07" + label, lambda value: value.to_bytes(4, "big") + int(chance() * 2**53).to_bytes(8, "big")
        if kind == "double":
            return b"\x01" + label, lambda value: _DOUBLE.pack(value / 100)
        kinds = {"int": (b"\x10", _INT.pack), "long": (b"\x12", _LONG.pack), "date": (b"\x09", _LONG.pack)}
        head, pack = kinds[kind]
        return head + label, pack

    def _numbered(self, node: Numbered, label: bytes) -> Write:
        part, each, most = self.part(node.form), node.each, node.form.most

        def write(number: int) -> bytes:
            kind, payload = part(number // each % most)
            return kind + label + payload

        return write

    def part(self, form: Form) -> Callable[[int], Part]:
        """What a form makes of a number, as it stands behind a name."""
        match form.kind:
            case "string":
                return lambda number: (b"\x02", _text(f"{form.before}{in_digits(number, form.alphabet, form.width)}{form.after}"))
            case "objectId":
                salt = salt_of(f"{self._salt}/{form.start}")
                return lambda number: (b"\x07", object_id(salt, number))
            case "listed":
                parts = [part_of(value) for value in form.listed]
                return lambda number: parts[number]
            case "int":
                return lambda number: (b"\x10", _INT.pack(form.start + form.step * number))
            case "long":
                return lambda number: (b"\x12", _LONG.pack(form.start + form.step * number))
            case "date":
                return lambda number: (b"\x09", _LONG.pack(form.start + form.step * number))
        return lambda number: part_of(value_of(form, number))

    def _taken(self, node: Taken, label: bytes) -> Write:
        slots, path, needed, lacking = self._slots, node.path, node.needed, self._lacking
        empty = _NULL[0] + label if node.null else b""

        def write(number: int) -> bytes:  # noqa: ARG001 - every field is told
            part = slots.get(path)
            if part is None:
                if needed:
                    lacking[0] = True
                return empty
            return part[0] + label + part[1]

        return write

    def _array(self, node: ArrayOf, head: bytes) -> Write:
        items = [self._field(node.item, str(place)) for place in range(node.most)]
        if not _is_free(node.item):
            items = list(map(self._dropped, items))
        draws, chance = self._draws.get(node.arrays, ()), self._chance()
        least, span, most = node.least, node.most - node.least + 1, max(node.most, 1)
        chosen, lacking = (_different if node.unique else _alike), self._lacking

        def element(number: int, place: int) -> bytes:
            for draw in draws:
                draw(number)
            return items[place](number)

        def write(number: int) -> bytes:
            made = chosen(element, number * most, least + int(chance() * span))
            lacking[0] = lacking[0] or len(made) < least
            body = b"".join(made)
            return head + _INT.pack(len(body) + 5) + body + b"\0"

        return write

    def _draw(self, draw: Draw) -> Callable[[int], bool]:
        """Draws a key into the slots; whether there was one, or none is needed."""
        slots, keys, chance = self._slots, self._keys[draw.name], self._chance()
        taken, shared, own = tuple(draw.taken), tuple(draw.shared), tuple(draw.own)
        each, missing = draw.each, draw.missing / 100
        itself = {path: self.part(form) for path, form in draw.itself.items()}

        if not (shared or each or missing or itself or draw.collection == self._plan.collection):
            return _freely(keys.rows, taken, slots, chance)

        def drawn(number: int) -> bool:
            rows: Sequence[Key] = keys.groups.get(tuple(slots.get(path) for path in shared), ()) if shared else keys.rows
            if each and number // each >= len(rows):
                self.exhausted = True
                return False
            if not rows:
                slots.update({path: itself[path](number) if path in itself else None for path in taken})
                return True
            row = rows[number // each] if each else rows[int(len(rows) * chance() ** SKEW)]
            for path, part in zip(taken, row, strict=False):
                slots[path] = part
            if missing and chance() < missing:
                for path in own:
                    slots[path] = None
            return True

        return drawn


def _freely(
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


def _is_free(node: Node) -> bool:
    """Whether nothing in a node hangs on the document's number or on a parent."""
    match node:
        case ObjectOf():
            return all(_is_free(member.node) for member in node.members)
        case ArrayOf():
            return _is_free(node.item)
        case OneOf():
            return all(map(_is_free, node.nodes))
    return isinstance(node, Pooled | Spread)


def _kept(write: Write, chance: Callable[[], float]) -> Write:
    """So many values of a sub-document or array are made; then they come again."""
    made: list[bytes] = []

    def written(number: int) -> bytes:
        if len(made) == KEPT:
            return made[int(chance() * KEPT)]
        made.append(write(number))
        return made[-1]

    return written


def _by_arrays(draws: Sequence[Draw]) -> Mapping[Arrays, list[Draw]]:
    found: dict[Arrays, list[Draw]] = {}
    for one in draws:
        found.setdefault(one.arrays, []).append(one)
    return found


def _elements(values: Sequence[Any], label: bytes) -> list[bytes]:
    parts = map(part_of, values)
    return [kind + label + payload for kind, payload in parts]


def _thinned(elements: list[bytes], missing: int) -> list[bytes]:
    """The elements with nothing among them, so often that so many of a hundred are missing."""
    if not missing:
        return elements
    often = elements * max(1, 100 // missing // len(elements))
    return often + [b""] * max(1, round(len(often) * missing / (100 - missing)))


def _pooled(elements: list[bytes], chance: Callable[[], float]) -> Write:
    size = len(elements)
    if size == 1:
        return lambda _: elements[0]
    return lambda _: elements[int(chance() * size)]


def _one_of(writes: list[Write], chance: Callable[[], float]) -> Write:
    size = len(writes)
    return lambda number: writes[int(chance() * size)](number)


def _sub(head: bytes, members: Write) -> Write:
    def write(number: int) -> bytes:
        body = members(number)
        return head + _INT.pack(len(body) + 5) + body + b"\0"

    return write


def _alike(element: Callable[[int, int], bytes], first: int, length: int) -> list[bytes]:
    """Elements, without those that lack something that they need."""
    made: list[bytes] = []
    for number in range(first, first + length):
        one = element(number, len(made))
        if one:
            made.append(one)
    return made


def _different(element: Callable[[int, int], bytes], first: int, length: int) -> list[bytes]:
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


def _text(text: str) -> bytes:
    encoded = text.encode()
    return _INT.pack(len(encoded) + 1) + encoded + b"\0"


def sampled(node: Node, many: int) -> Iterator[Any]:
    """Some of the values that a node makes by itself."""
    plan = CollectionPlan("", ObjectOf((Member("value", node),)))
    writing = Writing(plan, 1, {})
    for number in range(many):
        made = writing.document(number)
        if made is not None:
            yield decoded(made).get("value")
