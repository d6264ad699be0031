"""The application's own reads for a tenant return no other tenant's documents.

Proves, for each of the declared reads (`reads` under `[databases.NAME.tenancy]`), that it keeps to the tenant that it is asked
for: it is run for each of twenty tenants that have documents, and whatever comes back must be that tenant's. MongoDB has no row
security, so a condition that is forgotten in one branch of an `$or`, in a `$lookup` or in a `$unionWith`, is all it takes.

A find is looked at by its whole documents, whatever of them the application asks for. Of a pipeline every place is looked at
where documents come into it: those of the collection, as long as its stages leave them whole (before a `$project`, a `$group`),
those that `$lookup` and `$graphLookup` bring in, each half of a `$unionWith`, each branch of a `$facet`; a view is looked
through. Another tenant's document that comes in is a finding, unless a later stage may keep it back: then what comes out must
say whose it is, and is *not proven* where it does not. A document that names no tenant is nobody's
(tenant-column-nullable counts them), one whose field is a list belongs to each that it names, and what a document embeds as it
is stored is taken as its own.

**Anti-pattern**

```python
# The address that a client sent is looked up whosever it is.
address = {"from": "addresses", "localField": "address_id", "foreignField": "_id", "as": "address"}
db.orders.aggregate([{"$match": {"tenant_id": tenant_id}}, {"$lookup": address}])
```

**Best practice**

```python
address = {"from": "addresses", "localField": "address_id", "foreignField": "_id", "as": "address"}
own = {**address, "pipeline": [{"$match": {"tenant_id": tenant_id}}]}
db.orders.aggregate([{"$match": {"tenant_id": tenant_id}}, {"$lookup": own}])
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checks.document_targets import DocumentSession, DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.pipelines.keys import shown
from checks.pipelines.paths import plain
from checks.schema.collections import collection_reference
from checks.targets import StatementFailed
from checks.tenants.collections import TenantCollections
from checks.tenants.known import KnownTenants, TenantValues
from checks.tenants.parts import Entry, behind, deeper, each_brought_in, entries, sources, unfolded
from checks.tenants.reads import DocumentRead, filled, speaks_of_a_tenant
from checks.tenants.returned import Tally, tallied

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.ANY_ROWS})
SUBJECTS = "declared reads of tenants"
PROVES = "return no other tenant's documents"


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Run each declared read for several tenants."""
    tenancy = target.expect.tenancy
    if tenancy is None or not tenancy.document_reads:
        return
    with target.documents() as session:
        tenants = TenantCollections(target, tenancy, session)
        known = KnownTenants(tenants, session)
        for name, read in tenancy.document_reads.items():
            try:
                yield _Reading(name, read, target, session, tenants).judged(known)
            except StatementFailed as failure:
                yield NotProven(name, failure.gap or f"it could not be read: {failure}")


@dataclass(frozen=True)
class _Leak:
    """Documents of others that one entry let in."""

    entry: Entry
    tally: Tally


