"""Which file of the repository is at work: migrations found on the stack, and their lines."""

from __future__ import annotations

import os
import sys
from types import CodeType, FrameType, TracebackType
from typing import Any, Dict, Iterator, Optional, Tuple

_ELSEWHERE = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep, os.sep + ".venv" + os.sep)

_OURS = os.path.dirname(os.path.realpath(__file__)) + os.sep

Place = Tuple[str, int]


class Places:
    """Finds places within one repository. Files are given relative to its root, others by their whole path.

    ``at_work`` is the file of the migration under way, where its tool loads it in a way of its own.
    """

    def __init__(self, root: str) -> None:
        self.root = os.path.realpath(root)
        self._names: Dict[str, str] = {}
        self._own: Dict[str, bool] = {}
        self.at_work: Optional[str] = None

    def name(self, file: str) -> str:
        """A file's name as events and stamps carry it."""
        if file not in self._names:
            whole = os.path.realpath(file)
            inside = whole.startswith(self.root.rstrip(os.sep) + os.sep)
            self._names[file] = os.path.relpath(whole, self.root).replace(os.sep, "/") if inside else whole
        return self._names[file]

    def is_own(self, code: CodeType) -> bool:
        """Whether code is the repository's own."""
        return self.is_own_file(code.co_filename)

    def is_own_file(self, file: str) -> bool:
        """Whether a file of code is the repository's own: under its root, not installed there, and none of ours."""
        if file not in self._own:
            name = self.name(file)
            installed = any(part in os.sep + name for part in _ELSEWHERE)
            ours = os.path.realpath(file).startswith(_OURS)
            self._own[file] = os.path.isfile(file) and not os.path.isabs(name) and not installed and not ours
        return self._own[file]

    def _is_migration(self, frame: FrameType) -> bool:
        """Whether a frame is a migration's: one that we loaded, an Alembic revision, or the file that is ``at_work``."""
        return is_revision(frame.f_globals) or self.name(frame.f_code.co_filename) == self.at_work

    def now(self, depth: int = 1) -> Optional[Place]:
        """Where the statement that is being sent comes from.

        The innermost revision file; without Alembic on the stack, the innermost file of the repository.
        """
        own, alembic = None, False
        for frame in outwards(sys._getframe(depth)):
            if self._is_migration(frame):
                return self.name(frame.f_code.co_filename), frame.f_lineno
            alembic = alembic or str(frame.f_globals.get("__name__")).startswith("alembic.")
            own = own or (frame if self.is_own(frame.f_code) else None)
        return None if alembic or own is None else (self.name(own.f_code.co_filename), own.f_lineno)

    def of_error(self, error: BaseException, otherwise: Optional[Place] = None) -> Optional[Place]:
        """The innermost line of a revision file that an exception came through, else ``otherwise``, else of own code."""
        revision = own = None
        for trace in _inwards(error.__traceback__):
            place = (self.name(trace.tb_frame.f_code.co_filename), trace.tb_lineno)
            revision = place if self._is_migration(trace.tb_frame) else revision
            own = place if self.is_own(trace.tb_frame.f_code) else own
        return revision or otherwise or own

    def of_source(self, error: BaseException) -> Optional[Place]:
        """The file that Python could not take as source code; of NUL bytes it tells no name, so the loader's is taken."""
        if isinstance(error, SyntaxError) and error.filename:
            return self.name(error.filename), error.lineno or 1
        if isinstance(error, (SyntaxError, ValueError)):
            for trace in _inwards(error.__traceback__):
                path = trace.tb_frame.f_locals.get("path") if trace.tb_frame.f_code.co_name == "source_to_code" else None
                if isinstance(path, str):
                    return self.name(path), 1
        return None


#: How the modules are called that a folder's Python files are loaded as.
MIGRATION = "dbproof_migration_"


def is_revision(names: Dict[str, Any]) -> bool:
    """Whether these are the globals of a migration, wherever it lies: an Alembic revision, or a file that we loaded."""
    return ("down_revision" in names and "revision" in names) or str(names.get("__name__")).startswith(MIGRATION)


def outwards(frame: Optional[FrameType]) -> Iterator[FrameType]:
    """A frame and those that called it."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def _inwards(trace: Optional[TracebackType]) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next
