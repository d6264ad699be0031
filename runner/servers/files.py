"""Copies directories of a server: clusters (in the kernel, cloned where the file system can) and installations."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from runner.servers.account import Account

Leave = Callable[[str], bool]


def copy_cluster(source: Path, target: Path, account: Account, leave: Leave = lambda _: False) -> None:
    """Copy a data directory, owned by ``account`` and private to it.

    ``leave`` is asked for each path relative to the source whether its content is left out (a directory stays, empty).
    A file that vanishes meanwhile is left out: the source may be in use.
    """
    target.mkdir(mode=0o700)
    account.own(target)
    _copy_directory(str(source), str(target), "", account, leave)


def _copy_directory(source: str, target: str, inside: str, account: Account, leave: Leave) -> None:
    with suppress(FileNotFoundError), os.scandir(source) as entries:
        for entry in entries:
            path, copy = f"{inside}{entry.name}", f"{target}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                Path(copy).mkdir(mode=0o700)
                account.own(Path(copy))
                _copy_directory(entry.path, copy, f"{path}/", account, leave)
            elif not leave(path):
                with suppress(FileNotFoundError):
                    _copy_file(entry.path, copy, account)


def _copy_file(source: str, target: str, account: Account) -> None:
    reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            _copy_content(reading, writing)
            if account.other:
                os.fchown(writing, account.uid, account.gid)
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _copy_content(reading: int, writing: int) -> None:
    """In the kernel, which shares the blocks where the file system can; by hand where the kernel does not do it."""
    left = os.fstat(reading).st_size
    if left and hasattr(os, "copy_file_range"):
        with suppress(OSError):
            while left > 0 and (copied := os.copy_file_range(reading, writing, left)):
                left -= copied
    if left > 0:
        with open(reading, "rb", closefd=False) as source, open(writing, "wb", closefd=False) as target:
            shutil.copyfileobj(source, target, 1 << 20)


def publish(path: Path) -> None:
    """Make a directory and all in it readable for every user (what is cached holds no secrets)."""
    path.chmod(0o755)
    for top, folders, names in os.walk(path):
        for name in folders:
            Path(top, name).chmod(0o755)
        for name in names:
            Path(top, name).chmod(0o644)


def link_installation(source: Path, target: Path) -> None:
    """Lay an installation out at another place, by hard links where both are on one file system, else by copies."""
    shutil.copytree(source, target, copy_function=link_file, ignore=shutil.ignore_patterns("include", "*.a", "doc", "man"))
    for top, folders, _ in os.walk(target):
        for folder in (".", *folders):
            Path(top, folder).chmod(0o755)


def link_file(source: str | Path, target: str | Path) -> str | Path:
    """Put a file at another place too: by a hard link on the same file system, else by a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target
