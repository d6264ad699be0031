"""Runs the ``up`` and ``down`` of a folder's Python files on our MongoDB, in the project's Python, and tells what happens.

Verbs: ``current`` connects and asks for nothing, ``apply`` runs each file in its order, ``rehearse`` takes ``steps``. The request
comes as JSON in ``DBPROOF_REQUEST``: ``verb``, ``url`` and ``database`` (ours), ``folder``, ``files`` with ``path`` and
``revision`` each.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import time
from typing import Any, Dict, Tuple

from . import guard
from .place import MIGRATION, Place
from .serving import behind_all_else, serve
from .steps import NoWayBack, walk
from .telling import tell

#: What every start imports and no project changes.
AHEAD = ("pymongo",)


def main() -> None:
    """Do what the request says."""
    # Helpers lie beside the files.
    serve(_do, lambda request: behind_all_else(request["folder"]), exits=False)


def _do(request: Dict[str, Any], inside: guard.Inside) -> None:
    import pymongo

    client: Any = pymongo.MongoClient(request["url"])
    try:
        database = client[request["database"]]
        database.command("ping")
        if request["verb"] == "apply":
            inside.commands.know(there(database))
            for file in request["files"]:
                _run(file, "up", request, database, inside)
        elif request["verb"] == "rehearse":
            files = {file["revision"]: file for file in request["files"]}
            walk(request, lambda way, revision: _run(files[revision], way, request, database, inside), inside)
    finally:
        client.close()


def there(database: Any) -> Dict[str, Any]:
    """The collections with the names of their indexes, before the first file."""
    names = database.list_collection_names(filter={"type": "collection"})
    return {name: database[name].index_information() for name in names if not name.startswith("system.")}


def _run(file: Dict[str, str], way: str, request: Dict[str, Any], database: Any, inside: guard.Inside) -> Place:
    """Run ``up`` or ``down`` of a file; gives where that stands. Raises NoWayBack where there is no ``down``."""
    name = inside.places.name(file["path"])
    inside.begun, inside.begun_at = file["revision"], (name, 1)
    tell("began", revision=file["revision"], file=name, line=1)
    start = time.monotonic()
    function, line = _function(_module(file), way)
    inside.begun_at = (name, line)
    if function is None:
        raise NoWayBack(f"it has no `{way}`")
    if inspect.iscoroutinefunction(function):
        _run_async(function, request)
    else:
        function(database)
    tell("ended", revision=file["revision"], seconds=time.monotonic() - start)
    return name, line


def _function(module: Any, way: str) -> Tuple[Any, int]:
    """The function of a file and its first line, that of ``up`` where there is no other."""
    found = getattr(module, way, None) if way != "up" else module.up
    code = getattr(found if found is not None else module.up, "__code__", None)
    return found, getattr(code, "co_firstlineno", 1)


def _module(file: Dict[str, str]) -> Any:
    """The file as a module under a name that no other has: names like ``0001_first`` cannot be imported."""
    name = MIGRATION + "".join(one if one.isalnum() else "_" for one in file["revision"])
    spec = importlib.util.spec_from_file_location(name, file["path"])
    if spec is None or spec.loader is None:
        raise ImportError(file["path"])
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _run_async(function: Any, request: Dict[str, Any]) -> None:
    """``async def up(db)`` and ``down(db)`` get pymongo's asynchronous database, else Motor's."""
    import asyncio

    async def run() -> None:
        client = _asynchronous()(request["url"])
        try:
            await function(client[request["database"]])
        finally:
            closing = client.close()
            if inspect.isawaitable(closing):
                await closing

    asyncio.run(run())


def _asynchronous() -> Any:
    import pymongo

    if hasattr(pymongo, "AsyncMongoClient"):
        return pymongo.AsyncMongoClient
    return importlib.import_module("motor.motor_asyncio").AsyncIOMotorClient
