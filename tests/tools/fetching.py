"""Tools fetched from their registries, by the registries' own clients, once a version. What cannot be had raises NotInstalled."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from real.archives import program, ran
from real.packages import modules
from real.published import install

from runner.servers.locks import held, lock
from tools.samples import Had

_MINUTE = 60.0
_POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>dbproof</groupId><artifactId>tools</artifactId><version>1</version><packaging>pom</packaging>
  <build><plugins><plugin>
    <groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>
    <dependencies>{dependencies}</dependencies>
  </plugin></plugins></build>
</project>
"""
_DEPENDENCY = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
_RESOLVE = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"


def of_go(cache: Path, module: str, version: str, package: str, tags: str = "") -> Had:
    """A program built from a module of the Go module proxy; go itself compares it with the checksum database."""
    return of_go_source(cache, {}, {module: version}, package, tags)


def of_go_source(cache: Path, files: Mapping[str, str], modules: Mapping[str, str], package: str, tags: str = "") -> Had:
    """A program built from these files and modules (the first one's version is the program's)."""
    go = program("go")
    wanted = repr([sorted(files.items()), sorted(modules.items()), package, tags])
    folder = cache / f"go-{hashlib.sha256(wanted.encode()).hexdigest()[:16]}"
    cache.mkdir(parents=True, exist_ok=True)
    with held(lock(cache / f"{folder.name}.lock", 10 * _MINUTE)):
        if not (folder / "program").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for name, text in files.items():
                (folder / name).write_text(text)
            ran([go, "mod", "init", "local/tool"], folder)
            for module, version in modules.items():
                ran([go, "mod", "edit", f"-require={module}@{version}"], folder)
            ran([go, "build", "-mod=mod", f"-tags={tags}", "-o", "program", package], folder)
    return Had(next(iter(modules.values())).removeprefix("v").partition("-")[0], folder / "program")


def of_maven(cache: Path, plugin: tuple[str, str, str], *beside: tuple[str, str, str]) -> Had:
    """A project of Maven's whose plugin is the tool; ``beside`` is what the plugin needs beside itself."""
    maven = program("mvn")
    dependencies = "".join(_DEPENDENCY.format(*one) for one in beside)
    pom = _POM.format(group=plugin[0], artifact=plugin[1], version=plugin[2], dependencies=dependencies)
    folder = cache / f"maven-{hashlib.sha256(pom.encode()).hexdigest()[:16]}"
    cache.mkdir(parents=True, exist_ok=True)
    with held(lock(cache / f"{folder.name}.lock", 10 * _MINUTE)):
        if not (folder / "ready").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            (folder / "pom.xml").write_text(pom)
            ran([maven, "-q", "-B", f"{_RESOLVE}:resolve-plugins"], folder)
            (folder / "ready").touch()
    return Had(plugin[2], folder)


def goal(had: Had, plugin: tuple[str, str, str], name: str, **given: str) -> list[str]:
    """The words that run a goal of a plugin."""
    return [
        program("mvn"),
        "-q",
        "-B",
        "-f",
        str(had.place / "pom.xml"),
        ":".join((*plugin, name)),
        *(f"-D{key}={value}" for key, value in given.items()),
    ]


def of_npm(cache: Path, tool: str, packages: Mapping[str, str]) -> Had:
    """A folder with ``node_modules``; the version is that of ``tool``."""
    return Had(packages[tool], modules(packages, cache))


def of_pypi(cache: Path, folder: str, *requirements: str) -> Had:
    """An environment's interpreter; the version is that of the first requirement, whose package lies in ``folder``."""
    return Had(requirements[0].partition("==")[2], install(requirements, folder, cache).python)


def of_debian(name: str) -> Had:
    """A program of the machine's, as its package has installed it."""
    found = Path(program(name))
    said = subprocess.run([str(found), "--version"], capture_output=True, text=True, check=False, timeout=_MINUTE).stdout
    return Had(next((word for word in said.replace("v", " ").split() if word[:1].isdigit()), ""), found)
