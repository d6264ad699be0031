"""How an application reads a tenant's documents: a declared find or pipeline, in which the tenant stands as a placeholder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from checks.tenants.parts import operators
from checks.tenants.templates import TENANT

Stage: TypeAlias = Mapping[str, Any]

#: A text that is a placeholder and nothing else.
_PLACEHOLDER = re.compile(r"""\{(?P<name>[^\s{}":]+)\}""")
#: Stages that are no reading, and why.
_NO_READ = {
    "$out": "writes what it should return",
    "$merge": "writes what it should return",
    "$changeStream": "waits for changes and never ends",
}


@dataclass(frozen=True)
class DocumentRead:
    """A find (``find`` is its filter) or a pipeline, in which the value of each of ``columns`` stands as ``"{tenant}"``."""

    collection: str
    find: Stage | None = field(default=None, hash=False)
    pipeline: Sequence[Stage] = field(default=(), hash=False)
    columns: tuple[str, ...] = ()

    @property
    def stages(self) -> Sequence[Stage]:
        """The same as a pipeline."""
        return self.pipeline if self.find is None else [{"$match": self.find}]


def parse_document_read(collection: str, asked: object, columns: Sequence[str]) -> DocumentRead:
    """Read a filter (a mapping) or a pipeline (a list) in which a tenant stands; raises ValueError with what was expected."""
    for name in operators(asked):
        if name in _NO_READ:
            raise ValueError(f"'{name}' {_NO_READ[name]}; a read returns documents")
    named = set(_placeholders(asked, columns))
    if not named:
        raise ValueError(f'names no tenant: expected a placeholder, such as {{"{columns[0]}": "{{{TENANT}}}"}}')
    used = tuple(name for name in columns if name in named)
    if isinstance(asked, Mapping):
        return DocumentRead(collection, find=asked, columns=used)
    if not isinstance(asked, list):
        raise ValueError("expected a filter, or a list of stages")
    return DocumentRead(collection, pipeline=asked, columns=used)


def filled(part: Any, tenant: Mapping[str, Any], first: str) -> Any:  # noqa: ANN401 - any part of a query
    """A part of a read with a tenant's values, as they are stored, in their places; ``first`` is the first column."""
    values = {f"{{{name}}}": value for name, value in tenant.items()}
    return _filled(part, {**({f"{{{TENANT}}}": tenant[first]} if first in tenant else {}), **values})


def _filled(part: Any, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any part of a query
    if isinstance(part, Mapping):
        return {name: _filled(inner, values) for name, inner in part.items()}
    if isinstance(part, list | tuple):
        return [_filled(inner, values) for inner in part]
    return values.get(part, part) if isinstance(part, str) else part


def speaks_of_a_tenant(part: object, columns: Sequence[str]) -> bool:
    """Whether a placeholder stands in a part of a read."""
    if isinstance(part, Mapping):
        return any(speaks_of_a_tenant(inner, columns) for inner in part.values())
    if isinstance(part, list | tuple):
        return any(speaks_of_a_tenant(inner, columns) for inner in part)
    return part in [f"{{{name}}}" for name in (TENANT, *columns)]


def _placeholders(part: object, columns: Sequence[str]) -> Iterator[str]:
    """The columns whose values stand in a part of a query; raises ValueError for a placeholder that is none."""
    if isinstance(part, str):
        yield from _placeholder(part, columns)
    elif isinstance(part, Mapping):
        for name, inner in part.items():
            if found := _known_in(str(name), columns):
                raise ValueError(f"{found} stands in the name of a field; it stands for a value")
            yield from _placeholders(inner, columns)
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from _placeholders(inner, columns)


def _placeholder(text: str, columns: Sequence[str]) -> Iterator[str]:
    if any(text == f"{{{name}}}" for name in columns):
        yield text[1:-1]
    elif text == f"{{{TENANT}}}":
        yield columns[0]
    elif _PLACEHOLDER.fullmatch(text):
        there = ", ".join(f"{{{one}}}" for one in (TENANT, *columns))
        raise ValueError(f"{text} is not a placeholder; there are: {there}")
    elif within := _known_in(text, columns):
        raise ValueError(f"{within} stands within a text; it is a value by itself, of the type that is stored")


def _known_in(text: str, columns: Sequence[str]) -> str:
    return next((shown for name in (TENANT, *columns) if (shown := f"{{{name}}}") in text), "")
