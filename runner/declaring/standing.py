"""What stands in a document database, in the server's own words: what is planned from, and what undoing goes back to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from checks.schema.collections import CollectionIndex, CollectionKind, ValidationAction, ValidationLevel
from checks.schema.indexes import read_index

if TYPE_CHECKING:
    from pymongo.database import Database

#: The index that every collection has.
ID_INDEX = "_id_"
#: What an index's definition holds that is no option of it.
_NOT_OPTIONS = frozenset({"ns"})


@dataclass(frozen=True)
class Standing:
    """A collection as the server lists it; ``definitions`` are its indexes by name, `_id_` aside."""

    name: str
    kind: str = CollectionKind.COLLECTION
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    definitions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)

    @property
    def validator(self) -> Mapping[str, Any]:
        """Its validator, empty where it has none."""
        return self.options.get("validator") or {}

    @property
    def rules(self) -> Mapping[str, Any]:
        """Validator, level and action, as ``collMod`` takes them."""
        return {
            "validator": self.validator,
            "validationLevel": str(self.options.get("validationLevel", ValidationLevel.STRICT)),
            "validationAction": str(self.options.get("validationAction", ValidationAction.ERROR)),
        }

    @cached_property
    def indexes(self) -> Mapping[str, CollectionIndex]:
        """Its indexes by name, `_id_` aside."""
        return {name: read_index(told) for name, told in self.definitions.items()}

    def same(self, other: Standing | None) -> bool:
        """Whether nothing has changed, be it only the order of an index's fields."""
        return other is not None and self == other and _orders(self) == _orders(other)

    @property
    def capped(self) -> bool:
        """Whether old documents go when new ones come."""
        return bool(self.options.get("capped"))


def same_definition(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two definitions of an index are the same, its fields in the same order."""
    return one == other and list(one["key"]) == list(other["key"])


def _orders(one: Standing) -> Mapping[str, list[str]]:
    return {name: list(told["key"]) for name, told in one.definitions.items()}


def standing(database: Database[dict[str, Any]], name: str | None = None) -> Mapping[str, Standing]:
    """Every collection and view of a database by name, or the one of that name; raises PyMongoError."""
    only = {} if name is None else {"name": name}
    return {told["name"]: _standing(database, told) for told in database.list_collections(filter=only)}


def _standing(database: Database[dict[str, Any]], told: Mapping[str, Any]) -> Standing:
    from pymongo.errors import OperationFailure

    definitions: dict[str, Mapping[str, Any]] = {}
    try:
        if told["type"] != CollectionKind.VIEW and not told["name"].startswith("system."):
            for one in database[told["name"]].list_indexes():
                definitions[str(one["name"])] = {key: value for key, value in one.items() if key not in _NOT_OPTIONS}
    except OperationFailure as refused:
        if refused.code != NAMESPACE_NOT_FOUND:  # dropped since it was listed
            raise
    definitions.pop(ID_INDEX, None)
    return Standing(told["name"], str(told["type"]), told.get("options", {}), definitions)


#: The server's code for a collection that is not there.
NAMESPACE_NOT_FOUND = 26
