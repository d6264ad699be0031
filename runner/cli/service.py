"""``dbproof service``: a throwaway PostgreSQL that records, with the official image's variables, until it is stopped."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from runner.cli.session import Action, Session
from runner.errors import Cancelled, Exit, UsageError

Listen = Annotated[str, typer.Option("--listen", metavar="ADDRESS", help="The address to take connections on; * is all.")]
Port = Annotated[int, typer.Option("--port", "-p", metavar="PORT", help="The port to take connections on; 0 is a free one.")]
Setting = Annotated[
    list[str] | None,
    typer.Option("--set", "-c", metavar="NAME=VALUE", help="A setting of PostgreSQL's, several times.", show_default=False),
]
Scripts = Annotated[
    str,
    typer.Option("--scripts", metavar="DIRECTORY", help="SQL and shell scripts that are run before anybody comes in, by name."),
]
Ready = Annotated[bool, typer.Option("--ready", help="Say whether the service takes connections (exit 0) or not (exit 4).")]


def command(
    listen: Listen = "*",
    port: Port = 5432,
    setting: Setting = None,
    scripts: Scripts = "/docker-entrypoint-initdb.d",
    ready: Ready = False,
) -> Action:
    """Be a throwaway PostgreSQL that a job migrates."""
    return partial(_ready, port) if ready else partial(_serve, listen, port, tuple(setting or ()), scripts)


def _serve(listen: str, port: int, given: tuple[str, ...], scripts: str, session: Session) -> Exit:
    from runner.servers.postgresql.configuration import Doors
    from runner.servers.postgresql.official import passwords
    from runner.serving import serve, settings_of

    if not 0 <= port < 65536:
        raise UsageError(f"--port {port}: there is no such port", "Ports go from 1 to 65535; 0 takes a free one.")
    session.hide(passwords(session.environment))
    output = session.output()
    try:
        serve(session.environment, Doors(listen, port or None), settings_of(given), Path(scripts), output.line)
    except Cancelled:  # how a service is ended
        output.line("stopped, and nothing is kept")
    return Exit.HELD


def _ready(port: int, session: Session) -> Exit:
    from runner.servers.postgresql.sessions import takes_connections

    if takes_connections("127.0.0.1", port):
        return Exit.HELD
    session.output().line(f"nothing takes connections on port {port} yet")
    return Exit.ENVIRONMENT
