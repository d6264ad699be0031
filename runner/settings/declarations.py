"""What the settings declare of a document database, read with the files that they name, each with its file and line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks.declared.documents import (
    DeclaredIndex,
    DeclaredValidator,
    DocumentExpectations,
    DocumentQuery,
    DocumentReference,
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
from runner.settings.structured import Unreadable, extended_json, read
from runner.settings.values import index_key, plain
from runner.settings.wording import did_you_mean

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
    """Where a database is declared: its name, the repository's ``root``, and the settings file with its text.

    ``work_tree`` is the user's own checkout where ``root`` is another, such as base's files.
    """

    database: str
    root: Path
    file: str = ""
    text: str = ""
    prefix: tuple[str, ...] = ()
    work_tree: Path | None = None

    def place(self, *keys: str) -> Place | None:
        """The line of a key below the database."""
        return Place(self.file, line_of(self.text, (*self.prefix, "databases", self.database, *keys))) if self.file else None

    def wrong(self, message: str, *keys: str) -> UsageError:
        """An error about a key."""
        where = f"{self.file}: " if self.file else ""
        return UsageError(f"{where}databases.{self.database}.{'.'.join(keys)}: {message}")


@dataclass(frozen=True)
class Declared:
    """What one checkout declares that its database is made of, and what refers to what."""

    validators: tuple[DeclaredValidator, ...] = ()
    indexes: tuple[DeclaredIndex, ...] = ()
    references: tuple[DocumentReference, ...] = ()


def declared_in(root: Path, file: Path | None, database: str, work_tree: Path | None = None) -> Declared:
    """What the settings file of a checkout declares of a database; nothing where the checkout has no such file or database.

    ``work_tree`` is the user's own checkout, whose environment the models are printed with. Raises UsageError for a file or a
    schema that cannot be read, ToolFailed where the models cannot be printed.
    """
    from runner.settings.faults import settings_from

    if file is None or not (root / file).is_file():
        return Declared()
    document = find(root, str(root / file))
    settings = settings_from(document.content)[0] if document else None
    if document is None or settings is None or database not in settings.databases:
        return Declared()
    text = document.path.read_text("utf-8-sig", "replace")
    return everything(settings.databases[database], Source(database, root, file.as_posix(), text, document.prefix, work_tree))


def everything(settings: DatabaseSettings, source: Source) -> Declared:
    """What the settings, the files that they name and the application's models declare together; raises as above."""
    from runner.settings.collection_files import in_files, of_models, together

    place = source.place("expect", "references")
    references = tuple(parse_document_reference(text, place) for text in settings.expect.references)
    own = Declared(validators(settings.expect, source), indexes(settings.expect, source), references)
    beside = together(together(Declared(), own, source), in_files(settings, source), source)
    return together(beside, of_models(settings, source), source)


def documents(settings: DatabaseSettings, source: Source) -> DocumentExpectations:
    """Everything that is declared. Raises UsageError for a file that is not there or holds no schema."""
    declared = everything(settings, source)
    return DocumentExpectations(
        references=declared.references,
        validators=declared.validators,
        indexes=declared.indexes,
        queries=tuple(_query(name, query) for name, query in settings.queries.items()),
        limits=limits(settings.limits),
        deletes=_deletes(settings.expect, declared, source),
    )


def _deletes(expect: ExpectSettings, declared: Declared, source: Source) -> Mapping[str, str]:
    """The commands that delete a document; raises UsageError for one that no declared delete rule asks for."""
    asked = {reference.parent.collection for reference in declared.references if reference.on_delete}
    for name in expect.deletes:
        if name not in asked:
            said = f"no reference to {name} says 'on delete'{did_you_mean(name, asked) if asked else ''}"
            raise source.wrong(said, "expect", "deletes", name)
    return expect.deletes


def validators(expect: ExpectSettings, source: Source) -> tuple[DeclaredValidator, ...]:
    """The declared validators. Raises UsageError for a file that is not there or holds no schema."""
    return tuple(_validator(name, declared, source) for name, declared in expect.schemas.items())


def indexes(expect: ExpectSettings, source: Source) -> tuple[DeclaredIndex, ...]:
    """The declared indexes."""
    return tuple(
        DeclaredIndex(collection, _index(name, one), source.place("expect", "indexes", collection, name))
        for collection, named in expect.indexes.items()
        for name, one in named.items()
    )


def _validator(collection: str, declared: object, source: Source) -> DeclaredValidator:
    keys = ("expect", "schemas", collection)
    if isinstance(declared, str):
        path = source.root / declared
        return DeclaredValidator(collection, _read(path, declared, source, keys), Place(declared, 1))
    return DeclaredValidator(collection, _whole(plain(declared), source, keys), source.place(*keys))


def _read(path: Path, name: str, source: Source, keys: Sequence[str]) -> Mapping[str, Any]:
    if not path.is_file():
        raise source.wrong(f"there is no file {name}", *keys)
    try:
        content = read(path.read_text("utf-8-sig"), name).content
    except Unreadable as wrong:
        raise source.wrong(f"{Place(name, wrong.line)}: {wrong}", *keys) from None
    except ValueError as wrong:
        raise source.wrong(f"{name}: not in UTF-8: {wrong}", *keys) from None
    return _whole(content, source, keys, f"{name}: ")


def _whole(given: object, source: Source, keys: Sequence[str], file: str = "") -> Mapping[str, Any]:
    try:
        return whole_validator(given)
    except ValueError as wrong:
        raise source.wrong(f"{file}{wrong}", *keys) from None


def whole_validator(given: object, converted: Callable[[Any], Mapping[str, Any]] = lambda schema: schema) -> Mapping[str, Any]:
    """The validator as the server takes it: a schema alone, ``converted`` first, is put under ``$jsonSchema``.

    Raises ValueError for what is neither, and for keywords that the server would refuse.
    """
    if not isinstance(given, Mapping) or not given:
        raise ValueError("expected a JSON Schema, or a validator with '$jsonSchema'")
    if not _OPERATORS & given.keys():
        given = {"$jsonSchema": {key: value for key, value in converted(given).items() if key not in _NOTES}}
    for where, keyword in _unknown(given.get("$jsonSchema", {})):
        raise ValueError(f"MongoDB does not know '{keyword}' ({where or 'at the top'}): {_UNKNOWN[keyword]}")
    return given


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
        collation=None if one.collation is None else plain(one.collation),
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
        keys_examined=query.keys_examined,
        examined_per_returned=query.examined_per_returned,
        in_memory_sort=query.in_memory_sort,
        gain=query.gain,
        sort=tuple((field, int(direction)) for field, direction in map(index_key, query.sort)),
    )


def _filter(given: object) -> Mapping[str, Any]:
    read = extended_json(given) if isinstance(given, str) else plain(given)
    return read if isinstance(read, Mapping) else {}