class _Reading:
    """One read, run for one tenant after the other."""

    def __init__(
        self, name: str, read: DocumentRead, target: DocumentTarget, session: DocumentSession, tenants: TenantCollections
    ) -> None:
        self._name = name
        self._read = read
        self._session = session
        self._tenants = tenants
        self._collections = target.collections.collection
        self._view = self._collections[read.collection].options if read.collection in self._collections else {}
        self._entries = [one for one in entries(read.collection, read.stages, self._collections) if self._is_walled(one.of)]
        self._gaps: dict[str, None] = {}

    def judged(self, known: KnownTenants) -> Judgement:
        """What came of all tenants. Raises StatementFailed."""
        source, stages = unfolded(self._read.collection, self._read.stages, self._collections)
        brought = list(dict.fromkeys([source, *each_brought_in(stages)]))
        some = known.of(self._read.columns, brought)
        if len(some) < 2:
            return NotProven(self._name, "fewer than two tenants have documents")
        if not self._entries:
            return NotProven(self._name, f"the documents of {' and '.join(brought)} do not say whose they are")
        for hidden in filter(self._is_walled, deeper(stages, self._collections)):
            self._gaps[f"whose documents of {hidden} come into what is looked up, is not followed"] = None
        returned, ours = False, 0
        for tenant in some:
            returned = returned or any(True for _ in self._results(self._read.collection, self._read.stages, tenant))
            for entry in self._entries:
                tally = self._tally(entry, tenant)
                if tally.others and (leak := self._leak(entry, tally, tenant)):
                    return self._finding(leak, brought)
                ours += tally.ours
        return self._held(returned, ours)

    def _held(self, returned: bool, ours: int) -> Judgement:
        if not returned:
            return NotProven(self._name, "it returns no document for any tenant")
        if self._gaps or not ours:
            return NotProven(self._name, "; ".join(self._gaps) or "no document that it returns says whose it is")
        return Proven(self._name)

    def _is_walled(self, name: str) -> bool:
        """Whether tenants' documents come by a name: a collection's own, or those that a view is made of."""
        return any(self._wall(one) for one in sources(name, self._collections) if one in self._collections)

    def _wall(self, name: str) -> Mapping[str, str]:
        return {column: field for column, field in self._tenants.wall(name).items() if column in self._read.columns}

    def _tally(self, entry: Entry, tenant: TenantValues) -> Tally:
        wall = self._wall(entry.of)
        names = [".".join((*entry.within, field)) for field in wall.values()]
        tally = tallied(self._results(entry.source, entry.stages, tenant, names), entry.within, wall, tenant)
        if entry.within and tally.silent and not tally.ours and not tally.others:
            self._gaps[f"what is looked up in {entry.of} does not say whose it is"] = None
        return tally

    def _leak(self, entry: Entry, tally: Tally, tenant: TenantValues) -> _Leak | None:
        """What others have in the result, where it is certain; a gap where it is not."""
        if self._is_certain(entry):
            return _Leak(entry, tally)
        left = behind(entry)
        wall = self._wall(entry.of) if entry.within else {name: name for name in self._wall(entry.of)}
        out = tallied(self._results(left.source, left.stages, tenant), left.within, wall, tenant)
        if out.others and self._is_certain(left):
            return _Leak(left, out)
        if out.others or out.silent or not out.ours:
            self._gaps[
                f"other tenants' documents of {entry.of} come into it, and what comes out does not say whether they are kept back"
            ] = None
        return None

    def _is_certain(self, entry: Entry) -> bool:
        """Whether nothing that comes later keeps some of the documents back."""
        return not entry.filtered and not speaks_of_a_tenant(list(entry.later), self._read.columns)

    def _results(
        self, source: str, stages: Sequence[Mapping[str, Any]], tenant: TenantValues, names: Sequence[str] = ()
    ) -> Iterator[Mapping[str, Any]]:
        """What stages give for a tenant: of each document what is called by ``names`` and its ``_id``; without any, all."""
        asked = filled(list(stages), tenant, self._tenants.columns[0])
        only = {name: 1 for name in names if not any(name.startswith(f"{other}.") for other in names)}
        only = only if all(plain(part) for name in only for part in name.split(".")) else {}
        if self._read.find is not None and source == self._read.collection and len(asked) == 1:
            return self._session.find(source, asked[0]["$match"], only or None)
        asked += [{"$project": only}] if only else []
        return self._session.aggregate(source, asked, collation=self._view.get("collation") if "viewOn" in self._view else None)

    def _finding(self, leak: _Leak, brought: Sequence[str]) -> Finding:
        entry, many = leak.entry, leak.tally.others
        fields = " and ".join(self._wall(entry.of).values() or self._read.columns)
        what = f"{many} document{'' if many == 1 else 's'}"
        if entry.within:
            path = ".".join(entry.within)
            holds = "that holds" if many == 1 else "that hold"
            said = f"{what} {holds}, under {path}, what is another tenant's in {entry.of}, by {fields}"
        else:
            of = "" if entry.of == self._read.collection else f" of {entry.of}"
            said = f"{what}{of} {'that is' if many == 1 else 'that are'} not of the tenant that it is asked for, by {fields}"
        verb = "returns" if entry.returned else "brings together"
        return Finding(
            subject=self._name,
            message=f"“{self._name}” {verb} {said}",
            remedy="Let every branch compare whose a document is: each part of an $or, each $lookup (in its pipeline), each"
            " $unionWith.",
            objects=tuple(collection_reference(one) for one in dict.fromkeys([entry.of, *brought])),
            count=many,
            values=tuple(f"_id={shown(key)}" for key in leak.tally.keys),
            evidence={"columns": [*self._read.columns]},
        )
