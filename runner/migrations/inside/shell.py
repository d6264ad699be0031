"""A command as text that reads like the shell's, without the values of documents."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, Mapping, Sequence

#: How many characters of a command are kept, and of a validator in it.
_LONGEST = 1_000
_VALIDATOR = 120

#: What drivers and servers put into every command, and nobody wrote.
_NOISE = frozenset({
    "lsid", "$db", "$clusterTime", "txnNumber", "$readPreference", "writeConcern", "ordered", "apiVersion", "apiStrict",
    "autocommit", "startTransaction", "readConcern", "cursor",
})  # fmt: skip


def statement(command: Mapping[str, Any]) -> str:
    """``db.companies.createIndex({company_name: 1}, {name: "company_name_unique", unique: true})`` and the like."""
    name, first = next(iter(command.items()), ("", ""))
    rest = {key: _short(key, value) for key, value in command.items() if key not in _NOISE and key != name}
    text = "; ".join(_calls(str(name), first, rest))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


class _Left(str):
    """Text that stands for something too long to be shown."""


def _short(key: str, value: Any) -> Any:
    """A validator may be as long as a file; that there is one is what matters."""
    return _Left("{…}") if key == "validator" and len(str(value)) > _VALIDATOR else value


def _calls(name: str, first: Any, rest: Mapping[str, Any]) -> Iterator[str]:
    on = f"db.{first}" if str(first).replace("_", "").isalnum() else f"db.getCollection({json.dumps(str(first))})"
    if name == "create":
        yield f"db.createCollection({_text(first)}{', ' + _text(rest) if rest else ''})"
    elif name == "createIndexes":
        for index in rest.get("indexes", ()):
            named = {"name": index["name"]} if "name" in index else {}
            options = {**named, **{key: value for key, value in index.items() if key not in ("key", "v")}}
            yield f"{on}.createIndex({_text(index.get('key', {}))}{', ' + _text(options) if options else ''})"
    elif name == "dropIndexes":
        yield f"{on}.dropIndex({_text(rest.get('index', '*'))})"
    elif name == "drop":
        yield f"{on}.drop()"
    elif name == "renameCollection":
        yield f"db.adminCommand({_text({name: first, **rest})})"
    elif name == "aggregate":
        yield f"{on}.aggregate({' → '.join(str(next(iter(stage), '')) for stage in rest.get('pipeline', ()))})"
    elif name in _WRITES:
        yield f"{on}.{_WRITES[name]}({', '.join(['…', *_fields(name, rest)])})"
    else:
        yield f"db.runCommand({_text({name: first, **rest})})"


def _fields(name: str, rest: Mapping[str, Any]) -> Iterator[str]:
    """The fields that an update names, by its operators, without their values: ``{$unset: {code: …}}``."""
    said = rest.get("updates") if name == "update" else [{"u": rest.get("update")}]
    found: Dict[str, Dict[str, Any]] = {}
    for one in said if isinstance(said, (list, tuple)) else ():
        change = one.get("u") if isinstance(one, Mapping) else None
        for stage in change if isinstance(change, (list, tuple)) else (change,):
            for operator, fields in stage.items() if isinstance(stage, Mapping) else ():
                if str(operator).startswith("$"):
                    found.setdefault(str(operator), {}).update(dict.fromkeys(_named(fields), _Left("…")))
    if found:
        yield _text({operator: fields or _Left("…") for operator, fields in found.items()})


def _named(fields: Any) -> Sequence[str]:
    if isinstance(fields, Mapping):
        return [str(one) for one in fields if not str(one).startswith("$")]
    return [one for one in (fields if isinstance(fields, (list, tuple)) else (fields,)) if isinstance(one, str)]


_WRITES = {
    "insert": "insert",
    "update": "update",
    "delete": "delete",
    "findAndModify": "findAndModify",
    "findandmodify": "findAndModify",
}


def _text(value: Any) -> str:
    """A value as the shell writes it: keys that need no quotes have none."""
    if isinstance(value, _Left):
        return str(value)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(str(key))}: {_text(part)}" for key, part in value.items())
        return "{" + inner + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_text(part) for part in value) + "]"
    if value is None or isinstance(value, (bool, int, float, str)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("$", "").isalnum() else json.dumps(key, ensure_ascii=False)
