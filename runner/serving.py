"""``dbproof service``: from the official image's variables to a server that runs until it is stopped."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from runner import children
from runner.errors import ServerFailed, ToolFailed, UsageError
from runner.lines import Line
from runner.servers.installations import Installation, installations
from runner.servers.interface import Address
from runner.servers.postgresql.configuration import Doors
from runner.servers.postgresql.official import Asked, asked
from runner.servers.postgresql.provider import Need, choose
from runner.servers.postgresql.service import Service, serving

Say = Callable[[str], None]

#: Seconds that one script of the initialisation may take.
_PATIENCE = 600.0
_READY = "database system is ready to accept connections"


def serve(environment: Mapping[str, str], doors: Doors, settings: Mapping[str, str], scripts: Path, say: Say) -> None:
    """Start the service and wait for its end, which comes as a signal or as a failure: it raises Cancelled or DbproofError.

    ``settings`` are the server's own, as ``-c`` gives them; ``scripts`` is the directory of what is run at its start.
    """
    wanted = asked(environment)
    children.sweep()
    with serving(_installation(), wanted, settings, doors, partial(_fill, scripts, wanted, environment, say)) as service:
        say(f"PostgreSQL {service.version}: {_READY} on {doors.addresses}:{service.port}")
        service.wait()


def _installation() -> Installation:
    chosen = choose(Need(None, frozenset(), (), "", known=True), installations())
    if chosen is None:
        raise ServerFailed(
            "there is no PostgreSQL here to be the service",
            "Use dbproof's image, install it (Debian: `apt install postgresql`), or `pip install 'dbproof[embedded]'`.",
        )
    return chosen


def _fill(scripts: Path, wanted: Asked, environment: Mapping[str, str], say: Say, service: Service) -> None:
    """Run the scripts in the order of their names, as the official image does; nobody comes in from outside meanwhile."""
    if not scripts.is_dir() or not (found := sorted(scripts.iterdir())):
        return
    say(f"PostgreSQL {service.version}: {_READY} of {scripts} alone")
    variables = {**environment, **_variables(service.inside, wanted, service.seat.binaries)}
    for file in found:
        command = _command(file, wanted)
        if command is None:
            say(f"{file}: ignored, as it is neither SQL nor a shell script")
        else:
            say(f"{file}: running")
            _run(children.Command(command, scripts, variables, _PATIENCE), file, say)


def _variables(inside: Address, wanted: Asked, binaries: Path) -> dict[str, str]:
    """How PostgreSQL's own programs come to the server, and what scripts expect to be told."""
    return {
        "PGHOST": inside.host,
        "PGPORT": str(inside.port),
        "PGUSER": wanted.user,
        "PGDATABASE": wanted.database,
        "POSTGRES_USER": wanted.user,
        "POSTGRES_DB": wanted.database,
        "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }


def _command(file: Path, wanted: Asked) -> tuple[str, ...] | None:
    psql = ("psql", "--no-psqlrc", "--quiet", "--no-password", "--set", "ON_ERROR_STOP=1", "--dbname", wanted.database)
    match file.suffix:
        case ".sql":
            return (*psql, "--file", str(file))
        case ".sh":
            return (str(file),) if os.access(file, os.X_OK) else ("bash", str(file))
        case _:
            return None


def _run(command: children.Command, file: Path, say: Say) -> None:
    for heard in children.listen(command):
        match heard:
            case Line():
                say(heard.text)
            case children.Finished() if heard.timed_out:
                raise ToolFailed(f"{file} did not end within {_PATIENCE:.0f} s", "Make it shorter, or let the job do it.")
            case children.Finished() if heard.status:
                raise ToolFailed(f"{file} failed with status {heard.status}", "See its words above.")
            case _:
                pass


def settings_of(given: tuple[str, ...]) -> dict[str, str]:
    """The server's settings in ``-c name=value``, several times; raises UsageError."""
    settings = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"-c {text}: expected a setting of PostgreSQL", "Such as `-c max_connections=200`.")
        settings[name.strip().lower().replace("-", "_")] = value
    return settings
