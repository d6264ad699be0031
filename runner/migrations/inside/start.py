"""Starts a module of this package in the project's Python: ``python start.py alembic_child``.

``python start.py ahead 3 alembic_child`` imports what the module names as ``AHEAD`` and starts it at each request that comes
through the socket 3, in a process of its own.
"""

import importlib
import importlib.util
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def load(name: str) -> object:
    """A module of this package, under a name that no project has.

    The project's work tree gets no bytecode. Ours is kept beside our own files where those may be written to, as installing us
    does: to compile them takes longer than all else that they do.
    """
    told, sys.dont_write_bytecode = sys.dont_write_bytecode, False
    try:
        return _loaded(name)
    finally:
        sys.dont_write_bytecode = told


def _loaded(name: str) -> object:
    if "dbproof_inside" not in sys.modules:
        init = os.path.join(HERE, "__init__.py")
        spec = importlib.util.spec_from_file_location("dbproof_inside", init, submodule_search_locations=[HERE])
        if spec is None or spec.loader is None:
            raise ImportError(init)
        package = importlib.util.module_from_spec(spec)
        sys.modules["dbproof_inside"] = package
        spec.loader.exec_module(package)
    return importlib.import_module(f"dbproof_inside.{name}")


if __name__ == "__main__":
    # The folder of a script stands first: what lies in this one is not the project's.
    if sys.path and os.path.realpath(sys.path[0]) == os.path.realpath(HERE):
        del sys.path[0]
    name = sys.argv.pop(1)
    if name == "ahead":
        number, name = int(sys.argv.pop(1)), sys.argv.pop(1)
        load("ahead").stand_by(number, load(name).AHEAD)  # type: ignore[attr-defined]
    load(name).main()  # type: ignore[attr-defined]
