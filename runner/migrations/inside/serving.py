"""What our programs do round a request: they take it, guard the process, and tell what stopped them."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Callable, Dict, Optional

from . import guard, variables
from .telling import tell

Request = Dict[str, Any]


def serve(
    do: Callable[[Request, guard.Inside], None],
    find: Callable[[Request], None],
    exits: bool = True,
    cause: Optional[Callable[[BaseException], BaseException]] = None,
) -> None:
    """Do what the request says; exit 1 where it failed, which has been told by then.

    ``find`` says where the project's modules are. ``exits`` are the tool's own, and mean no failure where they say so; ``cause``
    gives what an exception stands for.
    """
    request = json.loads(os.environ.pop("DBPROOF_REQUEST"))
    inside = guard.install()
    if inside is None:
        raise SystemExit("dbproof: this program is started by dbproof only")
    find(request)
    try:
        do(request, inside)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        if exits and isinstance(error, SystemExit) and error.code in (None, 0):
            return
        failed(cause(error) if cause else error, inside)
        if inside.begun is None:  # what a migration died of has been told with its file and line
            sys.__excepthook__(type(error), error, error.__traceback__)
        raise SystemExit(1) from None


def in_folder_first(_request: Request) -> None:
    """The project's modules stand before all else, as where its tool is started in its folder."""
    sys.path.insert(0, os.getcwd())


def behind_all_else(*folders: str) -> None:
    """The project's modules, and those of these folders, stand behind all else."""
    sys.path[:] = [*(one for one in sys.path if one != os.getcwd()), os.getcwd(), *folders]


def failed(error: BaseException, inside: guard.Inside) -> None:
    """Tell what stopped the files: a missing module, settings that are insisted on, or a failure."""
    lacking = next((one for one in variables.chain(error) if isinstance(one, ModuleNotFoundError)), None)
    if lacking is not None:
        file, line = inside.places.of_error(error) or (None, None)
        tell("lacking", module=lacking.name or str(lacking), file=file, line=line)
    elif (unread := inside.places.of_source(error)) is not None:
        inside.broke(error, unread)
    elif not inside.stopped(error):
        inside.broke(error)
