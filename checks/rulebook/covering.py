"""Whether the rules of a table do what one rule asks for: the same in other words, or something stronger.

Two CHECKs mean what one of both with AND means; a primary key is unique and NOT NULL; what is unique in fewer columns is unique
in more. Only what follows for certain counts: rules that do the same in a way that is not seen here are taken for different.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.interface import Engine
from checks.rulebook.inventory import Kind, Rule
from checks.rulebook.meaning import columns_in, conjuncts, said_of_null
from checks.schema.model import CheckConstraint, Column, ForeignKey, Index, Table, Trigger
from checks.schema.sqlite_tokens import tokens

#: How the readers write a key of an index: the column or expression, operator class, collation, direction (:class:`Index`).
_POSTGRESQL_KEY = re.compile(r"(?P<what>.*) \d+ (?P<collation>\d+) \d+(?: \{.*\})?", re.DOTALL)
_SQLITE_KEY = re.compile(r"(?P<what>.*) (?P<collation>\S+) (?:asc|desc)", re.DOTALL)


def covered(rule: Rule, table: Table, engine: Engine) -> bool:
    """Whether ``table`` holds its rows to what a rule asks for."""
    match rule.thing:
        case ForeignKey() as key:
            return any(_side(other) == _side(key) for other in table.foreign_keys)
        case CheckConstraint() as check:
            return asked(check.expression, engine) <= conditions(table, engine)
        case Index() as index if rule.kind is Kind.EXCLUSION:
            return any(_definition(other) == _definition(index) for other in table.indexes)
        case Index() as index:
            return any(is_unique_by(index, other, table, engine) for other in table.indexes)
        case Column() as column:
            return filled(column.name, table, engine)
        case Trigger() as trigger:
            return _has_successor(trigger, rule.table, table)


def asked(condition: str, engine: Engine) -> frozenset[str]:
    """What a CHECK asks for, one by one."""
    return conjuncts(condition, engine)


def conditions(table: Table, engine: Engine) -> frozenset[str]:
    """All that the CHECKs and the NOT NULLs of a table ask for, one by one."""
    enforced = (check for check in table.checks if check.enforced)
    stated = (one for check in enforced for one in conjuncts(check.expression, engine))
    return frozenset((*stated, *(_is_filled(column.name, engine) for column in table.columns if not column.nullable)))


def filled(column: str, table: Table, engine: Engine) -> bool:
    """Whether a column cannot be NULL, by NOT NULL or by a CHECK that says so."""
    if column not in table.column or not table.column[column].nullable:
        return column in table.column
    saying = (check.expression for check in table.checks if check.enforced and "null" in check.expression.lower())
    return any(_is_filled(column, engine) in conjuncts(expression, engine) for expression in saying)


def is_unique_by(wanted: Index, other: Index, table: Table, engine: Engine) -> bool:
    """Whether no two rows that ``wanted`` keeps apart get past ``other``."""
    if not (other.unique and other.valid and _for_as_many(wanted, other, engine)):
        return False
    parts, enough = _parts(other), _parts(wanted)
    narrower = parts <= enough or _computed_from(other, wanted, table)
    if not narrower or "nulls not distinct" not in wanted.traits:
        return narrower
    strict = all(name is not None and filled(name, table, engine) for name in other.columns)
    return strict or "nulls not distinct" in other.traits


def _for_as_many(wanted: Index, other: Index, engine: Engine) -> bool:
    """Whether ``other`` holds for every row that ``wanted`` holds for; one that leaves out only NULLs of its columns does."""
    if other.predicate is None:
        return True
    left_out = {_is_filled(name, engine) for name in wanted.columns if name is not None}
    known = left_out | (conjuncts(wanted.predicate, engine) if wanted.predicate else frozenset())
    if "nulls not distinct" in wanted.traits:
        known -= left_out
    return conjuncts(other.predicate, engine) <= known


def _is_filled(column: str, engine: Engine) -> str:
    return said_of_null(column, engine, given=True)


def _parts(index: Index) -> frozenset[str]:
    """The key columns and expressions with their collations, whatever their order, direction and operator class."""
    keys = index.keys or tuple(name or "" for name in index.columns)
    return frozenset(_compared(key) for key in keys)


def _compared(key: str) -> str:
    found = _POSTGRESQL_KEY.fullmatch(key) or _SQLITE_KEY.fullmatch(key)
    return f"{found['what']} {found['collation']}" if found else key


def _computed_from(other: Index, wanted: Index, table: Table) -> bool:
    """Whether rows that are equal in ``wanted`` are equal in ``other`` too, computed from no other columns (``lower(email)``)."""
    if None in wanted.columns or None not in other.columns:
        return False
    words = {token.name.lower() for token in tokens(other.definition.partition("(")[2]) if token.kind in ("word", "name")}
    speaks_of = {column.name for column in table.columns if column.name.lower() in words}
    return bool(speaks_of) and speaks_of <= set(wanted.columns)


def _side(key: ForeignKey) -> tuple[object, ...]:
    return key.parent, frozenset(zip(key.columns, key.parent_columns, strict=True))


def _definition(index: Index) -> str:
    return index.definition.partition(" USING ")[2] if index.constraint == "x" else ""


def _has_successor(trigger: Trigger, was: Table, now: Table) -> bool:
    """Whether the same trigger stands under another name, or one that is new fires for the same and calls another function.

    What triggers call is versioned by its name (``notify_v1``), and may be renamed with them; as of a trigger that kept its name,
    it is not judged what the new function does.
    """
    known = {other.name for other in was.triggers}
    moment = _fires(trigger)
    return any(
        _without_name(other) == _without_name(trigger) or (other.name not in known and moment and _fires(other) == moment)
        for other in now.triggers
    )


def _fires(trigger: Trigger) -> tuple[str, ...]:
    """When a trigger that calls a function fires; empty where what it does is a part of the trigger itself."""
    said = _without_name(trigger)
    return said[: said.index("for")] if "execute" in said and "for" in said else ()


def _without_name(trigger: Trigger) -> tuple[str, ...]:
    """The statement that makes a trigger, without what it is called."""
    found = tokens(trigger.definition)
    called = next((number for number, token in enumerate(found) if token.name == trigger.name), len(found))
    return tuple(token.plain for token in (*found[:called], *found[called + 1 :]))


def speaks_of(rule: Rule, engine: Engine) -> Iterator[str]:
    """The columns of its table that a rule is about, as the table spells them."""
    match rule.thing:
        case ForeignKey() as key:
            yield from key.columns
        case Column() as column:
            yield column.name
        case CheckConstraint() as check:
            named = columns_in(check.expression, engine)
            yield from (column.name for column in rule.table.columns if column.name.lower() in named)
        case Index() as index:
            yield from _columns_of(index, rule.table)
        case Trigger():
            return


def _columns_of(index: Index, table: Table) -> Iterator[str]:
    if None not in index.columns:
        yield from (name for name in index.columns if name is not None)
        return
    words = {token.name for token in tokens(index.definition.partition("(")[2]) if token.kind in ("word", "name")}
    yield from (column.name for column in table.columns if column.name in words)
