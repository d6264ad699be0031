"""The image's entrypoint: dbproof, or the program that is named in place of a subcommand, as in ``docker run IMAGE sh``.

Pipelines count on the latter: Jenkins starts ``cat`` and works with ``docker exec``. Under ``services:`` pipelines name no
command at all: there the variables of PostgreSQL's official image say that a server is wanted.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NoReturn

from runner import cli
from runner.reaping import as_first
from runner.servers.postgresql.official import is_asked


def main() -> int:
    """Run what the container was started with; its exit code."""
    # At once: a signal that comes before the first process takes signals is lost.
    sys.argv[1:] = _meant(sys.argv[1:], os.environ)
    return as_first(partial(_run, sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    program = _other_program(arguments)
    return cli.main() if program is None else _become(program, arguments)


def _meant(arguments: list[str], environment: Mapping[str, str]) -> list[str]:
    """Without a command, or with the official image's (``postgres -c …``), the service where its variables are set."""
    if arguments[:1] == ["postgres"]:
        return ["service", *arguments[1:]]
    # GitHub's runner tells the containers of services too that GITHUB_ACTIONS is true; steps alone have an action.
    as_action = "GITHUB_ACTION" in environment or any(name.startswith("INPUT_") for name in environment)
    return ["service"] if not arguments and not as_action and is_asked(environment) else arguments


def _other_program(arguments: Sequence[str]) -> str | None:
    if not arguments or arguments[0].startswith("-"):
        return None
    from runner.cli.application import is_subcommand

    return None if is_subcommand(arguments[0]) else shutil.which(arguments[0])


def _become(program: str, arguments: list[str]) -> NoReturn:
    """Python ignores these two signals, and a program would inherit that."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.execv(program, arguments)  # noqa: S606 - the program that the container was started with


if __name__ == "__main__":
    sys.exit(main())
