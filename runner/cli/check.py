"""``dbproof check``: a look at a database that exists, reading only."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from runner.cli import options
from runner.cli.session import Action, Session
from runner.errors import Exit, UsageError

UrlEnv = Annotated[
    str,
    typer.Option("--url-env", metavar="NAME", help="The environment variable that holds the database's address."),
]


def command(
    url_env: UrlEnv,
    path: options.Path = None,
    config: options.Config = None,
    fail_on: options.FailOn = None,
    report_dir: options.ReportDir = None,
    show_values: options.ShowValues = None,
    show_all: options.ShowAll = None,
    quiet: options.Quiet = None,
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
    )


def _check(arguments: dict[str, object], url_env: str, session: Session) -> Exit:
    from runner.settings.secrets import of_address

    session.hide(of_address(_address(url_env, session)))
    loaded = session.load(arguments, detecting=False)
    from runner import pipeline

    with session.output(loaded.quiet).without_commands() as output:
        return pipeline.check(loaded.root, loaded, url_env, output).exit_code


def _address(url_env: str, session: Session) -> str:
    if not url_env.isidentifier():  # perhaps the address itself, which must not be repeated
        raise UsageError(
            "--url-env: expected the name of an environment variable, such as 'DATABASE_URL'",
            "Put the address into a variable and give its name, so that no password stands in a log.",
        )
    address = session.environment.get(url_env, "").strip()
    if not address:
        raise UsageError(f"--url-env {url_env}: that environment variable is not set", "Set it to the database's address.")
    return address
