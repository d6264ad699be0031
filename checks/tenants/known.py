"""The tenants that documents name, of whom reads are asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from checks.document_targets import DocumentSession
from checks.tenants.collections import TenantCollections
from checks.tenants.returned import token

#: A tenant: the value of each column that names it, as it is stored.
TenantValues: TypeAlias = Mapping[str, Any]

#: How many tenants a read is run for.
_MANY = 20


class KnownTenants:
    """The tenants of a database; each collection is looked at once for the same columns."""

    def __init__(self, tenants: TenantCollections, session: DocumentSession) -> None:
        self._tenants = tenants
        self._session = session
        self._in = cache(self._named_in)

    def of(self, columns: Sequence[str], first: Sequence[str]) -> Sequence[TenantValues]:
        """Twenty tenants at most, those of the ``first`` collections; where these have fewer than two, of any.

        Raises StatementFailed.
        """
        found: dict[tuple[str, ...], TenantValues] = {}
        others = [one.name for one in self._tenants.all if one.readable and one.name not in first]
        for number, name in enumerate([*first, *others]):
            if number >= len(first) and len(found) > 1:
                break
            for tenant in self._in(name, tuple(columns)):
                found.setdefault(tuple(map(token, tenant.values())), tenant)
        return list(found.values())[:_MANY]

    def _named_in(self, name: str, columns: tuple[str, ...]) -> Sequence[TenantValues]:
        """Those that a collection's documents name in full, the ones with the most documents first."""
        wall = self._tenants.wall(name)
        if not set(columns) <= wall.keys():
            return ()
        found = self._session.aggregate(name, list(_grouped([wall[column] for column in columns])))
        return [dict(zip(columns, (one["_id"][f"t{n}"] for n in range(len(columns))), strict=True)) for one in found]


def _grouped(fields: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    values = {f"t{number}": f"${field}" for number, field in enumerate(fields)}
    yield {"$project": {"_id": 0, **values}}
    for name in values:
        yield {"$unwind": f"${name}"}
    yield {"$match": {name: {"$ne": None} for name in values}}
    yield {"$group": {"_id": {name: f"${name}" for name in values}, "documents": {"$sum": 1}}}
    yield {"$sort": {"documents": -1, "_id": 1}}
    yield {"$limit": _MANY}
