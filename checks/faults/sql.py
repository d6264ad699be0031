"""How the engines write what plants a fault: names, constraints, and what takes them away."""

from __future__ import annotations

from checks.interface import Engine
from checks.schema.model import Action, Catalogue, Column, ForeignKey, Index, Match
from checks.schema.names import TableName

#: What everything that a fault makes is called.
PLANTED = "dbproof_fault"

_BACKTICKS = frozenset({Engine.MARIADB, Engine.MYSQL})


def name(engine: Engine, text: str) -> str:
    """A name, always quoted: ``"orders"``."""
    mark = "`" if engine in _BACKTICKS else '"'
    return f"{mark}{text.replace(mark, mark * 2)}{mark}"


def names(engine: Engine, listed: tuple[str, ...]) -> str:
    """Several names with commas between."""
    return ", ".join(name(engine, text) for text in listed)


def table(engine: Engine, called: TableName) -> str:
    """A table with its schema: ``"public"."orders"``."""
    return name(engine, called.name) if not called.schema else f"{name(engine, called.schema)}.{name(engine, called.name)}"


def literal(text: str) -> str:
    """A text as it stands in a statement."""
    return "'" + text.replace("'", "''") + "'"


def rows_of(engine: Engine, called: TableName, catalogue: Catalogue) -> str:
    """A table as a source of its own rows: PostgreSQL's ONLY leaves out the tables that inherit from it."""
    found = catalogue.table.get(called)
    plain = found is None or not found.partitioned
    return f"ONLY {table(engine, called)}" if engine is Engine.POSTGRESQL and plain else table(engine, called)


def select(what: str, source: str, rest: str = "") -> str:
    """A query; all of it is quoted already, here as in the next two."""
    return f"SELECT {what} FROM {source} {rest}".strip()  # noqa: S608 - names and literals are quoted


def update(what: str, change: str, where: str = "true") -> str:
    """A change to rows."""
    return f"UPDATE {what} SET {change} WHERE {where}"  # noqa: S608 - names and literals are quoted


def delete(what: str, where: str = "true") -> str:
    """Rows to remove."""
    return f"DELETE FROM {what} WHERE {where}"  # noqa: S608 - names and literals are quoted


def drop_constraint(engine: Engine, where: TableName, constraint: str, *, cascade: bool = False) -> str:
    """Take a constraint of a table away, with what rests on it (``cascade``)."""
    end = " CASCADE" if cascade and engine is Engine.POSTGRESQL else ""
    return f"ALTER TABLE {table(engine, where)} DROP CONSTRAINT {name(engine, constraint)}{end}"


def drop_foreign_key(engine: Engine, key: ForeignKey) -> str:
    """Take a foreign key away."""
    if engine in _BACKTICKS:
        return f"ALTER TABLE {table(engine, key.table)} DROP FOREIGN KEY {name(engine, key.name)}"
    return drop_constraint(engine, key.table, key.name)


def add_foreign_key(engine: Engine, key: ForeignKey, suffix: str = "") -> str:
    """Declare a foreign key as it is described."""
    match = " MATCH FULL" if key.match is Match.FULL else ""
    deferral = " DEFERRABLE" if key.deferrable else ""
    deferred = " INITIALLY DEFERRED" if key.initially_deferred else ""
    return (
        f"ALTER TABLE {table(engine, key.table)} ADD CONSTRAINT {name(engine, key.name)}"
        f" FOREIGN KEY ({names(engine, key.columns)})"
        f" REFERENCES {table(engine, key.parent)} ({names(engine, key.parent_columns)}){match}"
        f" ON DELETE {key.on_delete.upper()} ON UPDATE {key.on_update.upper()}{deferral}{deferred}{suffix}"
    )


def nullable(engine: Engine, where: TableName, column: Column) -> str:
    """Let a column be NULL."""
    if engine in _BACKTICKS:
        return f"ALTER TABLE {table(engine, where)} MODIFY {name(engine, column.name)} {column.type} NULL"
    return f"ALTER TABLE {table(engine, where)} ALTER COLUMN {name(engine, column.name)} DROP NOT NULL"


def drop_index(engine: Engine, index: Index) -> str:
    """Take an index away, or the constraint that it backs."""
    if index.primary and engine in _BACKTICKS:
        return f"ALTER TABLE {table(engine, index.table)} DROP PRIMARY KEY"
    if index.constraint is not None and engine not in _BACKTICKS:
        return drop_constraint(engine, index.table, index.name, cascade=True)
    if engine in _BACKTICKS:
        return f"DROP INDEX {name(engine, index.name)} ON {table(engine, index.table)}"
    return f"DROP INDEX {table(engine, TableName(index.table.schema, index.name))}"


def other_rule(key: ForeignKey) -> tuple[Action, ...]:
    """Delete rules that a key could have by mistake instead of its own, the likeliest first."""
    likely = {
        Action.CASCADE: (Action.SET_NULL, Action.NO_ACTION),
        Action.SET_NULL: (Action.CASCADE, Action.NO_ACTION),
        Action.SET_DEFAULT: (Action.CASCADE, Action.NO_ACTION),
    }
    return likely.get(key.on_delete, (Action.CASCADE,))
