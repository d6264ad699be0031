"""The cache between runs: whole directories that are filled once, by one process, and appear by rename.

Everything in it can be made again, so anybody may delete it at any time. A cache that cannot be written (a read-only image)
still serves what it holds.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

from runner.servers.locks import held, lock

#: What whoever made an image filled beforehand: it is found whatever ``DBPROOF_CACHE`` says.
SHIPPED = Path("/var/cache/dbproof")

_UNUSED_DAYS = 14
_PATIENCE = 120.0
#: Seconds to wait for somebody else who keeps something that can also be kept the next time.
_SHORT = 10.0


def root() -> Path | None:
    """The cache's directory: ``DBPROOF_CACHE``, else the user's cache; ``None`` where that is empty, or this uid has neither."""
    named = os.environ.get("DBPROOF_CACHE")
    if named is not None:
        return Path(named).absolute() if named else None
    from platformdirs import user_cache_path

    try:
        path = user_cache_path("dbproof").expanduser()
    except RuntimeError:  # a uid without a passwd entry and without HOME has no home
        return None
    return path if path.is_absolute() else None


def kept(name: str, build: Callable[[Path], None]) -> Path | None:
    """The cached directory ``name``, made by ``build`` (handed a path that does not exist yet) where it is missing.

    ``None`` where nothing can be cached here. What ``build`` raises comes through, and then nothing was kept.
    """
    if _shipped(SHIPPED / name):
        return SHIPPED / name
    top = root()
    if top is None:
        return None
    found = top / name
    if not _used(found) and not _filled(top, name, build):
        return None
    return found


def private(name: str) -> Path | None:
    """The cached directory ``name`` where it is there and this user's own; it counts as used then."""
    top = root()
    if top is None:
        return None
    with suppress(OSError):
        return top / name if (top / name).lstat().st_uid == os.geteuid() and _used(top / name) else None
    return None


def put(name: str, build: Callable[[Path], None], limit: int) -> bool:
    """Keep a directory of this user's, made by ``build``, in place of what is there; whether it is kept.

    Directories of its kind (the name up to ``-``) together hold at most ``limit`` bytes: those that were used last stay.
    What ``build`` raises comes through. Raises OSError where the cache cannot be written to.
    """
    top = root()
    if top is None:
        return False
    kind = name.partition("-")[0]
    try:
        top.mkdir(parents=True, exist_ok=True)
        file = lock(top / f"{kind}.lock", patience=_SHORT)
    except TimeoutError:
        return False
    with held(file):
        _prune(top, kind, f"{kind}-*.new-*")  # whoever makes one holds the lock
        drop(name)
        _fill(top, name, build)
        _bound(top, kind, limit)
    return (top / name).is_dir()


def drop(name: str) -> None:
    """Remove a directory from the cache, if it can be done."""
    top = root()
    if top is not None:
        shutil.rmtree(top / name, ignore_errors=True)


def _bound(top: Path, kind: str, limit: int) -> None:
    """Remove those that were used longest ago until the rest is small enough."""
    found = sorted(top.glob(f"{kind}-*"), key=lambda path: path.lstat().st_mtime, reverse=True)
    total = 0
    for path in found:
        total += sum(file.lstat().st_size for file in path.rglob("*") if file.is_file())
        if total > limit:
            shutil.rmtree(path, ignore_errors=True)


def _shipped(found: Path) -> bool:
    """Whether root left it there: other users may add to that directory, and may not lead each other astray."""
    with suppress(OSError):
        return found.lstat().st_uid == 0 and _used(found)
    return False


def _used(found: Path) -> bool:
    if not os.access(found, os.R_OK | os.X_OK):
        return False
    with suppress(OSError):  # a read-only cache: its entries cannot be marked as used, and need not be
        os.utime(found)
    return True


def _filled(top: Path, name: str, build: Callable[[Path], None]) -> bool:
    try:
        top.mkdir(parents=True, exist_ok=True)
        file = lock(top / f"{name}.lock", patience=_PATIENCE)
    except (OSError, TimeoutError):
        return False
    with held(file):
        if not _used(top / name):
            _prune(top, name.partition("-")[0], f"{name}.new-*")
            _fill(top, name, build)
    return True


def _fill(top: Path, name: str, build: Callable[[Path], None]) -> None:
    """Build beside the place and rename, so that nobody ever sees half of it."""
    staging = Path(tempfile.mkdtemp(dir=top, prefix=f"{name}.new-"))
    try:
        build(staging / "content")
        (staging / "content").rename(top / name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _prune(top: Path, kind: str, begun: str) -> None:
    """Remove what a killed process left half made (names like ``begun``), and entries of a kind that nobody used for long."""
    oldest = time.time() - _UNUSED_DAYS * 86400
    for path in top.glob(f"{kind}-*"):
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISDIR(found.st_mode) and (fnmatchcase(path.name, begun) or found.st_mtime < oldest):
            shutil.rmtree(path, ignore_errors=True)
