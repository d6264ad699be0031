"""The image's entrypoint: dbproof, or the program that is named in place of a subcommand, as in ``docker run IMAGE sh``.

Pipelines count on the latter: Jenkins starts ``cat`` and works with ``docker exec``.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Sequence
from functools import partial
from typing import NoReturn

from runner import cli
from runner.reaping import as_first


def main() -> int:
    """Run what the container was started with; its exit code."""
    arguments = sys.argv[1:]
    program = _other_program(arguments)
    return cli.main() if program is None else as_first(partial(_become, program, arguments))


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
