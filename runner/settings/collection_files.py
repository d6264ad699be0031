"""What is declared by collection outside of the settings: in files that they name, and by what the application's models print.

companies:
  schema: { required: [company_name] }
  indexes:
    company_name_unique: { keys: [company_name], unique: true }
subscriptions:
  references:
    - company_name -> companies.company_name on delete restrict
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from checks.declared.documents import DeclaredIndex, DeclaredValidator, DocumentReference, parse_document_reference
from checks.evidence import Place
from checks.interface import Engine
from runner.errors import UsageError
from runner.settings.declarations import Declared, Source, indexes, whole_validator
from runner.settings.json_schema import converted
from runner.settings.model import DatabaseSettings, MigrationSettings
from runner.settings.structured import Structure, Unreadable, read
from runner.settings.wording import did_you_mean, key_path, shorten

#: What may be said of a collection; ``place`` only where a program prints it, as ``file:line``.
PARTS = ("schema", "indexes", "references")
_PLACE = "place"


@dataclass(frozen=True)
class _Origin:
    """Where a structure comes from: how errors begin, and the place of a key of it. ``schema`` reads what stands for one."""

    source: Source
    key: str
    says: Callable[[Sequence[str]], str]
    place: Callable[[Sequence[str]], Place | None]
    schema: Callable[[Any], Any]
    parts: tuple[str, ...] = PARTS

    def wrong(self, message: str, *keys: str) -> UsageError:
        return self.source.wrong(f"{self.says(keys)}: {message}", "expect", self.key)


def in_files(settings: DatabaseSettings, source: Source) -> Declared:
    """What the files of ``files`` declare, in the order of the patterns and of names. Raises UsageError."""
    found: list[Declared] = []
    for name in _named(settings.expect.files, source):
        structure = _structure(name, source)
        origin = _Origin(
            source,
            "files",
            says=lambda keys, name=name, structure=structure: str(Place(name, structure.line(*keys))),  # type: ignore[misc]
            place=lambda keys, name=name, structure=structure: Place(name, structure.line(*keys) or 1),  # type: ignore[misc]
            schema=lambda schema: schema,
        )
        found.append(_declared(structure.content, origin))
    whole = Declared(
        tuple(one for part in found for one in part.validators),
        tuple(one for part in found for one in part.indexes),
        tuple(one for part in found for one in part.references),
    )
    return together(Declared(), whole, source)


def _named(patterns: Sequence[str], source: Source) -> Sequence[str]:
    """The files that patterns name, relative to the root. Raises UsageError for a pattern that names none."""
    names: dict[str, None] = {}
    for number, pattern in enumerate(patterns):
        try:
            found = sorted(path for path in source.root.glob(pattern) if path.is_file())
        except (NotImplementedError, ValueError, OSError) as wrong:
            raise source.wrong(
                f"'{shorten(pattern)}' is no pattern below the root: {wrong}", "expect", f"files[{number}]"
            ) from None
        if not found:
            raise source.wrong(f"there is no file {shorten(pattern)}", "expect", f"files[{number}]")
        names |= dict.fromkeys(path.relative_to(source.root).as_posix() for path in found)
    return list(names)


def _structure(name: str, source: Source) -> Structure:
    try:
        return read((source.root / name).read_text("utf-8-sig"), name)
    except Unreadable as wrong:
        raise source.wrong(f"{Place(name, wrong.line)}: {wrong}", "expect", "files") from None
    except UnicodeDecodeError as wrong:
        raise source.wrong(f"{name}: is not UTF-8 (byte {wrong.start})", "expect", "files") from None
    except OSError as refused:
        raise source.wrong(f"{name}: cannot be read: {refused.strerror}", "expect", "files") from None


def of_models(settings: DatabaseSettings, source: Source) -> Declared:
    """What the application's own models say, printed by the settings' ``models``. Raises UsageError or ToolFailed."""
    from runner.programs import printed

    command = settings.expect.models
    if command is None:
        return Declared()
    try:
        said = printed(command, settings.migrations or MigrationSettings(tool="declared"), source)
        content = read(said, ".json").content
    except Unreadable as wrong:
        where = f" (line {wrong.line} of what it printed)" if wrong.line else ""
        remedy = "It prints JSON to standard output and nothing else; what is said for people goes to standard error."
        told = source.wrong(f"`{command}` printed no JSON: {wrong}{where}", "expect", "models")
        raise UsageError(told.message, remedy) from None
    origin = _Origin(
        source,
        "models",
        says=lambda _: f"`{command}`",
        place=lambda keys: _told_place(content, keys) or source.place("expect", "models"),
        schema=converted,
        parts=(*PARTS, _PLACE),
    )
    return _declared(_by_collection(content, origin), origin)


def _by_collection(content: object, origin: _Origin) -> object:
    """A printed JSON Schema alone stands for the collection's ``schema``."""
    if not isinstance(content, Mapping):
        return content
    return {name: one if _is_parts(one, origin) else {"schema": one} for name, one in content.items()}


