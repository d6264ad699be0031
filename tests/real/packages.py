"""Packages of npm, installed when the tests run and kept between runs."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

from real.published import NotInstalled
from runner.servers.locks import held, lock

_MINUTE = 60.0


def modules(packages: Mapping[str, str], cache: Path) -> Path:
    """A folder with ``package.json``, its lock file and ``node_modules``, made once a set. Raises NotInstalled."""
    wanted = json.dumps({"name": "shop", "private": True, "dependencies": dict(packages)})
    folder = cache / f"npm-{hashlib.sha256(wanted.encode()).hexdigest()[:16]}"
    cache.mkdir(parents=True, exist_ok=True)
    with held(lock(cache / f"{folder.name}.lock", 10 * _MINUTE)):
        if not (folder / "ready").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            (folder / "package.json").write_text(wanted)
            _npm(folder, "install", "--no-audit", "--no-fund", "--ignore-scripts")
            (folder / "ready").touch()
    return folder


def content(package: str, cache: Path) -> Path:
    """The files of one package (``name@version``) without what it depends on, made once. Raises NotInstalled."""
    folder = cache / f"npm-{hashlib.sha256(package.encode()).hexdigest()[:16]}"
    cache.mkdir(parents=True, exist_ok=True)
    with held(lock(cache / f"{folder.name}.lock", 10 * _MINUTE)):
        if not (folder / "ready").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            _npm(folder, "pack", package)
            (packed,) = folder.glob("*.tgz")
            with tarfile.open(packed) as archive:
                archive.extractall(folder, filter="data")
            packed.unlink()
            (folder / "ready").touch()
    return folder / "package"


def _npm(folder: Path, *words: str) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NotInstalled("there is no npm")
    command = [npm, *words]
    ended = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=10 * _MINUTE)
    if ended.returncode:
        raise NotInstalled(ended.stderr[-2000:])
