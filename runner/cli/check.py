"""``dbproof check``: a look at a database that exists, reading only."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from runner.cli import given, options
from runner.cli.loading import loading
from runner.cli.session import Action, Session
from runner.errors import Exit, UsageError

UrlEnv = Annotated[
    str | None,
    typer.Option(
        "--url-env",
        metavar="NAME",
        help="The environment variable that holds the database's address; by default those that the settings name.",
        show_default=False,
    ),
]
StatementTimeout = Annotated[
    str | None,
    typer.Option(
        "--statement-timeout",
        metavar="DURATION",
        help="After how long a statement that reads is ended, such as 5m; 60s by default.",
        show_default=False,
    ),
]


def command(
    url_env: UrlEnv = None,
    path: options.Path = None,
    config: options.Config = None,
    fail_on: options.FailOn = None,
    report_dir: options.ReportDir = None,
    show_values: options.ShowValues = None,
    show_all: options.ShowAll = None,
    quiet: options.Quiet = None,
    statement_timeout: StatementTimeout = None,
    allow_pull_request_target: options.AllowPullRequestTarget = None,
) -> Action:
    """Check a database that exists, only reading."""
    return partial(
        _check,
        {
            "path": path,
            "config": config,
            "fail_on": fail_on,
            "report_dir": report_dir,
            "show_values": show_values,
            "all": show_all,
            "quiet": quiet,
            "allow_pull_request_target": allow_pull_request_target,
        },
        url_env,
        statement_timeout,
    )


def _check(arguments: dict[str, object], url_env: str | None, statement_timeout: str | None, session: Session) -> Exit:
    if url_env is not None:
        given.address(url_env, session)
    patience = _seconds(statement_timeout)
    loaded = session.load(arguments, detecting=False)
    with loading():
        from runner import pipeline

    with session.output(loaded.quiet).without_commands() as output:
        return pipeline.check(loaded.root, loaded, url_env, output, patience).exit_code


def _seconds(duration: str | None) -> float | None:
    from runner.settings.values import seconds

    try:
        return None if duration is None else seconds(duration)
    except ValueError as wrong:
        raise UsageError(f"--statement-timeout: {wrong}", "Such as `--statement-timeout 5m`.") from None
