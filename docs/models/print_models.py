"""Prints what an application's Pydantic, Beanie or ODMantic models say of its collections, for `models` in dbproof.toml.

Copy it into the repository and name the modules that hold the models of Beanie or ODMantic, or single Pydantic models with their
collections:

    models = "python scripts/print_models.py shop.models"
    models = "python scripts/print_models.py companies=shop.models:Company subscriptions=shop.models:Subscription"
"""

import decimal
import importlib
import inspect
import json
import os
import sys
import typing


def main(arguments):
    found = {}
    for argument in arguments:
        collection, _, named = argument.rpartition("=")
        module, _, name = named.partition(":")
        models = [getattr(importlib.import_module(module), name)] if name else documents(importlib.import_module(module))
        for model in models:
            found[collection or name_of(model)] = told(model)
    json.dump(found, sys.stdout)


def documents(module):
    """The documents of Beanie and the models of ODMantic that a module defines."""
    classes = [one for one in vars(module).values() if inspect.isclass(one) and one.__module__ == module.__name__]
    return [
        one for one in classes if hasattr(one, "__collection__") or any(base.__name__ == "Document" for base in one.__mro__[1:])
    ]


def name_of(model):
    return getattr(model, "__collection__", None) or getattr(settings(model), "name", None) or model.__name__


def settings(model):
    return getattr(model, "Settings", None)


def told(model):
    """A model's schema, its indexes, its references to other documents, and where it stands."""
    return {
        "schema": schema(model),
        "indexes": dict(map(index, indexes(model))),
        "references": list(references(model)),
        "place": f"{os.path.relpath(inspect.getsourcefile(model))}:{inspect.getsourcelines(model)[1]}",
    }


def schema(model):
    """The JSON Schema. ODMantic prints its own names, whole documents and texts; it stores key names, ids and decimals."""
    found = model.model_json_schema()
    stored = {name: field.key_name for name, field in getattr(model, "__odm_fields__", {}).items()}
    for name, key in stored.items():
        said, kind = found["properties"].pop(name), model.model_fields[name].annotation
        if name in odmantic_references(model):
            said = {"bsonType": "objectId"}
        elif decimal.Decimal in (kind, *typing.get_args(kind)):
            said = {"bsonType": ["decimal", "null"] if type(None) in typing.get_args(kind) else "decimal"}
        found["properties"][key] = said
    return {**found, "required": [stored.get(name, name) for name in found.get("required", [])]}


def odmantic_references(model):
    fields = getattr(model, "__odm_fields__", {})
    return {name: field for name, field in fields.items() if type(field).__name__ == "ODMReference"}


def indexes(model):
    """What the model declares, as pymongo has it: ODMantic's own list, or Beanie's `Indexed` fields and `Settings.indexes`."""
    from pymongo import IndexModel

    for one in model.__indexes__() if hasattr(model, "__indexes__") else ():
        yield (one if isinstance(one, IndexModel) else one.get_pymongo_index()).document
    for name, field in model.model_fields.items():
        for kind, options in (one._indexed for one in field.metadata if hasattr(one, "_indexed")):
            yield IndexModel([(field.alias or name, kind)], **options).document
    for one in getattr(settings(model), "indexes", ()):
        yield (one if isinstance(one, IndexModel) else IndexModel(one)).document


def index(document):
    """An index in the words of dbproof's settings."""
    keys = [name if kind == 1 else f"-{name}" if kind == -1 else f"{name} {kind}" for name, kind in document["key"].items()]
    said = {"keys": keys}
    for word in ("unique", "sparse", "hidden"):
        if document.get(word):
            said[word] = True
    if "partialFilterExpression" in document:
        said["partial"] = document["partialFilterExpression"]
    if "expireAfterSeconds" in document:
        said["expire_after"] = f"{document['expireAfterSeconds']}s"
    if "collation" in document:
        said["collation"] = dict(document["collation"])
    return document["name"], said


def references(model):
    """Beanie stores a `Link` as a DBRef, ODMantic a `Reference` as the other document's id."""
    for field in odmantic_references(model).values():
        yield f"{field.key_name} -> {name_of(field.model)}._id"
    for name, field in model.model_fields.items():
        for path, linked in links(field.annotation, field.alias or name):
            yield f"{path}.$id -> {name_of(linked)}._id"


def links(kind, path):
    if getattr(typing.get_origin(kind), "__name__", "") == "Link":
        yield path, typing.get_args(kind)[0]
    else:
        each = "[]" if typing.get_origin(kind) is list else ""
        for part in typing.get_args(kind):
            yield from links(part, path + each)


main(sys.argv[1:])
