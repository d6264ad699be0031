"""Compares the models that env.py imports with our database, as ``alembic check`` does, and tells each difference.

What differs is then applied to the database, which is a copy, and compared once more: a difference that is still there is one
that Alembic cannot settle (a default that the server writes in its own way, a type that it has no other name for).
"""

from __future__ import annotations

import inspect
import re
from contextlib import suppress
from typing import Any, Dict, Iterator, List, Optional, Tuple

from .place import Places
from .telling import tell

AGAIN = "Alembic finds it again after it has settled it"
_ARGUMENTS: Dict[str, Any] = {
    "message": None, "autogenerate": True, "sql": False, "head": "head", "splice": False, "branch_label": None,
    "version_path": None, "rev_id": None, "depends_on": None,
}  # fmt: skip


def compare(config: Any, places: Places) -> None:
    """Tell the differences once; nothing where env.py gives no models."""
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    directory = ScriptDirectory.from_config(config)

    def look(revision: Any, context: Any) -> List[Any]:
        if context.opts.get("target_metadata") is None:
            return []
        operations = list(_compared(config, directory, revision, context))
        first = [one for operation in operations for one in _Told(operation, context, places).all()]
        left = set()
        if first and _apply(operations, context):
            again = _compared(config, directory, revision, context)
            left = {one["words"] for operation in again for one in _Told(operation, context, places).all()}
        tell("drift", operations=[{**one, "none": one["none"] or (AGAIN if one["words"] in left else "")} for one in first])
        return []

    with EnvironmentContext(config, directory, fn=look, as_sql=False, **_template(config, directory)):
        directory.run_env()


def _template(config: Any, directory: Any) -> Dict[str, Any]:
    from alembic.autogenerate import RevisionContext

    context = RevisionContext(config, directory, dict(_ARGUMENTS))
    return {"template_args": context.template_args, "revision_context": context}


def _compared(config: Any, directory: Any, revision: Any, context: Any) -> Iterator[Any]:
    """The operations that a new revision would hold, those of one table together."""
    from alembic.autogenerate import RevisionContext

    made = RevisionContext(config, directory, dict(_ARGUMENTS))
    made.run_autogenerate(revision, context)
    for script in made.generated_revisions[-1:]:  # a hook of env.py may leave none
        for container in script.upgrade_ops_list:
            yield from container.ops


def _apply(operations: List[Any], context: Any) -> bool:
    """Take every step that can be taken, each in a savepoint; whether there is a connection to take it on."""
    from alembic.operations import Operations

    if context.connection is None:
        return False
    able = Operations(context)
    for operation in operations:
        for one in [operation] if _in_batch(operation, context) else _single(operation):
            # A step that rows stand in the way of is a difference all the same.
            with suppress(Exception), context.connection.begin_nested():
                _take(able, one, context)
    return True


def _in_batch(operation: Any, context: Any) -> bool:
    return context.dialect.name == "sqlite" and hasattr(operation, "table_name") and hasattr(operation, "ops")


def _take(able: Any, operation: Any, context: Any) -> None:
    if not _in_batch(operation, context):
        able.invoke(operation)
        return
    with able.batch_alter_table(operation.table_name, schema=operation.schema) as batch:
        for one in _single(operation):
            batch.invoke(one)


def _single(operation: Any) -> Iterator[Any]:
    for one in getattr(operation, "ops", ()):
        yield from _single(one)
    if not hasattr(operation, "ops"):
        yield operation


