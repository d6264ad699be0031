"""``dbproof init``: the first settings file."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from runner.cli import options
from runner.cli.session import Action, Session
from runner.errors import Exit

Force = Annotated[bool, typer.Option("--force", help="Write it anew where there is one.")]


def command(path: options.Path = None, force: Force = False) -> Action:
    """Write a commented dbproof.toml."""
    return partial(_init, path, force)


def _init(path: str | None, force: bool, session: Session) -> Exit:
    from runner.settings.initial import write
    from runner.settings.load import root_of

    written = write(root_of({"path": path}, session.environment), force)
    session.output().line(f"wrote {written}; look it over, then `dbproof run`")
    return Exit.HELD
