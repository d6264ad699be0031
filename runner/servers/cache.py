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
from pathlib import Path

from runner.servers.locks import held, lock

#: What whoever made an image filled beforehand: it is found whatever ``DBPROOF_CACHE`` says.
SHIPPED = Path("/var/cache/dbproof")

_UNUSED_DAYS = 14
_PATIENCE = 120.0


def root() -> Path | None:
    """The cache's directory: ``DBPROOF_CACHE``, else the user's cache; ``None`` where this uid has neither."""
    named = os.environ.get("DBPROOF_CACHE")
    if named:
        return Path(named).absolute()
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
            _prune(top, name)
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


def _prune(top: Path, name: str) -> None:
    """Remove what a killed process left half made, and entries of the same kind that nobody used for long."""
    kind = name.partition("-")[0]
    oldest = time.time() - _UNUSED_DAYS * 86400
    for path in top.glob(f"{kind}-*"):
        abandoned = path.name.startswith(f"{name}.new-")
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISDIR(found.st_mode) and (abandoned or found.st_mtime < oldest):
            shutil.rmtree(path, ignore_errors=True)
