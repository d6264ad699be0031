"""Which databases an address is of: those that the settings say of it, judged by the backend of its engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.backends.interface import Backend
from runner.backends.registry import BACKENDS, backend_of
from runner.errors import UsageError
from runner.output import Output
from runner.servers.schemes import engine_of
from runner.settings.model import DatabaseSettings


def meant(databases: Mapping[str, DatabaseSettings], url_env: str | None, address: str) -> Mapping[str, DatabaseSettings]:
    """The databases to look at: without a variable those of the settings that name one.

    With one, those that name it, else the only one of the settings, else one without declarations, of the engine that ``address``
    is of. Raises UsageError.
    """
    if url_env is None:
        given = {name: one for name, one in databases.items() if one.url_env}
        if not given:
            raise UsageError("no address of a database is given", _SAY_WHICH)
        return given
    named = {name: one for name, one in databases.items() if one.url_env == url_env}
    if named or len(databases) != 1:
        return named or {"app": DatabaseSettings(url_env=url_env, engine=_engine(address))}
    return {name: one.model_copy(update={"url_env": url_env, "disposable": False}) for name, one in databases.items()}


_SAY_WHICH = (
    "Put the address into an environment variable and name it, by `--url-env DATABASE_URL` or `url_env` in the settings;"
    " `dbproof --help` shows what else there is."
)


def _engine(address: str) -> Any:  # noqa: ANN401 - of those that the settings know
    engine = engine_of(address)
    if engine not in BACKENDS:
        raise UsageError(f"{engine.label} databases cannot be judged yet", f"Those of {_known()} can.")
    return engine


def _known() -> str:
    return ", ".join(engine.label for engine in BACKENDS)


def addressed(name: str, settings: DatabaseSettings, output: Output) -> Backend:
    """The backend of the engine that the address is of; raises UsageError where the settings say another."""
    engine = _engine(output.environment.get(settings.url_env or "", ""))
    if engine is not settings.engine:
        raise UsageError(
            f"the address in {settings.url_env} is of {engine.label}, and databases.{name}.engine says {settings.engine.label}",
            "Name the variable of the right database, or correct `engine`.",
        )
    return backend_of(engine)
