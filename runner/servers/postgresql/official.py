"""The variables of the official PostgreSQL image, as its entrypoint reads them.

Source: docker-library/postgres, ``docker-entrypoint.sh`` and the image's page on Docker Hub.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runner.errors import UsageError

_METHODS = ("scram-sha-256", "md5", "password", "trust")
_NO_PASSWORD = "no password is set for the superuser: POSTGRES_PASSWORD is empty"  # noqa: S105 - a sentence
_SET_ONE = (
    "Set POSTGRES_PASSWORD, or POSTGRES_HOST_AUTH_METHOD=trust to let everybody in without one (not where others can reach the"
    " server)."
)
#: Options of initdb that would make another cluster than the one that is served: where it lies, and whose it is.
_OURS = ("-D", "--pgdata", "-U", "--username", "--pwfile", "-W", "--pwprompt", "-X", "--waldir")


@dataclass(frozen=True)
class Asked:
    """What the variables ask for. ``method`` is how those who come over the network prove themselves."""

    user: str
    password: str = field(repr=False)
    database: str
    method: str
    initdb_options: tuple[str, ...] = ()


def asked(environment: Mapping[str, str]) -> Asked:
    """Read the variables, each also as the file that ``<NAME>_FILE`` names; raises UsageError."""
    user = _value(environment, "POSTGRES_USER") or "postgres"
    password = _value(environment, "POSTGRES_PASSWORD")
    method = environment.get("POSTGRES_HOST_AUTH_METHOD", "") or "scram-sha-256"
    if method not in _METHODS:
        raise UsageError(f"POSTGRES_HOST_AUTH_METHOD: '{method}' is not served here", f"Use one of {', '.join(_METHODS)}.")
    if not password and method != "trust":
        raise UsageError(_NO_PASSWORD, _SET_ONE)
    return Asked(
        user=user,
        password=password,
        database=_value(environment, "POSTGRES_DB") or user,
        method=method,
        initdb_options=_options(_value(environment, "POSTGRES_INITDB_ARGS")),
    )


def is_asked(environment: Mapping[str, str]) -> bool:
    """Whether the variables ask for a server: the official image would start one with them, and refuse without."""
    secret = environment.get("POSTGRES_PASSWORD") or environment.get("POSTGRES_PASSWORD_FILE")
    return bool(secret) or environment.get("POSTGRES_HOST_AUTH_METHOD") == "trust"


def passwords(environment: Mapping[str, str]) -> tuple[str, ...]:
    """What must not be shown: the password, wherever it stands. What cannot be read is said when it is asked for."""
    try:
        found = _value(environment, "POSTGRES_PASSWORD")
    except UsageError:
        return ()
    return (found,) if found else ()


def access(method: str) -> str:
    """``pg_hba.conf`` as the official image writes it: trust within the container, ``method`` for everybody else."""
    return f"""\
local all all trust
host all all 127.0.0.1/32 trust
host all all ::1/128 trust
host all all all {method}
"""


def _value(environment: Mapping[str, str], name: str) -> str:
    plain, file = environment.get(name, ""), environment.get(f"{name}_FILE", "")
    if plain and file:
        raise UsageError(f"both {name} and {name}_FILE are set", "Set one of them.")
    if not file:
        return plain
    try:
        return Path(file).read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{name}_FILE: {file} cannot be read: {why}", "Mount the file where this user may read it.") from None


def _options(text: str) -> tuple[str, ...]:
    try:
        options = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"POSTGRES_INITDB_ARGS cannot be split into words: {error}", "Close its quotes.") from None
    for option in options:
        if option.partition("=")[0] in _OURS:
            raise UsageError(f"POSTGRES_INITDB_ARGS: {option.partition('=')[0]} cannot be given here", "Leave it out.")
    return options
