"""Adds to the files that GitHub's runner reads after a step: its outputs and its summary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from runner.reports.writing import ReportNotWritten

#: What the runner takes of a step's summary; beyond it the summary is dropped whole (``CreateStepSummaryCommand``).
MOST_BYTES = 1_048_576


def append(environment: Mapping[str, str], variable: str, render: Callable[[int], str]) -> None:
    """Add a text to the file that a variable names, if it names one. ``render`` is told how many bytes there is room for.

    Steps may call dbproof twice, or write there themselves: what is there stays, and where it left no room nothing is added, as
    too much would lose all of it. Raises ReportNotWritten.
    """
    name = environment.get(variable, "")
    if not name:
        return
    try:
        with Path(name).open("ab+") as file:
            size = file.tell()
            data = _after(name, size) + render(MOST_BYTES - size - 1).encode("utf-8")
            if size + len(data) <= MOST_BYTES:
                file.write(data)
    except (OSError, ValueError) as error:
        words = (error.strerror if isinstance(error, OSError) else None) or "no reason"
        raise ReportNotWritten(
            f"{variable}: the file that GitHub reads could not be written: {words.lower()}",
            "Let the user that dbproof runs as write there: a container action runs as root, unless its image says otherwise.",
        ) from error


def _after(name: str, size: int) -> bytes:
    """The line break that whoever wrote there before left out."""
    if not size:
        return b""
    with Path(name).open("rb") as file:
        file.seek(size - 1)
        return b"" if file.read(1) == b"\n" else b"\n"
