"""``dbproof explain``: what a check proves, what it warns of, and what to do instead."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import partial
from typing import Annotated

import typer

from runner.cli.session import Action, Session
from runner.errors import Exit, UsageError
from runner.settings.wording import did_you_mean, shorten

Identifier = Annotated[str, typer.Argument(metavar="ID", help="The check's id, as `dbproof checks` lists it.")]


def command(identifier: Identifier) -> Action:
    """Explain a check, with what to do instead."""
    return partial(_explain, identifier)


def _explain(identifier: str, session: Session) -> Exit:
    from checks.registries.every import CHECKS, modules

    if identifier not in CHECKS:
        raise UsageError(f"'{shorten(identifier)}' is no check{did_you_mean(identifier, CHECKS)}")
    output = session.output()
    for number, check in enumerate(modules(identifier)):
        needs = f" · needs {', '.join(sorted(check.NEEDS))}" if check.NEEDS else ""
        if number:
            output.line("")
        output.line(f"{identifier} · {check.SEVERITY} · {', '.join(sorted(check.ENGINES))}{needs}")
        output.line("")
        for line in plain(inspect.cleandoc(check.__doc__ or "")):
            output.line(line)
    return Exit.HELD


def plain(markdown: str) -> Iterator[str]:
    """Markdown as a terminal reads it well: headings without stars, examples set in without their fences."""
    example = False
    for line in markdown.splitlines():
        if line.startswith("```"):
            example = not example
        elif example:
            yield f"    {line}".rstrip()
        else:
            yield line.strip("*") if line.startswith("**") and line.endswith("**") else line
