"""The files of Go modules and of jars, fetched by the registries' own clients and kept between runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path

from real.published import NotInstalled
from runner.servers.locks import held, lock

_MINUTE = 60.0
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"


class NoProgram(NotInstalled):
    """What fetches from a registry is not on this machine."""


def program(name: str) -> str:
    """A program of the machine's. Raises NoProgram."""
    found = shutil.which(name)
    if found is None:
        raise NoProgram(f"there is no {name} on this machine")
    return found


def module(name: str, version: str) -> Path:
    """The files of a Go module, which go compares with its checksum database and keeps itself. Raises NotInstalled."""
    said = ran([program("go"), "mod", "download", "-json", f"{name}@{version}"], Path("/"))
    return Path(json.loads(said)["Dir"])


def jar(cache: Path, group: str, artifact: str, version: str) -> Path:
    """The content of a jar of Maven Central, made once. Raises NotInstalled."""
    maven, folder = program("mvn"), cache / f"jar-{artifact}-{version}"
    cache.mkdir(parents=True, exist_ok=True)
    with held(lock(cache / f"{folder.name}.lock", 10 * _MINUTE)):
        if not (folder / "ready").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            wanted = [f"-Dartifact={group}:{artifact}:{version}", "-DoutputDirectory=."]
            ran([maven, "-q", "-B", _COPY, *wanted], folder)
            with zipfile.ZipFile(folder / f"{artifact}-{version}.jar") as archive:
                archive.extractall(folder)
            (folder / "ready").touch()
    return folder


def ran(command: Sequence[str], folder: Path) -> str:
    """What a registry's client says. Raises NotInstalled where it fails."""
    environment = {**os.environ, "GOFLAGS": ""}
    ended = subprocess.run(
        command, cwd=folder, env=environment, check=False, capture_output=True, text=True, timeout=10 * _MINUTE
    )
    if ended.returncode:
        raise NotInstalled((ended.stderr or ended.stdout)[-2000:])
    return ended.stdout
