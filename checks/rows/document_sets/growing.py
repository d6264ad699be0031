"""From schemas to the tree of a plan: of each field where its values come from, so that the whole satisfies them.

Fields of an object and elements of an array are chosen apart where nothing but their own schema speaks of them. Where schemas are
put together by ``oneOf`` or ``not``, every way is tried on samples first; what cannot be taken apart comes as whole values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, TypeVar, cast

from checks.jsonschema.bson_types import TYPES, named
from checks.jsonschema.building import Building
from checks.jsonschema.demands import Demand, demands
from checks.jsonschema.matching import Matching, Schema
from checks.rows.document_sets.chance import seeded
from checks.rows.document_sets.heeded import Counted, Drawn, Grown, Heeded, LeftOut
from checks.rows.document_sets.keys import furthest
from checks.rows.document_sets.leaves import leaf
from checks.rows.document_sets.plan import ArrayOf, Arrays, Form, Member, Node, Numbered, ObjectOf, OneOf, Pooled, Spread, Taken
from checks.rows.sets.awkward import FEW

#: In so many of a hundred documents a field that may be missing is, and one that may be null is.
MISSING, NULLS = 8, 8
#: How many ways to choose between alternatives are followed, and how many samples of each are judged.
WAYS, JUDGED = 12, 12
#: How many elements more than it must have an array gets at most, and up to how many are chosen one by one.
MORE, LONGEST = 3, 40
#: How many whole values stand for what cannot be taken apart.
WHOLE = 12

_PLAIN_OBJECT = frozenset({
    "bsonType", "type", "title", "description", "required", "properties", "additionalProperties", "patternProperties",
    "minProperties", "maxProperties", "$absent", "$prefer",
})  # fmt: skip
_PLAIN_ARRAY = frozenset({"bsonType", "type", "title", "description", "items", "minItems", "maxItems", "uniqueItems"})
_CHOICES = ("oneOf", "anyOf", "not", "dependencies", "$stranger", "$named")


#: Gives samples of what a node makes.
Sampled = Callable[[Node, int], Iterator[Any]]


Made = TypeVar("Made", bound="Node | Form | None")


class Growing:
    """Grows the tree of one collection; ``known`` keeps what was found of single fields."""

    def __init__(
        self, matching: Matching, heeded: Heeded, sampled: Sampled, seed: str, known: dict[str, Node | Form | None] | None = None
    ) -> None:
        self._matching = matching
        self._building = Building(matching)
        self._heeded = heeded
        self._sampled = sampled
        self._seed = seed
        self._known = {} if known is None else known
        self.grown = Grown()

    def grow(self, schemas: Sequence[Schema], path: str = "", arrays: Arrays = (), depth: int = 0) -> Node | None:
        """Where values come from that satisfy all schemas; ``None`` where none is found. Raises UnknownPattern."""
        self.grown.fields.add(path)
        special = self._heeded.of(path, arrays) if path else None
        if isinstance(special, Drawn):
            return self._drawn(schemas, path)
        if isinstance(special, LeftOut):
            return Pooled((None,)) if self._suits(schemas, None) else None
        if path and path in self._heeded.pools:
            suited = tuple(value for value in self._heeded.pools[path] if self._suits(schemas, value))
            if suited:
                return Pooled(suited)
        ways = list(islice(demands(schemas, TYPES, self._matching, lambda _: False), WAYS))
        nodes = [(way, node) for way in ways if (node := self._of(way, path, arrays, depth)) is not None]
        if any(_chooses(schema) for schema in schemas):
            nodes = [(way, node) for way, node in nodes if self._holds(schemas, way, path, arrays, depth)]
        if not nodes:
            return self._whole(schemas, path, arrays)
        return nodes[0][1] if len(nodes) == 1 else OneOf(tuple(node for _, node in nodes))

    def _suits(self, schemas: Sequence[Schema], value: Any) -> bool:  # noqa: ANN401 - any value
        return all(self._matching(schema, value) for schema in schemas)

    def _drawn(self, schemas: Sequence[Schema], path: str) -> Node:
        self.grown.schemas.setdefault(path, []).extend(schemas)
        return Taken(path, null=self._suits(schemas, None))

    def _holds(self, schemas: Sequence[Schema], way: Demand, path: str, arrays: Arrays, depth: int) -> bool:
        """Whether samples of a way satisfy what it was chosen for, nothing about it being special."""
        plain = Growing(self._matching, replace(self._heeded, special={}), self._sampled, self._seed, self._known)
        node = plain._of(way, path, arrays, depth)
        return node is not None and all(self._suits(schemas, value) for value in self._sampled(node, JUDGED))

    def _of(self, demand: Demand, path: str, arrays: Arrays, depth: int) -> Node | None:
        if any(True for _ in demand.all("enum")):
            return self._listed(demand, path)
        typed = any("bsonType" in schema or "type" in schema for schema in demand.schemas)
        kinds = demand.types if typed else demand.types[:3]
        first = next((node for kind in kinds if kind != "null" and (node := self._kind(demand, kind, path, arrays, depth))), None)
        if "null" not in kinds or not typed or not self._suits(demand.schemas, None):
            return first
        if first is None:
            return Pooled((None,))
        if isinstance(first, Numbered | Taken) or path in self._heeded.present or self._heeded.mild:
            return first
        return OneOf((*(first for _ in range(100 // NULLS - 1)), Pooled((None,))))

    def _listed(self, demand: Demand, path: str) -> Node | None:
        listed = [value for values in demand.all("enum") for value in values]
        values = tuple(value for value in listed if self._suits(demand.schemas, value))
        if not values:
            return None
        if self._heeded.is_key(path):
            return self._counted(Form("listed", len(values), listed=values), path, ()) or Pooled(values)
        if len(values) == 1 and isinstance(values[0], Mapping):
            return self.template(values[0], path, ())
        return Pooled(values, len(values) if len(values) <= FEW else 0)

    def _kind(self, demand: Demand, kind: str, path: str, arrays: Arrays, depth: int) -> Node | None:
        if kind == "object":
            return self._object(demand, path, arrays, depth)
        if kind == "array":
            return self._array(demand, path, arrays, depth)
        later = path in self._heeded.later
        what = f"{path} {kind} {later} {demand.schemas!r}"
        if self._heeded.is_key(path):
            name = path.rpartition(".")[2]
            form = self._once(f"key {what}", lambda: furthest(demand, kind, name, self._matching, later=later))
            node = self._counted(form, path, arrays)
            if node is not None:
                return node
        ends = not self._heeded.mild and path.split(".")[0] not in self._heeded.coupled
        if (node := self._of_its_own(demand, kind, path, arrays, what)) is not None:
            return node
        chance = seeded(f"{self._seed}/{path}/{kind}")
        return self._once(f"{ends} {what}", lambda: leaf(demand, kind, self._matching, chance, ends=ends, later=later))

    def _of_its_own(self, demand: Demand, kind: str, path: str, arrays: Arrays, what: str) -> Node | None:
        """The field as if it were a key, where documents are to be mild; elements of arrays are many in one document."""
        special = self._heeded.of(path, arrays) is not None or path.split(".")[0] in self._heeded.coupled
        if not self._heeded.mild or arrays or special or self._heeded.is_key(path):
            return None
        name, later = path.rpartition(".")[2], path in self._heeded.later
        form = self._once(f"key {what}", lambda: furthest(demand, kind, name, self._matching, later=later))
        return Numbered(form) if form is not None and form.most >= self._heeded.mild else None

    def _once(self, what: str, found: Callable[[], Made]) -> Made:
        """What was found before of the same, for a tree is grown more than once."""
        if what not in self._known:
            self._known[what] = found()
        return cast("Made", self._known[what])

    def _counted(self, form: Form | None, path: str, arrays: Arrays) -> Node | None:
        """The field as a key, if it is to be one; how far its keys go is learnt."""
        known = self.grown.forms.get(path, form)
        self.grown.forms[path] = form if known is None or form is None or form.most <= known.most else known
        special = self._heeded.of(path, arrays)
        if form is None or not isinstance(special, Counted):
            return None
        shown = form if special.of is None or form.most <= special.of else replace(form, most=special.of)
        return Numbered(shown, special.each)

    def _object(self, demand: Demand, path: str, arrays: Arrays, depth: int) -> Node | None:
        if any(not _PLAIN_OBJECT.issuperset(schema) for schema in demand.schemas):
            return None
        required = dict.fromkeys(name for names in demand.all("required") for name in names)
        absent = {name for names in demand.all("$absent") for name in names}
        known = dict.fromkeys(name for properties in demand.all("properties") for name in properties)
        members: list[Member] = []
        for name in sorted(dict.fromkeys((*known, *required)), key=lambda one: one != "_id" or bool(path)):
            member = None if name in absent else self._member(demand, name, path, arrays, depth, needed=name in required)
            if member is not None:
                members.append(member)
            elif name in required:
                return None
        return self._sized(members, demand, path, arrays, depth)

    def _member(self, demand: Demand, name: str, path: str, arrays: Arrays, depth: int, *, needed: bool) -> Member | None:
        below = f"{path}.{name}" if path else name
        if not name or "." in name or (name.startswith("$") and not needed):
            return None
        asked = [one for schema in demand.schemas for one in self._matching.of_field(schema, name)]
        if None in asked or (not needed and isinstance(self._heeded.of(below, arrays), LeftOut)):
            return None
        node = self.grow([one for one in asked if one is not None], below, arrays, depth + 1)
        if node is None:
            return None
        present = needed or any(one == below or one.startswith(f"{below}.") for one in self._heeded.present)
        if isinstance(node, Taken):
            self.grown.lackable[below] = not needed or node.null
            told = needed or any("null" in named(one.get("bsonType", one.get("type", ()))) for one in asked if one is not None)
            return Member(name, replace(node, null=node.null and told, needed=needed and not node.null))
        if not present:
            self._may_lack(below)
        return Member(name, node, 0 if present else MISSING)

    def _may_lack(self, path: str) -> None:
        """What is drawn below may be without: what holds it is left out then."""
        self.grown.lackable |= {one: True for one in self.grown.lackable if one.startswith(f"{path}.") or one == path}

    def _sized(self, members: list[Member], demand: Demand, path: str, arrays: Arrays, depth: int) -> Node | None:
        """As many fields as there may be and have to be."""
        least, most = demand.least("minProperties"), demand.most("maxProperties")
        spare = [one for one in reversed(members) if one.missing]
        while most is not None and len(members) > most and spare:
            members.remove(spare.pop(0))
        if most is not None and len(members) > most:
            return None
        if sum(not one.missing for one in members) < least:
            members = [replace(one, missing=0) for one in members]
        for number in range(least):
            if len(members) >= least:
                break
            further = self._member(demand, f"field {number + 1}", path, arrays, depth, needed=True)
            if further is None:
                return None
            members.append(further)
        fits = len(members) >= least and (most is None or len(members) <= most)
        return ObjectOf(tuple(members)) if fits else None

    def _array(self, demand: Demand, path: str, arrays: Arrays, depth: int) -> Node | None:
        plain = all(_PLAIN_ARRAY.issuperset(one) and not isinstance(one.get("items"), list) for one in demand.schemas)
        least, most = demand.least("minItems"), demand.most("maxItems")
        if not plain or least > LONGEST:
            return None
        inner = (*arrays, path)
        self.grown.arrays.add(path)
        item = self.grow(list(demand.all("items")), path, inner, depth + 1)
        if item is None or most == 0:
            return None if least else Pooled(([],))
        if isinstance(item, Taken):
            item = replace(item, needed=True)
            self.grown.lackable.setdefault(path, False)
        if not least:
            self._may_lack(path)
        unique = any(demand.all("uniqueItems"))
        far = least + MORE if most is None or (most > least + MORE and most > 2 * MORE) else most
        few = _different(item) if unique else None
        if few is not None and few < least:
            return None
        present = self._heeded.mild or any(one == path or one.startswith(f"{path}.") for one in self._heeded.present)
        floor = max(least, 1) if present else least
        return ArrayOf(item, floor, max(floor, far if few is None else min(far, few)), unique, inner)

    def _whole(self, schemas: Sequence[Schema], path: str, arrays: Arrays) -> Node | None:
        """Whole values for what cannot be taken apart."""
        found: list[Node] = []
        seen: set[str] = set()
        asked = [*schemas, *self._absent(path)]
        for number in range(WHOLE):
            for value in islice(self._building.values(asked, number=number), 1):
                if repr(value) not in seen:
                    seen.add(repr(value))
                    node = self.template(value, path, arrays)
                    found += [node] if node is not None else []
        return None if not found else found[0] if len(found) == 1 else OneOf(tuple(found))

    def _absent(self, path: str) -> Iterator[Schema]:
        """Schemas by which what is to be left out below a path is not there."""
        for (whole, arrays), special in self._heeded.special.items():
            if isinstance(special, LeftOut) and whole.startswith(f"{path}." if path else ""):
                *way, last = whole[len(path) + 1 if path else 0 :].split(".")
                schema: Schema = {"$absent": [last]}
                for end in range(len(way), 0, -1):
                    inner = ".".join([*([path] if path else []), *way[:end]])
                    schema = {"properties": {way[end - 1]: {"items": schema} if inner in (arrays or ()) else schema}}
                yield schema

    def template(self, value: Any, path: str, arrays: Arrays) -> Node | None:  # noqa: ANN401 - any value
        """A value as it is, but for what is special in it; ``None`` where something in it has to be left out."""
        special = self._heeded.of(path, arrays) if path else None
        if isinstance(special, Drawn):
            return Taken(path, needed=True)
        if isinstance(special, LeftOut):
            return None
        if isinstance(special, Counted) and not isinstance(value, Mapping | list):
            return self._counted(self.grown.forms.get(path), path, arrays) or Pooled((value,))
        if isinstance(value, Mapping):
            members = [(name, self.template(inner, f"{path}.{name}" if path else name, arrays)) for name, inner in value.items()]
            return ObjectOf(tuple(Member(name, node) for name, node in members if node is not None))
        if isinstance(value, list) and value and self._speaks_below(path):
            items = [self.template(one, path, (*arrays, path)) for one in value]
            kept = [one for one in items if one is not None]
            return ArrayOf(OneOf(tuple(kept)), len(kept), len(kept), False, (*arrays, path)) if kept else Pooled(([],))
        return Pooled((value,))

    def _speaks_below(self, path: str) -> bool:
        return any(one == path or one.startswith(f"{path}.") for one, _ in self._heeded.special)


def _chooses(schema: Schema) -> bool:
    """Whether a schema is a choice between others, here or in what it is put together of."""
    return any(name in schema for name in _CHOICES) or any(map(_chooses, schema.get("allOf", ())))


def _different(node: Node) -> int | None:
    """How many different values a node makes; ``None`` for more than would be counted."""
    match node:
        case Pooled():
            return len(node.values)
        case Spread() if node.high - node.low < LONGEST:
            return node.high - node.low + 1
        case Numbered():
            return node.form.most
    return None
