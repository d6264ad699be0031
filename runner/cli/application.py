"""The parser: subcommands and their options. Parsing runs nothing, it gives what is to be run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated

import typer

from runner import __version__
from runner.cli import allow, apply, check, checks, data, explain, fix, init, run, selftest, service, up
from runner.cli.session import Action, Session
from runner.errors import Exit, UsageError

_SUBCOMMANDS: Mapping[str, Callable[..., Action]] = {
    "run": run.command,
    "check": check.command,
    "up": up.command,
    "service": service.command,
    "checks": checks.command,
    "explain": explain.command,
    "selftest": selftest.command,
    "init": init.command,
    "data": data.command,
    "allow": allow.command,
    "apply": apply.command,
    "fix": fix.command,
}


def application() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        name="dbproof",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        invoke_without_command=True,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    app.callback()(_root)
    for name, command in _SUBCOMMANDS.items():
        app.command(name)(command)
    return app


def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> Action | None:
    """Proves that a repository's databases hold together: runs the migrations, then tries to break what came out."""
    if context.invoked_subcommand is not None:
        return None
    return _show_version if version else partial(_show_help, context.get_help())


def is_subcommand(name: str) -> bool:
    """Whether a word on the command line is one of dbproof's own."""
    return name in _SUBCOMMANDS


def parse(arguments: Sequence[str]) -> Action:
    """What a command line asks for; raises UsageError where it cannot be understood."""
    if list(arguments) == ["--version"]:  # at once: to read a switch, typer imports pydantic
        return _show_version
    try:
        action = application()(args=list(arguments), prog_name="dbproof", standalone_mode=False)
    except typer.TyperException as wrong:
        raise UsageError(
            _sentence(wrong.format_message()), "`dbproof --help` and `dbproof COMMAND --help` show what there is."
        ) from None
    except SystemExit:  # the help went into a pipe that was closed
        return _nothing
    return action if callable(action) else _nothing


def _sentence(text: str) -> str:
    return f"{text[:1].lower()}{text[1:]}".removesuffix(".")


def _show_version(session: Session) -> Exit:
    session.output().line(f"dbproof {__version__}")
    return Exit.HELD


def _show_help(text: str, session: Session) -> Exit:
    session.output().line(text)
    return Exit.USAGE


def _nothing(_: Session) -> Exit:
    """The help was shown already."""
    return Exit.HELD
