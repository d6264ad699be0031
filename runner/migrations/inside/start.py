"""Starts a module of this package in the project's Python: ``python start.py alembic_child``.

``python start.py ahead 3 alembic_child`` imports what the module names as ``AHEAD`` and starts it at each request that comes
through the socket 3, in a process of its own.
"""

import importlib
import importlib.machinery
import importlib.util
import os
import sys
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))

_LIBRARIES = tuple(os.sep + name + os.sep for name in ("site-packages", "dist-packages"))


def load(name: str) -> object:
    """A module of this package, under a name that no project has."""
    if "dbproof_inside" not in sys.modules:
        init = os.path.join(HERE, "__init__.py")
        spec = importlib.util.spec_from_file_location("dbproof_inside", init, submodule_search_locations=[HERE])
        if spec is None or spec.loader is None:
            raise ImportError(init)
        package = importlib.util.module_from_spec(spec)
        sys.modules["dbproof_inside"] = package
        spec.loader.exec_module(package)
    return importlib.import_module(f"dbproof_inside.{name}")


def keep_bytecode_of_libraries() -> None:
    """Let Python keep what it compiles of libraries, whose files are ours to change, and nothing of the project's work tree.

    Installers like uv compile nothing, and to compile the libraries at every start takes longer than all that follows.
    """
    loader: Any = importlib.machinery.SourceFileLoader
    write = loader.set_data

    def set_data(one: Any, path: str, data: Any, **named: Any) -> None:
        if _is_library(path):
            write(one, path, data, **named)

    loader.set_data = set_data
    sys.dont_write_bytecode = False


def _is_library(path: str) -> bool:
    """Whether a compiled file belongs to a library, or to this package, in a folder of the user's who runs this."""
    folder = os.path.dirname(os.path.dirname(path))
    try:
        return (folder == HERE or any(name in path for name in _LIBRARIES)) and os.stat(folder).st_uid == os.geteuid()
    except OSError:
        return False


if __name__ == "__main__":
    # The folder of a script stands first: what lies in this one is not the project's.
    if sys.path and os.path.realpath(sys.path[0]) == os.path.realpath(HERE):
        del sys.path[0]
    keep_bytecode_of_libraries()
    name = sys.argv.pop(1)
    if name == "ahead":
        number, name = int(sys.argv.pop(1)), sys.argv.pop(1)
        load("ahead").stand_by(number, load(name).AHEAD)  # type: ignore[attr-defined]
    load(name).main()  # type: ignore[attr-defined]
