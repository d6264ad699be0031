"""Guesses from names of environment variables which of them lead a program to its database, and with what value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_DATABASE = frozenset(
    {"DATABASE", "DATABASES", "DB", "POSTGRES", "POSTGRESQL", "PG", "PGSQL", "SQL", "SQLALCHEMY", "RDS", "DSN", "ALEMBIC", "PSQL"}
    | {"MONGO", "MONGODB", "MYSQL", "MARIADB"}
)
_URL = frozenset({"URL", "URI", "DSN", "CONN", "CONNECTION", "CONNSTR"})
_PARTS: Mapping[str, str] = {
    "HOST": "{host}", "HOSTNAME": "{host}", "SERVER": "{host}", "ADDRESS": "{host}", "ADDR": "{host}",
    "PORT": "{port}",
    "USER": "{user}", "USERNAME": "{user}", "LOGIN": "{user}",
    "PASSWORD": "{password}", "PASS": "{password}", "PASSWD": "{password}", "PWD": "{password}",
    "NAME": "{database}", "DB": "{database}", "DATABASE": "{database}", "DBNAME": "{database}",
}  # fmt: skip
_UNLIKELY = frozenset({"TEST", "TESTS", "READ", "READONLY", "REPLICA", "SHADOW", "ADMIN", "OLD", "LEGACY", "LOG", "ECHO", "POOL"})
_NUMBERS = frozenset({"PORT", "SIZE", "COUNT", "LIMIT", "TIMEOUT", "SECONDS", "MINUTES", "HOURS", "DAYS", "MAX", "MIN", "TTL"})
#: What Python and drivers look for themselves; the ones that matter are handed to every child.
_NOT_THE_PROJECTS = re.compile(
    r"PG[A-Z]+|MYSQL_(PWD|TCP_PORT|UNIX_PORT|HOME)|_?PYTHON\w*|_PYTHON_\w+|PSYCOPG_\w+|DISABLE_SQLALCHEMY_\w+|SQLALCHEMY_(WARN|SILENCE)_\w+"
)


def by_likeness(names: Iterable[str]) -> tuple[str, ...]:
    """The names that look like a database's, the likeliest first, then the others, each kind in its order."""
    listed = [name for name in dict.fromkeys(names) if not _NOT_THE_PROJECTS.fullmatch(name)]
    return tuple(sorted(listed, key=lambda name: -likeness(name)))


def likeness(name: str) -> int:
    """How much a name looks like the address of a database: 0 for not at all."""
    words = _words(name)
    if not words & _DATABASE:
        return 0
    # A program that reads both addresses has MongoDB beside its database.
    beside = bool(words & {"MONGO", "MONGODB"})
    kind = 4 if template(name) == "{url}" else 3 if template(name) else 1
    return max(1, kind - beside - 2 * bool(words & _UNLIKELY)) + bool({"DATABASE", "URL"} <= words)


def template(name: str) -> str | None:
    """What to set a name to so that the program comes to our server (``{url}``, ``{host}``, …), where it looks like that."""
    parts = name.upper().split("_")
    if not _words(name) & _DATABASE:
        return None
    if "URL" in parts or "URI" in parts or "DSN" in parts or parts[-1] in _URL or "CONNECTION" in parts[-2:]:
        return "{url}"
    last = re.sub(r"^(DB|PG|DATABASE|POSTGRES)(?=HOST|PORT|USER|PASS|NAME)", "", parts[-1])
    return _PARTS.get(last)


def settings(read: Iterable[str], wanted: Iterable[str], url: str = "{url}") -> dict[str, str]:
    """The ``env`` that would lead a program here: what it insists on, and of what it read the likeliest names.

    One URL is enough; host, port, user, password and database only go together.
    """
    insisted = {name: _value(name, url) for name in wanted}
    if any(template(name) in ("{url}", "{host}") for name in insisted):
        return insisted
    ranked = [name for name in by_likeness(read) if likeness(name)]
    best = next(iter(ranked), None)
    if best is None:
        return insisted or {"DATABASE_URL": url}
    if template(best) == "{url}":
        return {**insisted, best: url}
    together = [name for name in ranked if template(name) not in (None, "{url}") and _stem(name) == _stem(best)]
    return {**insisted, **{name: _value(name, url) for name in together}}


def filled(names: Iterable[str], handed: Mapping[str, str]) -> dict[str, str]:
    """Placeholder values that a program may start with; what leads to a database leads to ours."""
    ours = {"{url}": "DATABASE_URL", "{host}": "PGHOST", "{port}": "PGPORT", "{user}": "PGUSER", "{password}": "PGPASSWORD"}
    return {name: handed.get({**ours, "{database}": "PGDATABASE"}.get(template(name) or "", ""), "1") for name in names}


def _stem(name: str) -> str:
    """What names of one database have in common: ``POSTGRES_`` of ``POSTGRES_HOST``, ``DB`` of ``DBHOST``."""
    return re.sub(rf"({'|'.join(sorted(_PARTS, key=len, reverse=True))})$", "", name.upper())


def _value(name: str, url: str) -> str:
    found = template(name)
    if found is not None:
        return url if found == "{url}" else found
    last = name.upper().split("_")[-1]
    return "1" if last in _NUMBERS else "http://unused.invalid" if last in ("URL", "URI") else "unused"


def _words(name: str) -> set[str]:
    words = set(name.upper().split("_"))
    for word in tuple(words):
        for prefix in ("POSTGRES", "DATABASE", "MARIADB", "MYSQL", "MONGO", "DB", "PG"):
            if word.startswith(prefix):
                words |= {prefix, word[len(prefix) :]}
    return words - {""}
