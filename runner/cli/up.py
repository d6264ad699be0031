"""``dbproof up``: a migrated database to work with, until Ctrl-C."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import Annotated

import typer

from runner.cli import options
from runner.cli.loading import loading
from runner.cli.session import Action, Session
from runner.errors import Exit


class Format(StrEnum):
    """How the addresses are printed."""

    ENV = "env"
    JSON = "json"
    TEXT = "text"


FormatOption = Annotated[
    Format, typer.Option("--format", help="How the addresses are printed: env for a shell, json for a program, text for people.")
]


def command(
    path: options.Path = None,
    config: options.Config = None,
    quiet: options.Quiet = None,
    allow_pull_request_target: options.AllowPullRequestTarget = None,
    format: FormatOption = Format.TEXT,  # noqa: A002 - the option's name
) -> Action:
    """Start, migrate, print the addresses, wait for Ctrl-C."""
    told: dict[str, object] = {
        "path": path,
        "config": config,
        "quiet": quiet,
        "allow_pull_request_target": allow_pull_request_target,
    }
    return partial(_up, told, format)


def _up(arguments: dict[str, object], chosen: Format, session: Session) -> Exit:
    loaded = session.load(arguments)
    with loading():
        from runner import pipeline

    pipeline.up(loaded.root, loaded, session.output(loaded.quiet), chosen.value)
    return Exit.HELD
