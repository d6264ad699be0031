"""What the settings declare of a SQLite database, spelled as its tables are: SQLite's names know no case."""

from __future__ import annotations

from dataclasses import replace

from checks.declared.candidates import Candidate, CheckCandidate, NotNullCandidate, UniqueCandidate
from checks.declared.expectations import Expectations
from checks.declared.references import ExpectedReference, Kind, PolymorphicReference
from checks.schema.model import Catalogue
from checks.schema.names import TableName


def spelled(expect: Expectations, catalogue: Catalogue) -> Expectations:
    """The same with the names of the catalogue; what it does not know stays as it is written."""
    return replace(
        expect,
        references=tuple(_reference(one, catalogue) for one in expect.references),
        polymorphic=tuple(_polymorphic(one, catalogue) for one in expect.polymorphic),
        audit=tuple(_candidate(one, catalogue) for one in expect.audit),
    )


def _reference(reference: ExpectedReference, catalogue: Catalogue) -> ExpectedReference:
    table, columns = _side(reference.table, reference.columns, catalogue)
    parent, parent_columns = _side(reference.parent, reference.parent_columns, catalogue)
    return replace(reference, table=table, columns=columns, parent=parent, parent_columns=parent_columns)


def _polymorphic(reference: PolymorphicReference, catalogue: Catalogue) -> PolymorphicReference:
    table, (type_column, column) = _side(reference.table, (reference.type_column, reference.column), catalogue)
    kinds = tuple(_kind(kind, catalogue) for kind in reference.kinds)
    return replace(reference, table=table, type_column=type_column, column=column, kinds=kinds)


def _kind(kind: Kind, catalogue: Catalogue) -> Kind:
    parent, (column,) = _side(kind.parent, (kind.column,), catalogue)
    return replace(kind, parent=parent, column=column)


def _candidate(candidate: Candidate, catalogue: Catalogue) -> Candidate:
    match candidate:
        case ExpectedReference():
            return _reference(candidate, catalogue)
        case CheckCandidate():
            return replace(candidate, table=_side(candidate.table, (), catalogue)[0])
        case NotNullCandidate():
            table, (column,) = _side(candidate.table, (candidate.column,), catalogue)
            return replace(candidate, table=table, column=column)
        case UniqueCandidate():
            table, texts = _side(candidate.table, tuple(part.text for part in candidate.parts), catalogue)
            parts = tuple(
                part if part.expression else replace(part, text=text) for part, text in zip(candidate.parts, texts, strict=True)
            )
            return replace(candidate, table=table, parts=parts)


def _side(name: TableName, columns: tuple[str, ...], catalogue: Catalogue) -> tuple[TableName, tuple[str, ...]]:
    found = next((table for table in catalogue.tables if table.name.name.lower() == name.name.lower()), None)
    if found is None:
        return name, columns
    names = {column.name.lower(): column.name for column in found.columns}
    return found.name, tuple(names.get(column.lower(), column) for column in columns)
