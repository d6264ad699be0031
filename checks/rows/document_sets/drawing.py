"""Which parents' keys a collection's documents draw: for each reference which fields, where, and in what order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from checks.declared.documents import DocumentReference, FieldPath, Step
from checks.rows.document_sets.growing import MISSING
from checks.rows.document_sets.heeded import Drawn, Grown
from checks.rows.document_sets.plan import Arrays, Draw, Form

#: How many tenants there are where nothing refers to them.
TENANTS = 5


class Known(Protocol):
    """What is known of the database while draws are planned."""

    @property
    def tenants(self) -> tuple[str, ...]:
        """The fields that say whose a document is."""
        ...

    def has(self, name: str, path: str) -> bool:
        """Whether a collection's documents have a field."""
        ...

    def of_child(self, name: str) -> Sequence[DocumentReference]:
        """The references of a collection's documents to others."""
        ...


@dataclass
class _Pair:
    """A reference with the pairs of fields that it compares, the tenant's among them."""

    reference: DocumentReference
    pairs: list[tuple[FieldPath, str]]
    tenant: bool
    carried: frozenset[str] = field(default_factory=frozenset)


class Drawing:
    """The draws of one collection."""

    def __init__(
        self,
        known: Known,
        name: str,
        fields: set[str],
        without: frozenset[DocumentReference],
        tenants: Mapping[str, tuple[Any, ...]],
    ) -> None:
        self._name = name
        self._known = known
        self._tenants = [one for one in known.tenants if one in fields]
        here = [one for one in known.of_child(name) if one not in without and all(path.dotted in fields for path in one.children)]
        self._draws: list[Draw] = []
        self._arrays: dict[str, Arrays] = {}
        compared = sorted(map(self._compared, here), key=lambda one: (one.tenant, -len(one.pairs)))
        for one in compared:
            if one.reference.parent.collection != name:
                self._add(one)
        self._add_tenants(tenants)
        for one in compared:
            if one.reference.parent.collection == name:
                self._add(one)

    @property
    def paths(self) -> frozenset[str]:
        """The fields that get their value by a draw."""
        return frozenset(self._arrays)

    def special(self) -> Mapping[tuple[str, Arrays | None], Drawn]:
        """These fields, with the arrays that they lie in."""
        return {(path, arrays): Drawn() for path, arrays in self._arrays.items()}

    def in_turn(self, paths: frozenset[str], each: int) -> bool:
        """Let the parents that give these fields come one after the other, each for so many documents; whether that can be."""
        for place, draw in enumerate(self._draws):
            if paths & draw.taken.keys() and not draw.arrays and not draw.shared:
                if draw.each == 0 or each < draw.each:
                    self._draws[place] = replace(draw, each=each)
                return True
        return False

    def finished(self, grown: Grown, forms: Mapping[str, Form]) -> tuple[Draw, ...]:
        """The draws, with what was learnt of their fields when the tree was grown."""
        return tuple(self._finished(draw, grown, forms) for draw in self._draws)

    def _finished(self, draw: Draw, grown: Grown, forms: Mapping[str, Form]) -> Draw:
        own = frozenset(path for path in draw.own if grown.lackable.get(path))
        asked = {path: tuple(grown.schemas.get(path, ())) for path in draw.taken}
        itself = {}
        if draw.collection == self._name and not own:
            itself = {path: forms[theirs] for path, theirs in draw.taken.items() if theirs in forms}
        return replace(draw, own=own, missing=0 if draw.each or not own else MISSING, asked=asked, itself=itself)

    def _add_tenants(self, tenants: Mapping[str, tuple[Any, ...]]) -> None:
        """A few tenants, where no parent says which there are."""
        for path, values in tenants.items():
            if path not in self._arrays:
                self._draws.append(Draw(f"tenant {path}", "", {path: path}, values=values))
                self._arrays[path] = ()

    def _compared(self, reference: DocumentReference) -> _Pair:
        pairs = list(zip(reference.children, (path.dotted for path in reference.parents), strict=True))
        own = {path.dotted for path in reference.children}
        of_tenant = own <= set(self._tenants)
        carried = (
            []
            if of_tenant
            else [one for one in self._tenants if one not in own and self._known.has(reference.parent.collection, one)]
        )
        pairs += [(FieldPath(self._name, tuple(map(Step, one.split(".")))), one) for one in carried]
        return _Pair(reference, pairs, of_tenant, frozenset(carried))

    def _add(self, compared: _Pair) -> None:
        """One draw for each array that the fields of a key lie in, the outermost first; what has a value already is shared."""
        reference = compared.reference
        same = {path.dotted: parent for path, parent in compared.pairs}
        for place, draw in enumerate(self._draws):
            if draw.own and set(draw.own) == {path.dotted for path in reference.children}:
                self._draws[place] = replace(draw, also=(*draw.also, reference))
                return
        for arrays in sorted({tuple(path.arrays) for path, _ in compared.pairs}, key=len):
            taken = {path.dotted: parent for path, parent in compared.pairs if tuple(path.arrays) == arrays}
            new = {path: parent for path, parent in taken.items() if path not in self._arrays}
            if not new:
                continue
            shared = {path: same[path] for path in same if path in self._arrays}
            own = frozenset(path for path in new if path not in compared.carried)
            name = f"{reference.label} {len(self._draws)}"
            self._draws.append(Draw(name, reference.parent.collection, new, shared, own, arrays, reference=reference))
            self._arrays |= dict.fromkeys(new, arrays)
