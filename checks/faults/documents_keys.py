"""Faults of keys between documents: values of another type, keys that are had twice, indexes gone or made for nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checks.declared.documents import FieldPath, key_label
from checks.documents.redundant_index import stands_in
from checks.documents.unindexed_reference import serves
from checks.faults import sql
from checks.faults.interface import Fault, Scene, Way
from checks.schema.collections import CollectionIndex
from checks.schema.indexes import options


def other_type(scene: Scene) -> Iterator[Fault]:
    """A document refers by a value of a type that no parent has."""
    for reference in dict.fromkeys(scene.expect.documents.references):
        document: dict[str, Any] = {}
        for path in reference.children:
            _put(document, path)
        command = {"insert": reference.child.collection, "documents": [document], "bypassDocumentValidation": True}
        yield Fault("other-type", "reference-type-mismatch", reference.label, ((command,),))


def _put(document: dict[str, Any], path: FieldPath) -> None:
    """Put an object where a field is; names in arrays are taken as they are, for the server reads them alike."""
    *before, last = [step.name for step in path.steps]
    for name in before:
        document = document.setdefault(name, {})
    document[last] = {sql.PLANTED: 1}


def second_document(scene: Scene) -> Iterator[Fault]:
    """A document that is referred to, or that a declared index lets be there once, is there twice with the same key."""
    declared = [one for one in scene.expect.documents.indexes if one.index.unique and one.index.partial_filter is None]
    keys = {one.label: (one.collection, one.index.fields) for one in declared}
    for paths in dict.fromkeys(one.parents for one in scene.expect.documents.references):
        keys.setdefault(key_label(paths), (paths[0].collection, tuple(path.dotted for path in paths)))
    for label, (name, fields) in keys.items():
        collection = scene.collections.collection.get(name)
        if collection is None or any(field.partition(".")[0] == "_id" for field in fields):
            continue
        dropped: Way = tuple({"dropIndexes": name, "index": one.name} for one in collection.indexes if one.unique)
        there = {field: {"$ne": None} for field in fields}
        copied = [{"$match": there}, {"$limit": 1}, {"$unset": "_id"}, {"$merge": {"into": name}}]
        command = {"aggregate": name, "pipeline": copied, "cursor": {}, "bypassDocumentValidation": True}
        way = ({"count": name, "query": there}, *dropped, command)  # without a document to copy there is nothing to plant
        yield Fault("second-document", "duplicate-keys", label, (way,))


def unserved_reference(scene: Scene) -> Iterator[Fault]:
    """The indexes that serve a side of a reference are dropped."""
    references = scene.expect.documents.references
    for paths in dict.fromkeys(key for one in references for key in (one.children, one.parents)):
        collection = scene.collections.collection.get(paths[0].collection)
        fields = [path.dotted for path in paths]
        serving = [one.name for one in collection.indexes if serves(one, fields, collection)] if collection else []
        if serving and fields != ["_id"] and "_id_" not in serving:
            dropped: Way = tuple({"dropIndexes": paths[0].collection, "index": name} for name in serving)
            yield Fault("dropped-index", "unindexed-reference", key_label(paths), (dropped,))


def needless_index(scene: Scene) -> Iterator[Fault]:
    """A longer index is made that an index is the beginning of."""
    for collection in scene.collections.all:
        for index in collection.indexes:
            longer = CollectionIndex(
                sql.PLANTED,
                (*index.keys, (sql.PLANTED, 1)),
                sparse=index.sparse,
                partial_filter=index.partial_filter,
                collation=index.collation,
            )
            if stands_in(longer, index):
                command = {"createIndexes": collection.name, "indexes": [_told(longer)]}
                yield Fault("needless-index", "redundant-index", f"{collection.name}.{index.name}", ((command,),))


def _told(index: CollectionIndex) -> Mapping[str, Any]:
    """An index in the words of ``createIndexes``."""
    return {"key": dict(index.keys), **options(index)}
