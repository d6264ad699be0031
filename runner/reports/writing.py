"""Writes the report directory: every format, each atomically, each read again afterwards."""

from __future__ import annotations

import errno
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from xml.etree import ElementTree

from runner.errors import DbproofError
from runner.report import Report
from runner.reports.ownership import hand_over, make_directory
from runner.reports.registry import REPORTERS

_REMEDIES = {
    errno.ENOSPC: "Free some space on that disk, or write elsewhere with --report-dir.",
    errno.EDQUOT: "Free some space within the quota, or write elsewhere with --report-dir.",
    errno.EACCES: "Let this user write there, or write elsewhere with --report-dir.",
    errno.EPERM: "Let this user write there, or write elsewhere with --report-dir.",
    errno.EROFS: "That file system is read-only: write elsewhere with --report-dir.",
    errno.ENOTDIR: "A file stands where a directory has to: remove it, or write elsewhere with --report-dir.",
    errno.EEXIST: "A file stands where a directory has to: remove it, or write elsewhere with --report-dir.",
    errno.EISDIR: "A directory stands where the report has to: remove it, or write elsewhere with --report-dir.",
}
_ELSEWHERE = "Write elsewhere with --report-dir."


class ReportNotWritten(DbproofError):
    """A report could not be written, or did not come back from the disk as it was written."""


def names(directory: Path) -> tuple[str, ...]:
    """The files that :func:`write` makes, for ``Report.files``."""
    return tuple((directory / reporter.FILE).as_posix() for reporter in REPORTERS.values())


def write(report: Report, directory: Path) -> tuple[Path, ...]:
    """Write every format into the directory, which is made where it is missing, and give the files' paths.

    A failure with one file does not keep the others from being written. Raises :class:`ReportNotWritten` (exit code 4).
    """
    _make(directory)
    failures: list[ReportNotWritten] = []
    for reporter in REPORTERS.values():
        try:
            _write(directory / reporter.FILE, reporter.render(report))
        except ReportNotWritten as failure:
            failures.append(failure)
    if failures:
        raise ReportNotWritten("\n".join(failure.message for failure in failures), failures[0].remedy)
    return tuple(directory / reporter.FILE for reporter in REPORTERS.values())


def _make(directory: Path) -> None:
    """Make the directory; a symbolic link in it is not followed, as a repository could lead us anywhere with one."""
    with _explained(directory):
        link = next((part for part in _own_parts(directory) if part.is_symlink()), None)
        if link is None:
            make_directory(directory)
    if link is not None:
        raise ReportNotWritten(f"{link}: is a symbolic link, and reports are not written through one", _ELSEWHERE)


def _own_parts(directory: Path) -> Iterator[Path]:
    """The directory and, where its path is relative, those above it: an absolute path is the user's own choice."""
    yield directory
    if not directory.is_absolute():
        yield from directory.parents


def _write(target: Path, text: str) -> None:
    """Write beside the target, put it in its place in one step, and read it again."""
    data = text.encode("utf-8")
    beside = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    with _explained(target):
        try:
            _write_new(beside, data)
            beside.replace(target)
        finally:
            with suppress(OSError):
                beside.unlink()
        written = target.read_bytes()
    if written != data or not _parses(target, written):
        raise ReportNotWritten(f"{target}: what was read again is not what was written", _ELSEWHERE)


def _write_new(path: Path, data: bytes) -> None:
    """Make a file that does not exist yet, so that nothing can be put in its place, and see it through to the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o666)
    with os.fdopen(descriptor, "wb") as file:
        hand_over(descriptor, path)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _parses(target: Path, data: bytes) -> bool:
    try:
        if target.suffix == ".json":
            json.loads(data)
        elif target.suffix == ".xml":
            ElementTree.fromstring(data)  # noqa: S314  # it is our own file, and its bytes were just compared
    except (ValueError, ElementTree.ParseError):
        return False
    return True


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn an error of the system into one with a remedy."""
    try:
        yield
    except (OSError, ValueError) as error:
        number, words = (error.errno, error.strerror) if isinstance(error, OSError) else (None, str(error))
        remedy = _REMEDIES.get(number or 0, _ELSEWHERE)
        raise ReportNotWritten(f"{path}: the report could not be written: {(words or 'no reason').lower()}", remedy) from error
