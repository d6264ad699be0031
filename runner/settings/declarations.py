"""What the settings declare of a document database, read with the files that they name, each with its file and line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks.declared.documents import (
    DeclaredIndex,
    DeclaredValidator,
    DocumentExpectations,
    DocumentQuery,
    parse_document_reference,
)
from checks.evidence import Place
from checks.schema.collections import CollectionIndex
from runner.errors import UsageError
from runner.settings.expected import ExpectSettings, IndexSettings, QuerySettings
from runner.settings.files import find
from runner.settings.limits import limits
from runner.settings.lines import line_of
from runner.settings.model import DatabaseSettings
from runner.settings.values import index_key

#: What editors and documentation want of a schema, and no server reads.
_NOTES = frozenset({"$schema", "$id", "$comment"})
#: Keywords of JSON Schema that MongoDB does not have, with what to do instead (its manual, "$jsonSchema", "Omissions").
_UNKNOWN = {
    "$ref": "write the schema out where it is used",
    "$defs": "write the schemas out where they are used",
    "definitions": "write the schemas out where they are used",
    "default": "leave it to the application",
    "format": "use 'bsonType' or 'pattern'",
}
#: Operators with which a file begins that holds a whole validator and no schema.
_OPERATORS = frozenset({"$jsonSchema", "$and", "$or", "$nor", "$expr"})


@dataclass(frozen=True)
class Source:
    """Where a database is declared: its name, the repository's ``root``, and the settings file with its text."""

    database: str
    root: Path
    file: str = ""
    text: str = ""
    prefix: tuple[str, ...] = ()

    def place(self, *keys: str) -> Place | None:
        """The line of a key below the database."""
        return Place(self.file, line_of(self.text, (*self.prefix, "databases", self.database, *keys))) if self.file else None

    def wrong(self, message: str, *keys: str) -> UsageError:
        """An error about a key."""
        where = f"{self.file}: " if self.file else ""
        return UsageError(f"{where}databases.{self.database}.{'.'.join(keys)}: {message}")


@dataclass(frozen=True)
class Declared:
    """What one checkout declares that its database is made of."""

    validators: tuple[DeclaredValidator, ...] = ()
    indexes: tuple[DeclaredIndex, ...] = ()


def declared_in(root: Path, file: Path | None, database: str) -> Declared:
    """What the settings file of a checkout declares of a database; nothing where the checkout has no such file or database.

    Raises UsageError for a file or a schema that cannot be read.
    """
    from runner.settings.faults import settings_from

    if file is None or not (root / file).is_file():
        return Declared()
    document = find(root, str(root / file))
    settings = settings_from(document.content)[0] if document else None
    if document is None or settings is None or database not in settings.databases:
        return Declared()
    expect = settings.databases[database].expect
    text = document.path.read_text("utf-8-sig", "replace")
    source = Source(database, root, file.as_posix(), text, document.prefix)
    return Declared(validators(expect, source), indexes(expect, source))


def documents(settings: DatabaseSettings, source: Source) -> DocumentExpectations:
    """Everything that is declared. Raises UsageError for a file that is not there or holds no schema."""
    return DocumentExpectations(
        references=tuple(
            parse_document_reference(text, source.place("expect", "references")) for text in settings.expect.references
        ),
        validators=validators(settings.expect, source),
        indexes=indexes(settings.expect, source),
        queries=tuple(_query(name, query) for name, query in settings.queries.items()),
    )


def validators(expect: ExpectSettings, source: Source) -> tuple[DeclaredValidator, ...]:
    """The declared validators. Raises UsageError for a file that is not there or holds no schema."""
    return tuple(_validator(name, declared, source) for name, declared in expect.schemas.items())


def indexes(expect: ExpectSettings, source: Source) -> tuple[DeclaredIndex, ...]:
    """The declared indexes."""
    return tuple(
        DeclaredIndex(collection, _index(name, one), source.place("expect", "indexes", collection, name))
        for collection, named in expect.indexes.items()
        for name, one in named.items()
        limits=limits(settings.limits),
    )


