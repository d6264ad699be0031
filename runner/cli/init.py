"""``dbproof init``: the first settings file."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from runner.cli import given, options
from runner.cli.loading import loading
from runner.cli.session import Action, Session
from runner.errors import Exit

Force = Annotated[bool, typer.Option("--force", help="Write it anew where there is one.")]


UrlEnv = Annotated[
    str | None,
    typer.Option(
        "--url-env",
        metavar="NAME",
        help="The environment variable that holds a MongoDB's address: its collections are read, and declared as they are.",
        show_default=False,
    ),
]


def command(path: options.Path = None, force: Force = False, url_env: UrlEnv = None) -> Action:
    """Write a commented dbproof.toml, or what a MongoDB holds as a first declaration."""
    return partial(_init, path, force, url_env)


def _init(path: str | None, force: bool, url_env: str | None, session: Session) -> Exit:
    from runner.settings.load import root_of

    if url_env is not None:
        return _read(path, force, url_env, session)
    from runner.settings.initial import write

    written = write(root_of({"path": path}, session.environment), force)
    session.output().line(f"wrote {written}; look it over, then `dbproof run`")
    return Exit.HELD


def _read(path: str | None, force: bool, url_env: str, session: Session) -> Exit:
    from runner.settings.load import root_of

    address = given.address(url_env, session)
    with loading():
        from runner.inferring.writing import write
    output = session.output()
    for line in write(root_of({"path": path}, session.environment), url_env, address, force, output.progress):
        output.line(line)
    return Exit.HELD
