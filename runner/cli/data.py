"""``dbproof data``: rows that the repository's own schema allows, for whoever needs some."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

import typer

from runner.cli import options
from runner.cli.loading import loading
from runner.cli.session import Action, Session
from runner.errors import Exit, UsageError
from runner.settings.amounts import LAST_SEED, MOST

Rows = Annotated[
    str | None,
    typer.Option(
        "--rows",
        metavar="N",
        help="How many rows each table gets that is still empty; what the settings say by default, else 100.",
        show_default=False,
    ),
]
Out = Annotated[
    str, typer.Option("--out", metavar="FILE", help="Where the rows are written: a file of SQL, of documents a directory.")
]
Seed = Annotated[
    str | None,
    typer.Option(
        "--seed",
        metavar="N",
        help="The same seed gives the same rows; what the settings say by default, else 1.",
        show_default=False,
    ),
]
Name = Annotated[
    str | None, typer.Option("--database", metavar="NAME", help="Which database of the settings is meant.", show_default=False)
]
Readable = Annotated[
    bool, typer.Option("--readable", help="Texts for people: names, addresses, titles, by what the columns are called.")
]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]


def command(
    out: Out,
    path: options.Path = None,
    rows: Rows = None,
    seed: Seed = None,
    database: Name = None,
    readable: Readable = False,
    force: Force = False,
    config: options.Config = None,
    quiet: options.Quiet = None,
    allow_pull_request_target: options.AllowPullRequestTarget = None,
) -> Action:
    """Make rows for the migrated schema and write them down."""
    told: dict[str, object] = {
        "path": path,
        "config": config,
        "quiet": quiet,
        "allow_pull_request_target": allow_pull_request_target,
    }
    asked = {"out": out, "database": database, "readable": readable, "force": force}
    return partial(_data, told, rows, seed, asked)


def _data(arguments: dict[str, object], rows: str | None, seed: str | None, asked: Mapping[str, Any], session: Session) -> Exit:
    wanted, number = _whole("--rows", rows, 1, MOST), _whole("--seed", seed, 0, LAST_SEED)
    loaded = session.load(arguments)
    with loading():
        from runner import giving
    return giving.give(loaded, session.output(loaded.quiet), giving.Asked(rows=wanted, seed=number, **asked))


def _whole(option: str, text: str | None, least: int, most: int) -> int | None:
    if text is None:
        return None
    digits = text.replace("_", "")
    if not digits.isdecimal() or not digits.isascii() or not least <= int(digits) <= most:
        raise UsageError(f"{option}: expected a whole number from {least} to {most}, not '{text[:40]}'")
    return int(digits)
