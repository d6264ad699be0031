"""Prints what an application's Pydantic or Beanie models say of its collections, for `models` in dbproof.toml.

Copy it into the repository and name the modules that hold Beanie documents, or single Pydantic models with their collections:

    models = "python scripts/print_models.py shop.models"
    models = "python scripts/print_models.py companies=shop.models:Company subscriptions=shop.models:Subscription"
"""

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
    """The Beanie documents that a module defines."""
    from beanie import Document

    classes = (one for one in vars(module).values() if inspect.isclass(one) and issubclass(one, Document))
    return [one for one in classes if one is not Document and one.__module__ == module.__name__]


def name_of(model):
    return getattr(getattr(model, "Settings", None), "name", None) or model.__name__


def told(model):
    """A model's schema, its indexes, its references to other documents, and where it stands."""
    return {
        "schema": model.model_json_schema(),
        "indexes": dict(map(index, indexes(model))),
        "references": list(references(model)),
        "place": f"{os.path.relpath(inspect.getsourcefile(model))}:{inspect.getsourcelines(model)[1]}",
    }


def indexes(model):
    """What a Beanie document declares: `Indexed` fields, then `Settings.indexes`, each as pymongo has it."""
    from pymongo import IndexModel

    for name, field in model.model_fields.items():
        for kind, options in (one._indexed for one in field.metadata if hasattr(one, "_indexed")):
            yield IndexModel([(field.alias or name, kind)], **options).document
    for one in getattr(getattr(model, "Settings", None), "indexes", ()):
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
    """Beanie stores a `Link` as a DBRef."""
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