def _is_parts(one: object, origin: _Origin) -> bool:
    return isinstance(one, Mapping) and bool(one) and one.keys() <= set(origin.parts)


def _told_place(content: object, keys: Sequence[str]) -> Place | None:
    """The ``place`` that a program printed of a collection: ``app/models.py:12``."""
    one = content.get(keys[0]) if isinstance(content, Mapping) and keys else None
    told = one.get(_PLACE) if isinstance(one, Mapping) else None
    if not isinstance(told, str):
        return None
    file, _, line = told.rpartition(":")
    return Place(file, int(line)) if file and line.isdecimal() else Place(told)


def _declared(content: object, origin: _Origin) -> Declared:
    if content is None:
        return Declared()
    if not isinstance(content, Mapping):
        raise origin.wrong("expected a collection's name, and below it 'schema', 'indexes' or 'references'")
    for name, one in content.items():
        _hold(name, one, origin)
    return Declared(
        tuple(_validator(name, one["schema"], origin) for name, one in content.items() if "schema" in one),
        tuple(_indexes({name: one["indexes"] for name, one in content.items() if one.get("indexes")}, origin)),
        tuple(reference for name, one in content.items() for reference in _references(name, one, origin)),
    )


def _hold(name: str, one: object, origin: _Origin) -> None:
    if not name.strip() or "\0" in name or "$" in name or name.startswith("system."):
        raise origin.wrong(f"'{shorten(name)}' is no name of a collection", name)
    if not isinstance(one, Mapping):
        raise origin.wrong(f"{shorten(name)}: expected 'schema', 'indexes' or 'references' of the collection", name)
    for key in one:
        if key not in origin.parts:
            raise origin.wrong(f"{shorten(name)}: unknown key '{shorten(key)}'{did_you_mean(key, origin.parts)}", name, key)


def _validator(name: str, schema: object, origin: _Origin) -> DeclaredValidator:
    try:
        validator = whole_validator(schema, origin.schema)
    except ValueError as wrong:
        raise origin.wrong(f"{shorten(name)}.schema: {wrong}", name, "schema") from None
    return DeclaredValidator(name, validator, origin.place((name, "schema")))


def _indexes(given: Mapping[str, object], origin: _Origin) -> Iterator[DeclaredIndex]:
    """Indexes by the settings' own words, so that the same is right and wrong in a file as there."""
    from runner.settings.faults import settings_from

    if not given:
        return
    database = origin.source.database or "docs"
    document = {"databases": {database: {"engine": str(Engine.MONGODB), "expect": {"indexes": given}}}}
    settings, faults = settings_from(document)
    above = len(("databases", database, "expect", "indexes"))
    if faults:
        # An unknown key first: another may be missing because of it.
        fault = min(faults, key=lambda one: not one.message.startswith("unknown key"))
        name, *below = fault.path[above:]
        said = f"{key_path((name, 'indexes', *below))}: {fault.message}"
        raise origin.wrong(said, str(name), "indexes", *map(str, below))
    if settings is not None:
        for one in indexes(settings.databases[database].expect, replace(origin.source, file="")):
            yield replace(one, place=origin.place((one.collection, "indexes", one.index.name)))


def _references(name: str, one: Mapping[str, Any], origin: _Origin) -> Iterator[DocumentReference]:
    listed = one.get("references") or ()
    if not isinstance(listed, list | tuple) or not all(isinstance(text, str) for text in listed):
        raise origin.wrong(f"{shorten(name)}.references: expected a list of texts", name, "references")
    for number, text in enumerate(listed):
        keys = (name, "references", str(number))
        try:
            yield parse_document_reference(text, origin.place(keys), name)
        except ValueError as wrong:
            raise origin.wrong(f"{shorten(name)}.references[{number}]: {wrong}", *keys) from None


def together(one: Declared, other: Declared, source: Source) -> Declared:
    """All that two declarations say. Raises UsageError with both places where they say different things of the same."""
    return Declared(
        _merged("the validator of", one.validators, other.validators, lambda it: it.collection, source),
        _merged("the index", one.indexes, other.indexes, lambda it: it.label, source),
        _merged("the reference", one.references, other.references, lambda it: it.label, source),
    )


def _merged(
    what: str, first: Sequence[Any], second: Sequence[Any], label: Callable[[Any], str], source: Source
) -> tuple[Any, ...]:
    known = {label(one): one for one in first}
    for one in second:
        before = known.setdefault(label(one), one)
        if not _same(before, one):
            where = " and ".join(str(place) if place else "the settings" for place in (before.place, one.place))
            raise source.wrong(f"{what} {shorten(label(one))} is declared twice and not the same, in {where}", "expect")
    return tuple(known.values())


def _same(one: Any, other: Any) -> bool:  # noqa: ANN401 - validators, indexes or references
    if isinstance(one, DocumentReference):
        return bool(one.on_delete == other.on_delete)
    return bool(one == other)
