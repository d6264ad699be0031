"""Which values of the settings and of the environment must never be shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from runner.settings.model import PLACEHOLDER, DatabaseSettings, MigrationSettings, Settings

_TELLING = re.compile(r"PASS|SECRET|TOKEN|KEY|CREDENTIAL|PRIVATE|AUTH|DSN|SALT|SIGN", re.IGNORECASE)
_PASSWORD_IN_URL = re.compile(r"[A-Za-z][\w+.-]*://[^/\s:@]*:(?P<password>[^\s]+)@[^@\s]*")

#: Shorter values stand in the middle of ordinary words: hiding them would only make the output unreadable.
SHORTEST = 4


def secrets(settings: Settings, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Every value to redact, the longest first: given addresses and their passwords, and variables named like a secret.

    A value that only holds placeholders for our own server is none; our server's password is registered by who makes it.
    """
    found = {value for database in settings.databases.values() for value in _of_database(database, environment)}
    return tuple(sorted((value for value in found if len(value) >= SHORTEST), key=lambda value: (-len(value), value)))


def of_address(address: str) -> tuple[str, ...]:
    """What to redact of an address: all of it, and its password as it is written and as it is meant."""
    found = _PASSWORD_IN_URL.search(address)
    return (address, found["password"], unquote(found["password"])) if found else (address,)


def _of_database(database: DatabaseSettings, environment: Mapping[str, str]) -> Iterator[str]:
    if database.url_env is not None and (address := environment.get(database.url_env)):
        yield from of_address(address)
    if database.migrations is not None:
        yield from _of_variables(database.migrations, environment)


def _of_variables(migrations: MigrationSettings, environment: Mapping[str, str]) -> Iterator[str]:
    handed_on = {name: environment[name] for name in migrations.pass_env if name in environment}
    for name, value in {**handed_on, **migrations.env}.items():
        if PLACEHOLDER.search(value):
            continue
        if _TELLING.search(name):
            yield value
        if _PASSWORD_IN_URL.search(value):
            yield from of_address(value)
