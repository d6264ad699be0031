"""The command line. Nothing heavy is imported before a subcommand needs it, so that ``dbproof --help`` answers at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from runner.cli.signals import cancelling
from runner.errors import Cancelled, DbproofError, Exit
from runner.reaping import as_first

if TYPE_CHECKING:
    from runner.cli.session import Session


#: Where GitHub mounts the workspace into the container of an action, and nowhere else.
_ACTION_WORKSPACE = "/github/workspace"


def main() -> int:
    """Run the process's own command line; the exit code."""
    return as_first(_main)


def _main() -> int:
    try:
        with cancelling():
            return int(answer(sys.argv[1:], os.environ))
    except Cancelled as cancelled:  # before or after the subcommand had its say
        return int(cancelled.exit)


def answer(arguments: Sequence[str], environment: Mapping[str, str]) -> Exit:
    """Parse, run, and put whatever went wrong into words. On GitHub an action has inputs instead of arguments."""
    from runner.cli.session import Session
    from runner.redaction import Redactor

    as_action = _is_action(arguments, environment)
    session = Session(environment if as_action else _without_inputs(environment), Redactor())
    try:
        from runner.cli.application import parse

        return parse(arguments or (_meant(environment) if as_action else []))(session)
    except DbproofError as error:
        return session.failed(error)
    except Cancelled as cancelled:
        stopped = DbproofError(cancelled.message)
        stopped.exit = cancelled.exit
        return session.failed(stopped)
    except Exception as broke:  # noqa: BLE001 - the last resort: whatever it is, nobody gets a traceback
        return _crashed(broke, session)


def _is_action(arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether GitHub started us as an action. Under ``run:`` the inputs that are there belong to somebody else's action."""
    here = any(name.startswith("INPUT_") for name in environment) or environment.get("GITHUB_WORKSPACE") == _ACTION_WORKSPACE
    return environment.get("GITHUB_ACTIONS") == "true" and here and (not arguments or "INPUT_ARGS" in environment)


def _meant(environment: Mapping[str, str]) -> list[str]:
    """An action has inputs instead of arguments: it looks at the database that it is led to, or proves the repository."""
    from runner.settings.surface import URL_ENV

    url_env = environment.get(str(URL_ENV.input_variable), "").strip()
    return ["check", f"--url-env={url_env}"] if url_env else ["run"]


def _without_inputs(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith("INPUT_")}


def _crashed(broke: Exception, session: Session) -> Exit:
    from runner.cli.crash import crash

    return session.failed(crash(broke, session.report_dir, session.redactor))
