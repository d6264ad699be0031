"""Which values of the settings and of the environment must never be shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from runner.settings.model import DatabaseSettings, MigrationSettings, Settings
from runner.settings.values import PLACEHOLDER

_TELLING = re.compile(r"PASS|SECRET|TOKEN|KEY|CREDENTIAL|PRIVATE|AUTH|DSN|SALT|SIGN", re.IGNORECASE)
_PASSWORD_IN_URL = re.compile(r"[A-Za-z][\w+.-]*://[^/\s:@]*:(?P<password>\S+)@[^@\s]*")
_PASSWORD_IN_WORDS = re.compile(r"\bpassword\s*=\s*(?P<quote>')?(?P<password>(?(quote)[^']+|[^'\s&]+))", re.IGNORECASE)
_MALFORMED = re.compile(r":(?!//)[^/@]*@")


def secrets(settings: Settings, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Every value to redact, in a stable order: passwords of given addresses, and variables named like a secret.

    A value that only holds placeholders for our own server is none; our server's password is registered by who makes it.
    """
    return tuple(sorted({value for database in settings.databases.values() for value in _of_database(database, environment)}))


def of_address(address: str) -> tuple[str, ...]:
    """The passwords in an address, as they are written and as they are meant; all of it where its form is not understood."""
    written = {found["password"] for form in (_PASSWORD_IN_URL, _PASSWORD_IN_WORDS) if (found := form.search(address))}
    if not written and _MALFORMED.search(address):
        return (address,)
    return tuple(sorted(written | {unquote(password) for password in written}))


def _of_database(database: DatabaseSettings, environment: Mapping[str, str]) -> Iterator[str]:
    if database.url_env is not None:
        yield from of_address(environment.get(database.url_env, ""))
    if database.migrations is not None:
        yield from _of_variables(database.migrations, environment)


def _of_variables(migrations: MigrationSettings, environment: Mapping[str, str]) -> Iterator[str]:
    handed_on = {name: environment[name] for name in migrations.pass_env if name in environment}
    for name, value in {**handed_on, **migrations.env}.items():
        if PLACEHOLDER.search(value):
            continue
        passwords = of_address(value)
        yield from passwords
        if value and not passwords and _TELLING.search(name):
            yield value
