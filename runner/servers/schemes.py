"""Which engine an address belongs to, by its scheme. No error repeats any part of an address."""

from __future__ import annotations

import re

from checks.interface import Engine
from runner.errors import UsageError

_ENGINES = {
    "postgres": Engine.POSTGRESQL,
    "postgresql": Engine.POSTGRESQL,
    "sqlite": Engine.SQLITE,
    "mongodb": Engine.MONGODB,
    "mysql": Engine.MARIADB,  # whose users write it so; a server that is MySQL says so itself
    "mariadb": Engine.MARIADB,
}
#: A scheme, and what a library calls its driver behind a plus sign: ``postgresql+asyncpg``, ``mongodb+srv``.
_SCHEME = re.compile(r"\s*(?P<engine>[A-Za-z][A-Za-z0-9.-]*)(?:\+[A-Za-z0-9_.-]+)?:(?://|$)")
#: PostgreSQL's other form: ``host=db dbname=app``.
_WORDS = re.compile(r"\s*[a-z_]+\s*=")
_FORMS = (
    "Write it as postgresql://user:password@host:port/database, with mysql: or mongodb: in its place,"
    " or sqlite:///file, special characters percent-encoded."
)


def engine_of(address: str) -> Engine:
    """The engine whose address this is; raises UsageError where none is recognised."""
    found = _SCHEME.match(address)
    if found is None and _WORDS.match(address):
        return Engine.POSTGRESQL
    if found is None:
        raise UsageError(
            "the given database address names no engine (it is not repeated here, as it may hold a password)", _FORMS
        )
    engine = _ENGINES.get(found["engine"].lower())
    if engine is None:
        raise UsageError("the given database address is of no engine that dbproof knows (it is not repeated here)", _FORMS)
    return engine
