"""Templates of settings: ``{url}``, ``{url:DRIVER}``, ``{host}``, ``{port}``, ``{user}``, ``{password}``, ``{database}``.

They lead the project's programs to our server. Other braces (JSON, shell) stay as they are; ``{{url}}`` means the text ``{url}``.
"""

from __future__ import annotations

import re
import shlex

from runner.errors import UsageError
from runner.servers.interface import Address
from runner.settings.values import PLACEHOLDER, PLACEHOLDERS

#: What is shown where a placeholder is not known.
KNOWN = ("{url}", "{url:DRIVER}", *(f"{{{name}}}" for name in PLACEHOLDERS if name != "url"))

_EITHER = re.compile(rf"\{{\{{(?P<literal>[A-Za-z_]+(?::[^{{}}\s]*)?)\}}\}}|{PLACEHOLDER.pattern}")
#: Drivers by their own names, which no URL begins with.
_DRIVERS = {
    **dict.fromkeys(("asyncpg", "psycopg", "psycopg_async", "psycopg2", "pg8000"), "postgresql"),
    **dict.fromkeys(("aiosqlite", "pysqlite"), "sqlite"),
    **dict.fromkeys(("pymysql", "aiomysql", "asyncmy", "mysqldb", "mysqlconnector"), "mysql"),
}
#: What a file has no part of.
_OF_SERVERS = frozenset({"host", "port", "user", "password"})
_SHELL = frozenset({"&&", "||", ";", "|", "&", ">", ">>", "<", "2>", "2>&1"})


def placeholders(text: str) -> tuple[str, ...]:
    """The placeholders of a template as they are written (``{url:postgresql+asyncpg}``), known or not, in order."""
    return tuple(found[0] for found in PLACEHOLDER.finditer(text))


def expand(text: str, on: Address) -> str:
    """A template with an address filled in; raises :class:`UsageError` for a placeholder that is not known."""

    def fill(found: re.Match[str]) -> str:
        return f"{{{found['literal']}}}" if found["literal"] else _value(found, on)

    return _EITHER.sub(fill, text)


def words(text: str, key: str, on: Address | None = None) -> tuple[str, ...]:
    """A command line of the settings as an argument list: split as a shell would, run without one, templates filled in.

    ``key`` names the setting in errors. Raises :class:`UsageError` for what only a shell could do.
    """
    try:
        split = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"`{key}` cannot be split into words: {error}: {text}", "Close every quote.") from error
    if not split:
        raise UsageError(f"`{key}` is empty", "Say which program to run.")
    if shell := next((word for word in split if word in _SHELL), None):
        remedy = f"""Put it into a script of the repository, or write {key} = "sh -c '…'"."""
        raise UsageError(f"`{key}` runs without a shell, so '{shell}' has no meaning in it: {text}", remedy)
    return tuple(split if on is None else (expand(word, on) for word in split))


def _value(found: re.Match[str], on: Address) -> str:
    name, driver = found["name"], found["driver"]
    if name == "url" and driver != "":
        return on.url(f"{_DRIVERS[driver]}+{driver}" if driver in _DRIVERS else driver)
    if on.scheme == "sqlite" and name in _OF_SERVERS:
        raise UsageError(
            f"'{found[0]}' means nothing for SQLite, whose databases are files", "Use {url} or {database}, the path."
        )
    if name in PLACEHOLDERS and driver is None:
        return str(getattr(on, name))
    raise UsageError(f"'{found[0]}' is not a placeholder", f"There are: {', '.join(KNOWN)}.")
