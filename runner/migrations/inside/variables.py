"""Which environment variables a program looked for, and which it could not do without."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, Dict, Iterator, List, Optional

_MOST = 500


class _Watched(os._Environ):  # type: ignore[type-arg]  # generic only for type checkers in Python 3.8
    """``os.environ`` that notes the names looked for. It takes the place of the class of the one there is."""

    def __getitem__(self, name: str) -> str:
        _note(name)
        try:
            return str(super().__getitem__(name))
        except KeyError:
            _missed.append(name)
            raise

    def get(self, name: str, default: Any = None) -> Any:
        _note(name)
        try:
            return super().__getitem__(name)
        except KeyError:
            return default

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None


_handed: frozenset[str] = frozenset()
_read: Dict[str, None] = {}
_missed: List[str] = []


def watch() -> None:
    """Note from here on what is looked for. Names that the program got at its start say nothing and are not noted."""
    global _handed
    _handed = frozenset(os.environ)
    os.environ.__class__ = _Watched


def _note(name: object) -> None:
    if isinstance(name, str) and name not in _handed and len(_read) < _MOST:
        _read[name] = None


def quietly(name: str) -> Optional[str]:
    """A variable's value, looked up by us and not by the program."""
    before = dict(_read)
    try:
        return os.environ.get(name)
    finally:
        _read.clear()
        _read.update(before)


def read() -> List[str]:
    """The names looked for, in order, those of settings classes after them."""
    return list(dict.fromkeys([*_read, *(name for cls in _settings_classes() for name in _names_of(cls))]))


def wanted(error: BaseException) -> List[str]:
    """The variables without which the program does not start, as far as this exception tells."""
    for one in chain(error):
        if isinstance(one, KeyError) and one.args and one.args[0] in _missed:
            return [str(one.args[0])]
        if missing := _missing_fields(one):
            return missing
    words = set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", str(error)))
    return [name for name in _read if name in words and name not in os.environ]


def chain(error: Optional[BaseException]) -> Iterator[BaseException]:
    """An exception, what SQLAlchemy wrapped in it, and what it came from, each once."""
    seen: List[BaseException] = []
    todo: List[Optional[BaseException]] = [error]
    while todo:
        one = todo.pop(0)
        if not isinstance(one, BaseException) or any(one is other for other in seen):
            continue
        seen.append(one)
        yield one
        todo += [getattr(one, "orig", None), one.__cause__, None if one.__suppress_context__ else one.__context__]


def _missing_fields(error: BaseException) -> List[str]:
    """The variables behind the missing fields of a pydantic settings class, all of them at once."""
    if type(error).__name__ != "ValidationError" or not callable(getattr(error, "errors", None)):
        return []
    title = getattr(error, "title", None) or getattr(getattr(error, "model", None), "__name__", None)
    for cls in _settings_classes():
        if cls.__name__ == title or getattr(cls, "model_config", {}).get("title") == title:
            missing = [one["loc"] for one in error.errors() if str(one.get("type", "")).endswith("missing")]  # type: ignore[attr-defined]
            return [_name(cls, [str(part) for part in where]) for where in missing if where]
    return []


def _settings_classes() -> Iterator[Any]:
    for module in ("pydantic_settings", "pydantic.env_settings", "pydantic.v1.env_settings"):
        base = getattr(sys.modules.get(module), "BaseSettings", None)
        todo = list(base.__subclasses__()) if base else []
        while todo:
            cls = todo.pop(0)
            todo += cls.__subclasses__()
            if not cls.__module__.startswith(("pydantic", "pydantic_settings")):
                yield cls


def _names_of(cls: Any) -> List[str]:
    fields = getattr(cls, "model_fields", None) or getattr(cls, "__fields__", {})
    return [_name(cls, [field]) for field in fields]


def _name(cls: Any, where: List[str]) -> str:
    """The variable of a field. ``where`` is its path, by its own names or by the name that it is read under."""
    config = getattr(cls, "model_config", None) or {}
    old = getattr(cls, "__config__", None)
    prefix = str(config.get("env_prefix") or getattr(old, "env_prefix", "") or "")
    delimiter = str(config.get("env_nested_delimiter") or getattr(old, "env_nested_delimiter", None) or "__")
    fields = getattr(cls, "model_fields", None) or getattr(cls, "__fields__", {})
    field = fields.get(where[0])
    named = _alias(field) if field is not None else where[0]
    first = named or prefix + where[0]
    return delimiter.join([first, *where[1:]]).upper()


def _alias(field: Any) -> Optional[str]:
    alias = getattr(field, "validation_alias", None)
    alias = getattr(alias, "choices", [alias])[0]
    if isinstance(alias, str):
        return alias
    extra = getattr(getattr(field, "field_info", None), "extra", {})
    names = extra.get("env_names") or ()
    return str(sorted(names)[0]) if names else None
