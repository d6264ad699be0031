"""Python runs this at its start because its folder stands on PYTHONPATH: it puts the guard in, then gives way.

Another ``sitecustomize`` further down the path runs as it would have.
"""

import importlib.machinery
import importlib.util
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


def _guard() -> None:
    start = os.path.join(os.path.dirname(_HERE), "start.py")
    spec = importlib.util.spec_from_file_location("dbproof_start", start)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    inside = module.load("guard").install()
    if inside is not None:
        sys.excepthook = inside.uncaught


def _give_way() -> None:
    sys.path[:] = [folder for folder in sys.path if os.path.realpath(folder or ".") != os.path.realpath(_HERE)]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize")
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


if os.environ.get("DBPROOF_GUARD") and os.environ.get("DBPROOF_CHILD"):
    _guard()
_give_way()
