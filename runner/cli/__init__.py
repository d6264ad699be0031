"""The command line. Nothing heavy is imported before a subcommand needs it, so that ``dbproof --help`` answers at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from runner.cli.signals import cancelling
from runner.errors import Cancelled, DbproofError, Exit

if TYPE_CHECKING:
    from runner.cli.session import Session


def main() -> int:
    """Run the process's own command line; the exit code."""
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

        return parse(arguments or (["run"] if as_action else []))(session)
    except DbproofError as error:
        session.output().error(error)
        return error.exit
    except Cancelled as cancelled:
        session.output().error(DbproofError(cancelled.message))
        return cancelled.exit
    except Exception as broke:  # noqa: BLE001 - the last resort: whatever it is, nobody gets a traceback
        return _crashed(broke, session)


def _is_action(arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether GitHub started us as an action. Under ``run:`` the inputs that are there belong to somebody else's action."""
    inputs = any(name.startswith("INPUT_") for name in environment)
    return environment.get("GITHUB_ACTIONS") == "true" and inputs and (not arguments or "INPUT_ARGS" in environment)


def _without_inputs(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith("INPUT_")}


def _crashed(broke: Exception, session: Session) -> Exit:
    from runner.cli.crash import crash

    session.output().error(crash(broke, session.report_dir, session.redactor))
    return Exit.ENVIRONMENT
