"""Documents as bytes: a plan is made into functions once, and these give one document after the other.

Values of a pool are encoded once, with the names of their fields; a document is these bytes put together. Each field has chance
of its own, seeded with a text, so the same seed gives the same documents on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from struct import Struct
from typing import Any

from checks.rows.document_sets.chance import seeded
from checks.rows.document_sets.keys import in_digits, object_id, salt_of, value_of
from checks.rows.document_sets.parts import Key, Keys, Part, decoded, part_of
from checks.rows.document_sets.pieces import (
    INT,
    SKEW,
    Write,
    alike,
    by_arrays,
    different,
    elements,
    freely,
    is_free,
    kept,
    one_of,
    pooled,
    sub,
    text_of,
    thinned,
)
from checks.rows.document_sets.plan import (
    ArrayOf,
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

#: Of so many documents one has a number or date at an end, or a value that is to come for certain.
ENDS, TURNS = 8, 5
#: Keeps a share of a range within it, however it is rounded.
_BELOW = 1 - 1e-12

_LONG, _DOUBLE = Struct("<q"), Struct("<d")
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
        self._draws = {arrays: [self._draw(one) for one in some] for arrays, some in by_arrays(plan.draws).items()}
        self._root = self._members(plan.root)

    def document(self, number: int) -> bytes | None:
        """The document with a number, from 0 on; ``None`` where it lacks something that it needs."""
        self._lacking[0] = False
        for draw in self._draws.get((), ()):
            if not draw(number):
                return None
        body = self._root(number)
        return None if self._lacking[0] else INT.pack(len(body) + 5) + body + b"\0"

    def _chance(self) -> Callable[[], float]:
        self._chances += 1
        return seeded(f"{self._salt}/{self._chances}").random

    def _members(self, node: Node) -> Write:
        """The fields of a document, or of one of several."""
        if isinstance(node, OneOf):
            made = {id(one): self._members(one) for one in node.nodes}
            return one_of([made[id(one)] for one in node.nodes], self._chance())
        writes = [self._member(one) for one in node.members] if isinstance(node, ObjectOf) else []
        return lambda number: b"".join([write(number) for write in writes])

    def _member(self, member: Member) -> Write:
        missing = 0 if self._plan.mild else member.missing
        if isinstance(member.node, Pooled):
            return self._pooled(member.node, member.name.encode() + b"\0", missing)
        write = self._field(member.node, member.name)
        if not member.missing:
            return write
        chance, share = self._chance(), missing / 100
        if isinstance(member.node, ObjectOf | ArrayOf) and not is_free(member.node):
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
        if isinstance(node, ObjectOf | ArrayOf) and is_free(node):
            return kept(self._made(node, name), self._chance())
        return self._made(node, name)

    def _made(self, node: Node, name: str) -> Write:
        label = name.encode() + b"\0"
        match node:
            case Pooled():
                return self._pooled(node, label)
            case Spread():
                return self._spread(node, label)
            case Numbered():
                return self._numbered(node, label)
            case Taken():
                return self._taken(node, label)
            case ObjectOf():
                return sub(b"\x03" + label, self._members(node))
            case ArrayOf():
                return self._array(node, b"\x04" + label)
            case OneOf():
                made = {id(one): self._field(one, name) for one in node.nodes}
                return one_of([made[id(one)] for one in node.nodes], self._chance())

    def _pooled(self, node: Pooled, label: bytes, missing: int = 0) -> Write:
        """One of the values; in one of so many documents one of those that are to come for certain."""
        listed, certain = elements(node.values, label), node.certain
        any_of, turn = pooled(thinned(listed, missing), self._chance()), self._chances % TURNS
        if not certain or len(listed) == 1:
            return any_of
        return lambda number: listed[number // TURNS % certain] if number % TURNS == turn else any_of(number)

    def _spread(self, node: Spread, label: bytes) -> Write:
        """Every so many documents one of the ends, so that each of them comes; any number of the range in between."""
        chance, ends, low, size = self._chance(), elements(node.ends, label), node.low, node.high - node.low + 1
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
        kinds = {"int": (b"\x10", INT.pack), "long": (b"\x12", _LONG.pack), "date": (b"\x09", _LONG.pack)}
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
                return lambda number: (
                    b"\x02",
                    text_of(f"{form.before}{in_digits(number, form.alphabet, form.width)}{form.after}"),
                )
            case "objectId":
                salt = salt_of(f"{self._salt}/{form.start}")
                return lambda number: (b"\x07", object_id(salt, number))
            case "listed":
                parts = [part_of(value) for value in form.listed]
                return lambda number: parts[number]
            case "int":
                return lambda number: (b"\x10", INT.pack(form.start + form.step * number))
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
        if not is_free(node.item):
            items = list(map(self._dropped, items))
        draws, chance = self._draws.get(node.arrays, ()), self._chance()
        least, span, most = node.least, node.most - node.least + 1, max(node.most, 1)
        chosen, lacking = (different if node.unique else alike), self._lacking

        def element(number: int, place: int) -> bytes:
            for draw in draws:
                draw(number)
            return items[place](number)

        def write(number: int) -> bytes:
            made = chosen(element, number * most, least + int(chance() * span))
            lacking[0] = lacking[0] or len(made) < least
            body = b"".join(made)
            return head + INT.pack(len(body) + 5) + body + b"\0"

        return write

    def _draw(self, draw: Draw) -> Callable[[int], bool]:
        """Draws a key into the slots; whether there was one, or none is needed."""
        slots, keys, chance = self._slots, self._keys[draw.name], self._chance()
        taken, shared, own = tuple(draw.taken), tuple(draw.shared), tuple(draw.own)
        each, missing = draw.each, draw.missing / 100
        itself = {path: self.part(form) for path, form in draw.itself.items()}

        if not (shared or each or missing or itself or draw.collection == self._plan.collection):
            return freely(keys.rows, taken, slots, chance)

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


def sampled(node: Node, many: int) -> Iterator[Any]:
    """Some of the values that a node makes by itself."""
    plan = CollectionPlan("", ObjectOf((Member("value", node),)))
    writing = Writing(plan, 1, {})
    for number in range(many):
        made = writing.document(number)
        if made is not None:
            yield decoded(made).get("value")
