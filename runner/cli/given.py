"""Which given database a subcommand is about: its address, by the name of a variable, and its settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli.session import Session
from runner.errors import ServerFailed, UsageError

if TYPE_CHECKING:
    from runner.settings.load import Loaded
    from runner.settings.model import DatabaseSettings

UrlEnv = Annotated[
    str | None,
    typer.Option(
        "--url-env",
        metavar="NAME",
        help="The environment variable that holds the database's address; by default that of the settings.",
        show_default=False,
    ),
]
Database = Annotated[
    str | None,
    typer.Option("--database", metavar="NAME", help="Which database of the settings is meant.", show_default=False),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be done; nothing is changed.")]
StatementTimeout = Annotated[
    str | None,
    typer.Option(
        "--statement-timeout",
        metavar="DURATION",
        help="After how long a command that reads is ended, such as 1h; 5m by default.",
        show_default=False,
    ),
]


def address(url_env: str, session: Session) -> str:
    """The address in a variable, hidden from now on. Raises UsageError where there is none."""
    from runner.settings.secrets import of_address

    if not url_env.isidentifier():  # perhaps the address itself, which must not be repeated
        raise UsageError(
            "--url-env: expected the name of an environment variable, such as 'DATABASE_URL'",
            "Put the address into a variable and give its name, so that no password stands in a log.",
        )
    found = session.environment.get(url_env, "").strip()
    if not found:
        raise UsageError(f"--url-env {url_env}: that environment variable is not set", "Set it to the database's address.")
    session.hide(of_address(found))
    return found


def document_database(loaded: Loaded, name: str | None, url_env: str | None, session: Session) -> tuple[str, DatabaseSettings]:
    """The one MongoDB database of the settings that is meant, with the variable of its address. Raises UsageError."""
    from runner.servers.schemes import engine_of
    from runner.settings.engines import DOCUMENTS
    from runner.settings.wording import did_you_mean, shorten

    declared = {key: one for key, one in loaded.settings.databases.items() if one.engine in DOCUMENTS}
    if name is not None and name not in declared:
        known = "a MongoDB database" if name in loaded.settings.databases else "a database of the settings"
        raise UsageError(f"--database: '{shorten(name)}' is not {known}{did_you_mean(name, declared)}")
    meant = {name: declared[name]} if name is not None else declared
    named = {key: one for key, one in meant.items() if one.url_env and one.url_env == url_env}
    meant = named or meant
    if len(meant) != 1:
        raise UsageError(*(_NONE if not meant else (f"there are several: {', '.join(meant)}", "Name one with --database.")))
    ((key, settings),) = meant.items()
    variable = url_env or settings.url_env
    if variable is None:
        raise UsageError("no address of a database is given", "Name the variable that holds it: --url-env MONGO_URL.")
    if engine_of(address(variable, session)) not in DOCUMENTS:
        raise UsageError(f"the address in {variable} is not MongoDB's", "It begins with mongodb:// or mongodb+srv://.")
    return key, settings.model_copy(update={"url_env": variable, "disposable": False})


_NONE = (
    "the settings declare no MongoDB database",
    'Write down what is expected of it: [databases.NAME] with engine = "mongodb", and schemas and indexes below `expect`.',
)


@contextmanager
def readable() -> Iterator[None]:
    """Put what the server refused into words."""
    from checks.targets import StatementFailed

    try:
        yield
    except StatementFailed as failure:
        remedy = "Where a right is missing: the role read lists collections and reads them, dbAdmin changes them."
        raise ServerFailed(f"the database: {failure.gap or failure.said}", remedy if failure.code == "13" else "") from None


def seconds(duration: str | None, usual: float) -> float:
    """The duration of --statement-timeout. Raises UsageError."""
    from runner.settings.values import seconds as read

    try:
        return usual if duration is None else read(duration)
    except ValueError as wrong:
        raise UsageError(f"--statement-timeout: {wrong}", "Such as `--statement-timeout 1h`.") from None


def agreed(question: str, session: Session) -> bool:
    """Ask on the terminal. Raises UsageError where there is none."""
    import sys

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("there is no terminal to ask on, and nothing was changed", "Say --yes, or look first with --dry-run.")
    session.output().question(question)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