def extended_json(text: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """A text of Extended JSON (``{"$date": …}``, ``{"$oid": …}``) as BSON's own types; raises ValueError."""
    from bson import json_util
    from bson.errors import InvalidId

    try:
        return json_util.loads(text)
    except (InvalidId, TypeError) as wrong:
        raise ValueError(str(wrong)) from None


def _validator(collection: str, declared: object, source: Source) -> DeclaredValidator:
    keys = ("expect", "schemas", collection)
    if isinstance(declared, str):
        path = source.root / declared
        return DeclaredValidator(collection, _read(path, declared, source, keys), Place(declared, 1))
    return DeclaredValidator(collection, _whole(_plain(declared), source, keys), source.place(*keys))


def _read(path: Path, name: str, source: Source, keys: Sequence[str]) -> Mapping[str, Any]:
    if not path.is_file():
        raise source.wrong(f"there is no file {name}", *keys)
    try:
        read = extended_json(path.read_text("utf-8-sig"))
    except json.JSONDecodeError as wrong:
        raise source.wrong(f"{name}:{wrong.lineno}: not JSON: {wrong.msg}", *keys) from None
    except ValueError as wrong:
        raise source.wrong(f"{name}: not JSON in UTF-8: {wrong}", *keys) from None
    return _whole(read, source, keys, f"{name}: ")


def _whole(read: object, source: Source, keys: Sequence[str], file: str = "") -> Mapping[str, Any]:
    """The validator as the server takes it: a schema alone is put under ``$jsonSchema``."""
    if not isinstance(read, Mapping) or not read:
        raise source.wrong(f"{file}expected a JSON Schema, or a validator with '$jsonSchema'", *keys)
    if not _OPERATORS & read.keys():
        read = {"$jsonSchema": {key: value for key, value in read.items() if key not in _NOTES}}
    for where, keyword in _unknown(read.get("$jsonSchema", {})):
        raise source.wrong(f"{file}MongoDB does not know '{keyword}' ({where or 'at the top'}): {_UNKNOWN[keyword]}", *keys)
    return read


def _unknown(schema: object, where: str = "") -> Iterator[tuple[str, str]]:
    """Keywords that the server would refuse. What stands under ``properties`` are names, not keywords."""
    if not isinstance(schema, Mapping):
        return
    for key, value in schema.items():
        if key in _UNKNOWN:
            yield where, key
        elif key in ("properties", "patternProperties", "dependencies") and isinstance(value, Mapping):
            for name, inner in value.items():
                yield from _unknown(inner, f"{where}.{name}" if where else str(name))
        elif key != "enum":
            for inner in value if isinstance(value, list) else [value]:
                yield from _unknown(inner, where)


def _index(name: str, one: IndexSettings) -> CollectionIndex:
    return CollectionIndex(
        name=name,
        keys=tuple(map(index_key, one.keys)),
        unique=one.unique,
        sparse=one.sparse,
        partial_filter=None if one.partial is None else _filter(one.partial),
        expire_after_seconds=None if one.expire_after is None else round(one.expire_after),
        collation=None if one.collation is None else _plain(one.collation),
        hidden=one.hidden,
    )


def _query(name: str, query: QuerySettings) -> DocumentQuery:
    return DocumentQuery(
        name=name,
        collection=query.collection or "",
        find=None if query.find is None else _filter(query.find),
        pipeline=None if query.pipeline is None else extended_json(query.pipeline),
        category=query.category,
        limit=query.limit or query.category.limit,
        examined=query.examined,
    )


def _filter(given: object) -> Mapping[str, Any]:
    read = extended_json(given) if isinstance(given, str) else _plain(given)
    return read if isinstance(read, Mapping) else {}


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever TOML holds
    """TOML's values as the server has them: the settings keep lists as tuples."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value
        keys_examined=query.keys_examined,
        examined_per_returned=query.examined_per_returned,
        in_memory_sort=query.in_memory_sort,
        gain=query.gain,
        sort=tuple((field, int(direction)) for field, direction in map(index_key, query.sort)),
