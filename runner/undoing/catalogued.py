"""The objects of a database as the catalogue has them, for engines whose catalogue says all that there is to a table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from checks.schema.model import Column, ForeignKey, Index, Table
from checks.schema.names import ObjectKind, ObjectReference, column_reference, table_reference
from runner.undoing.facts import Facts

#: What SQLite calls the index of a UNIQUE that has no name of its own; the number says only how many came before.
_UNNAMED = re.compile(r"sqlite_autoindex_.*_\d+", re.DOTALL)
_IN_QUOTES = re.compile(r"('(?:[^']|'')*')")
_IDLE = re.compile(r"[\s\"`\[\]]+")


def plain(text: str) -> str:
    """A statement or expression in which only what means something is left: no line breaks, no quotes round names."""
    parts = _IN_QUOTES.split(text)
    return " ".join("".join(part if number % 2 else _IDLE.sub(" ", part) for number, part in enumerate(parts)).split())


def objects(
    table: Table, of_table: Mapping[str, str], of_columns: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[ObjectReference, Facts]]:
    """A table with all that hangs on it; what the catalogue does not say of it and of its columns comes with it."""
    yield table_reference(table.name), _there(of_table)
    for column in table.columns:
        yield column_reference(table.name, column.name), _there({**_of(column), **of_columns.get(column.name, {})})
    for key in table.foreign_keys:
        yield key.reference, {"definition": _key(key)}
    for check in table.checks:
        yield check.reference, {"definition": f"CHECK ({plain(check.expression)})"}
    for index in table.indexes:
        yield _index(index)
    for trigger in table.triggers:
        yield trigger.reference, {"definition": plain(trigger.definition)}


def _there(facts: Mapping[str, str]) -> Facts:
    return {name: value for name, value in facts.items() if value}


def _of(column: Column) -> dict[str, str]:
    return {
        "type": column.type,
        "rule on NULL": "" if column.nullable else "NOT NULL",
        "generated value" if column.generated else "default": plain(column.default) if column.default is not None else "",
        "collation": column.collation or "",
        "automatic value": "AUTO_INCREMENT" if column.identity else "",
    }


def _key(key: ForeignKey) -> str:
    rules = f"ON DELETE {key.on_delete.value.upper()} ON UPDATE {key.on_update.value.upper()}"
    deferred = " DEFERRABLE" if key.deferrable else ""
    deferred += " INITIALLY DEFERRED" if key.initially_deferred else ""
    parent = f"{key.parent.schema}.{key.parent.name}" if key.parent.schema else key.parent.name
    return f"FOREIGN KEY ({', '.join(key.columns)}) REFERENCES {parent} ({', '.join(key.parent_columns)}) {rules}{deferred}"


def _index(index: Index) -> tuple[ObjectReference, Facts]:
    """A primary key or UNIQUE is a constraint; one without a name is called by its columns."""
    parts = ", ".join(plain(key).removesuffix(" asc") for key in index.keys)
    kind = "PRIMARY KEY" if index.primary else "UNIQUE" if index.unique else "INDEX"
    method = "" if index.method == "btree" else f" {index.method}"
    where = f" WHERE {plain(index.predicate)}" if index.predicate else ""
    definition = " ".join([f"{kind}{method} ({parts}){where}", *index.traits])
    if index.primary:
        return ObjectReference(ObjectKind.CONSTRAINT, "", index.table.name, "PRIMARY KEY"), {"definition": definition}
    unnamed = _UNNAMED.fullmatch(index.name) is not None
    name = f"UNIQUE ({', '.join(one or '' for one in index.columns)})" if unnamed else index.name
    of = ObjectKind.CONSTRAINT if unnamed else ObjectKind.INDEX
    return ObjectReference(of, "", index.table.name, name), {"definition": definition}
