"""What was concluded of a database, as a file that declares collections: with a word on how sure each part is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from checks.declared.documents import DocumentReference, FieldPath, parse_document_reference
from checks.schema.collections import CollectionIndex
from runner.gathering import counted
from runner.inferring.collections import Inferred, InferredCollection
from runner.inferring.references import Likely
from runner.settings.values import index_key
from runner.text import single_line

_OPENING = """\
# What was found in the database, as a first declaration: `files` of [databases.NAME.expect] names this file.
# Read it over. What is declared here is asked of every change from now on.
"""
_WIDTH = 120


def text(inferred: Inferred) -> str:
    """The whole file, in YAML."""
    blocks = [_collection(one, inferred.references) for one in inferred.collections]
    left_out = [_comment(f"{name}: left out, {reason}", 0) for name, reason in inferred.left_out]
    return "\n".join([_OPENING, *blocks, *left_out])


def sentence(one: InferredCollection) -> str:
    """How many documents a collection has, how many were read, and whether all keep to the schema."""
    if not one.documents and not one.read:
        return "no documents, so nothing is known of their schema"
    read = "all read" if one.read >= one.documents else f"a sample of {one.read} read"
    whose = "the validator that it has" if one.stands else "this schema"
    if one.exceptions is None:
        held = f"whether all keep to {whose} could not be counted"
    elif one.exceptions:
        held = f"{one.exceptions} break {whose}"
    else:
        held = f"every one keeps to {whose}"
    return f"{counted(one.documents, 'document')}, {read}; {held}"


def _collection(one: InferredCollection, references: tuple[Likely, ...]) -> str:
    mine = [likely for likely in references if likely.reference.child.collection == one.name]
    declared = dict(_indexes(one))
    parts: dict[str, Any] = {"schema": _plain(one.schema)} if one.schema else {}
    parts |= {"indexes": {name: index for name, index in declared.items() if index}} if any(declared.values()) else {}
    said = [_comment(f"{one.name}: {sentence(one)}", 0)]
    said += [_comment(f"{where or 'documents'}: {why}", 0) for where, why in one.notes]
    said += [_comment(f"the index {name} cannot be said here", 0) for name, index in declared.items() if not index]
    sure: list[tuple[Likely, str]] = []
    unsure: list[tuple[Likely, str]] = []
    for likely in mine:
        line = _line(likely.reference)
        (sure if likely.is_sure and line else unsure).append((likely, line or likely.reference.label))
    body = _yaml({one.name: parts}) if parts or not sure else _yaml({one.name: None}).replace(" null\n", "\n")
    listed = [part for likely, line in sure for part in (_comment(_why(likely), 4), f"    - {json.dumps(line)}\n")]
    maybe = [_comment(f"perhaps: {line} ({_why(likely)})", 2) for likely, line in unsure]
    return "".join([*said, body, *(["  references:\n", *listed] if listed else []), *maybe])


def _why(likely: Likely) -> str:
    return f"{likely.share * 100:.0f} %: {likely.found} of {likely.asked} different values are there"


def _line(reference: DocumentReference) -> str:
    """The line that declares a reference, the child's collection left out; nothing where its names cannot be said."""
    own, parent = _spelled(reference.child), f"{_quoted(reference.parent.collection)}.{_spelled(reference.parent)}"
    try:
        read = parse_document_reference(f"{_quoted(reference.child.collection)}.{own} -> {parent}")
    except ValueError:
        return ""
    return f"{own} -> {parent}" if read == reference else ""


def _spelled(path: FieldPath) -> str:
    return ".".join(_quoted(step.name) + "[]" * step.each for step in path.steps)


def _quoted(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() else f'"{name}"'


def _indexes(one: InferredCollection) -> Iterator[tuple[str, Mapping[str, Any] | None]]:
    """Each index in the settings' words; ``None`` for one that these words do not say."""
    for index in one.indexes:
        keys = [_key(name, kind) for name, kind in index.keys]
        yield index.name, {"keys": keys, **_options(index)} if _can_be_said(index, keys) else None


def _can_be_said(index: CollectionIndex, keys: list[str]) -> bool:
    try:
        return tuple(map(index_key, keys)) == index.keys and "wildcardProjection" not in index.options
    except ValueError:
        return False


def _key(name: str, kind: int | str) -> str:
    return f"{name} {kind}" if isinstance(kind, str) else f"-{name}" if kind < 0 else name


def _options(index: CollectionIndex) -> Mapping[str, Any]:
    options: dict[str, Any] = {name: True for name in ("unique", "sparse", "hidden") if getattr(index, name)}
    if index.partial_filter is not None:
        options["partial"] = _plain(index.partial_filter)
    if index.expire_after_seconds is not None:
        options["expire_after"] = f"{index.expire_after_seconds}s"
    if index.collation is not None:
        options["collation"] = {name: value for name, value in _plain(index.collation).items() if name != "version"}
    return options


def _plain(value: Any) -> Any:  # noqa: ANN401 - any value of a document
    """BSON's types as Extended JSON, which the file is read as."""
    from bson import json_util

    return json.loads(json_util.dumps(value, json_options=json_util.RELAXED_JSON_OPTIONS))


def _yaml(content: object) -> str:
    import yaml

    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=None))


def _comment(words: str, indent: int) -> str:
    return f"{' ' * indent}# {single_line(words)}\n"
