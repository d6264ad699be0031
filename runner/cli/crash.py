"""A failure of ours, in one line, with the trace in a file for whoever mends it."""

from __future__ import annotations

import os
import tempfile
import traceback
from contextlib import suppress
from pathlib import Path

from runner.errors import DbproofError
from runner.redaction import Redactor
from runner.reports.ownership import hand_over, make_directory

TRACE_FILE = "trace.txt"


def crash(broke: Exception, report_dir: str, redactor: Redactor) -> DbproofError:
    """The error to show. The trace goes to the report directory, else to a temporary file; secrets are taken out of it."""
    text = redactor.redact("".join(traceback.format_exception(broke)))
    target = _written(text, Path(report_dir)) or _written_elsewhere(text)
    where = f"; the trace is in {target}" if target else ""
    said = " ".join(str(broke).split())
    return DbproofError(
        f"dbproof itself failed: {type(broke).__name__}{f': {said}' if said else ''}{where}",
        "This is a fault of dbproof: please report it, with the trace where there is one.",
    )


def _written(text: str, directory: Path) -> Path | None:
    """Never through a link: a repository could lead us anywhere with one."""
    target = directory / TRACE_FILE
    with suppress(OSError, ValueError):
        if directory.is_symlink():
            return None
        make_directory(directory)
        target.unlink(missing_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            hand_over(descriptor, target)
            file.write(text)
        return target
    return None


def _written_elsewhere(text: str) -> Path | None:
    with suppress(OSError):
        descriptor, name = tempfile.mkstemp(prefix="dbproof-trace-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        return Path(name)
    return None