class _Told:
    """One operation with those inside it, in words."""

    def __init__(self, operation: Any, context: Any, places: Places) -> None:
        self._operation = operation
        self._dialect = context.dialect
        self._places = places

    def all(self) -> Iterator[Dict[str, Any]]:
        """What differs, one entry each: ``subject``, ``words``, ``kind``, and what it is of."""
        for one in _single(self._operation):
            try:
                said = one.to_diff_tuple()
            except (AttributeError, NotImplementedError):  # an operation of a package's own
                said = (type(one).__name__,)
            for diff in said if isinstance(said, list) else [said]:
                yield self._one(diff)

    def _one(self, diff: Tuple[Any, ...]) -> Dict[str, Any]:
        kind = str(diff[0])
        if kind.startswith("modify_"):
            return self._changed(diff)
        if kind in ("add_column", "remove_column"):
            return self._column(kind, diff[1], diff[2], diff[3])
        if kind in ("add_table", "remove_table"):
            return self._table(kind, diff[1])
        part = diff[1] if len(diff) > 1 else None
        if getattr(part, "table", None) is not None:
            return self._part(kind, part)
        return self._entry(kind, f"the models and the database differ: {kind}", "changed")

    def _table(self, kind: str, table: Any) -> Dict[str, Any]:
        name = _label(table.schema, table.name)
        if kind == "add_table":
            return self._of(table, "", "table", name, f"table {name} is in the models and not in the database", "missing")
        return self._of(table, "", "table", name, f"no model knows table {name}", "unknown table")

    def _column(self, kind: str, schema: Optional[str], table: str, column: Any) -> Dict[str, Any]:
        name = f"{_label(schema, table)}.{column.name}"
        if kind == "add_column":
            words = f"column {name} ({self._type(column.type)}) is in the models and not in the database"
            return self._of(_table_of(column, schema, table), column.name, "column", name, words, "missing")
        return self._of(_table_of(column, schema, table), column.name, "column", name, f"no model has column {name}", "unknown")

    def _changed(self, diff: Tuple[Any, ...]) -> Dict[str, Any]:
        kind, schema, table, column, _, was, now = diff
        name = f"{_label(schema, table)}.{column}"
        words = f"{name} {self._how(kind, was)}, and {self._how(kind, now)} in the models"
        alike = (
            kind == "modify_type" and self._dialect.name == "sqlite" and affinity(self._type(was)) == affinity(self._type(now))
        )
        found = self._of(_Named(schema, table), column, "column", name, words, "changed")
        return {**found, "none": "SQLite takes both types for the same"} if alike else found

    def _how(self, kind: str, value: Any) -> str:
        if kind == "modify_type":
            return f"is {self._type(value)}"
        if kind == "modify_nullable":
            return "may be NULL" if value else "is NOT NULL"
        what = kind.partition("_")[2]
        text = getattr(value, "arg", value)
        return f"has no {what}" if value in (None, False) else f"has the {what} {text}"

    def _part(self, kind: str, part: Any) -> Dict[str, Any]:
        """An index or a constraint."""
        way, _, what = kind.partition("_")
        what = {"fk": "foreign key", "constraint": _kind_of(part)}.get(what, what.replace("_", " "))
        table = _label(part.table.schema, part.table.name)
        columns = ", ".join(str(getattr(one, "name", one)) for one in getattr(part, "columns", ()))
        name = f"{table}.{part.name}" if part.name else f"{table} ({columns})"
        said = f"{what} {part.name or ''} on {table} ({columns})".replace("  ", " ")
        if way == "add":
            return self._of(
                part.table, part.name or "", what, name, f"{said} is in the models and not in the database", "missing"
            )
        return self._of(part.table, part.name or "", what, name, f"no model has {said}", "unknown")

    def _type(self, of: Any) -> str:
        try:
            return str(of.compile(dialect=self._dialect))
        except Exception:  # noqa: BLE001 - a type of the project's own that says nothing of itself
            return repr(of)

    def _of(self, table: Any, name: str, what: str, subject: str, words: str, kind: str) -> Dict[str, Any]:
        file, line = _model(table, name if what == "column" else "", self._places)
        return {
            **self._entry(subject, words, kind),
            "object": what,
            "schema": table.schema or "",
            "relation": table.name,
            "name": name,
            "file": file,
            "line": line,
        }

    def _entry(self, subject: str, words: str, kind: str) -> Dict[str, Any]:
        return {"subject": subject, "words": words, "kind": kind, "none": ""}


def affinity(declared: str) -> str:
    """What SQLite makes of a column's declared type (sqlite.org/datatype3.html, "Determination Of Column Affinity")."""
    words = declared.upper()
    parts = (("INTEGER", ("INT",)), ("TEXT", ("CHAR", "CLOB", "TEXT")), ("BLOB", ("BLOB",)), ("REAL", ("REAL", "FLOA", "DOUB")))
    return next((name for name, said in parts if any(part in words for part in said)), "NUMERIC" if words else "BLOB")


class _Named:
    """A table of which the name is all that is known."""

    def __init__(self, schema: Optional[str], name: str) -> None:
        self.schema = schema
        self.name = name


def _label(schema: Optional[str], table: str) -> str:
    return f"{schema}.{table}" if schema else str(table)


def _table_of(column: Any, schema: Optional[str], table: str) -> Any:
    found = getattr(column, "table", None)
    return _Named(schema, table) if found is None else found


def _kind_of(constraint: Any) -> str:
    return {"UniqueConstraint": "unique constraint", "CheckConstraint": "CHECK"}.get(type(constraint).__name__, "constraint")


# Where the model stands -----------------------------------------------------------------------------------------------


def _model(table: Any, column: str, places: Places) -> Tuple[Optional[str], Optional[int]]:
    """File and line of a table's class in the repository, of the attribute where it stands there; nothing for a plain table."""
    try:
        for mapper in _mappers():
            of = mapper.local_table
            if of is not None and (of.name, of.schema or "") == (table.name, table.schema or ""):
                file = inspect.getsourcefile(mapper.class_) or ""
                lines, first = inspect.getsourcelines(mapper.class_)
                return (places.name(file), first + _attribute(lines, column)) if places.is_own_file(file) else (None, None)
    except Exception:  # noqa: BLE001 - where it stands is a help to people, and no more
        return None, None
    return None, None


def _mappers() -> Iterator[Any]:
    from sqlalchemy.orm import mapperlib  # since SQLAlchemy 1.4

    for registry in mapperlib._all_registries():
        yield from registry.mappers


def _attribute(lines: List[str], column: str) -> int:
    """The line, within a class, that begins with the column's name."""
    pattern = re.compile(rf"\s+{re.escape(column)}\s*[:=]")
    return next((number for number, line in enumerate(lines) if column and pattern.match(line)), 0)
