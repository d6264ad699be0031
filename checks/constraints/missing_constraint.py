"""Every constraint that a migration set out to make is there.

Proves, for every constraint that a `DO` block or an `ALTER TABLE IF EXISTS` of the migrations would add (of the new ones, where
there is a base revision; of all, where there is none), that the table has it in the end, under its name or another. Such a
block passes over a constraint without a word when its condition does not hold, most often because a column that it looks for
does not exist, or when it catches the error. The migration is then recorded as applied, and nobody learns that the key was
never made. The finding names what is absent: the table, the column, or a constraint of the same name on another table, which is
taken for this one by `IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = …)`.

What the blocks say is taken from the statements that the server recorded while the migrations ran, not from files. A constraint
that was made and that a later statement dropped is none of this check's, nor one whose table was dropped. A name that a block
puts together as it runs cannot be told, and is not proven. A warning, because the block may be meant for another state of the
database.

**Anti-pattern**

```sql
DO $$ BEGIN
  IF EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'orders' AND column_name = 'buyer_id') THEN
    ALTER TABLE orders ADD CONSTRAINT orders_buyer_id_fkey FOREIGN KEY (buyer_id) REFERENCES users (id);    -- it is user_id
  END IF;
END $$;
```

**Best practice**

```sql
ALTER TABLE orders ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id);    -- fails where it cannot be
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from checks.evidence import Evidence
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.rulebook.covering import asked, conditions
from checks.rulebook.intended import Intended, Unreadable, intended, renamed
from checks.rulebook.inventory import Kind, rules
from checks.rulebook.meaning import columns_in
from checks.schema.model import Catalogue, Table
from checks.schema.names import TableName, table_reference
from checks.targets import RelationalTarget

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.POSTGRESQL})
NEEDS = frozenset({Need.EVIDENCE})
SUBJECTS = "constraints that blocks may pass over"
PROVES = "are there"


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Look for what every block set out to make."""
    names = _Names(target.catalogue, target.evidence)
    judged: dict[str, Judgement] = {}
    for one in intended(target.evidence.statements):
        judgement = _unreadable(one) if isinstance(one, Unreadable) else _judge(names.known(one), names, target)
        if judgement is not None:
            judged.setdefault(judgement.subject, judgement)
    yield from judged.values()


def _unreadable(one: Unreadable) -> NotProven:
    return NotProven(str(one.place) if one.place else "a block", one.reason)


class _Names:
    """What tables and constraints are called in the end, and which of them went again."""

    def __init__(self, catalogue: Catalogue, evidence: Evidence) -> None:
        self._catalogue = catalogue
        self._tables: dict[TableName, TableName] = {}
        self._constraints: dict[tuple[str, str], str] = {}
        held = [statement for statement in evidence.statements if not statement.undone]
        self.seen = {thing for statement in held for thing in (*statement.made, *statement.dropped)}
        self.gone = {thing for statement in held for thing in statement.dropped}
        for one in renamed(evidence.statements):
            table = self._table(one.table)
            if one.constraint:
                self._constraints[table.name, one.constraint] = one.new
            else:
                self._tables[table] = TableName(table.schema, one.new)

    def known(self, one: Intended) -> Intended:
        """With the names that its table, its parent and itself have in the end."""
        table = self._table(one.table)
        parent = None if one.parent is None else self._table(one.parent)
        return replace(one, table=table, parent=parent, name=self._constraints.get((table.name, one.name), one.name))

    def _table(self, name: TableName) -> TableName:
        schema = name.schema or self._schema_of(name.name)
        found = TableName(schema, name.name)
        return self._tables.get(found, found)

    def _schema_of(self, name: str) -> str:
        """Where a name without a schema is: in the default one, unless only another has such a table."""
        schemas = {table.schema for table in self._catalogue.table if table.name == name}
        return schemas.pop() if len(schemas) == 1 else self._catalogue.default_schema


def _judge(one: Intended, names: _Names, target: RelationalTarget) -> Judgement | None:
    if not one.table.name or (not one.name and one.kind != "FOREIGN"):
        return None if one.made_some else NotProven(str(one.place), "it puts the names together as it runs")
    if table_reference(one.table) in names.gone and one.table not in target.catalogue.table:
        return None
    subject = _subject(one)
    table = target.catalogue.table.get(one.table)
    if table is not None and _stands(one, table, target):
        return Proven(subject)
    if one.name and one.reference in names.seen:
        return None
    if target.evidence.incomplete:
        return NotProven(subject, "not there, the migrations failed")
    return _finding(subject, one, table, target)


def _subject(one: Intended) -> str:
    if one.name:
        return f"{one.table.label()}.{one.name}"
    parent = one.parent.label() if one.parent else "?"
    return f"{one.table.label()}.{', '.join(one.columns)} -> {parent}"


def _stands(one: Intended, table: Table, target: RelationalTarget) -> bool:
    named = {rule.thing.name for rule in rules(Catalogue((table,))) if rule.kind not in (Kind.NOT_NULL, Kind.TRIGGER)}
    if one.name in named:
        return True
    match one.kind:
        case "FOREIGN":
            return any(set(key.columns) == set(one.columns) and key.parent == one.parent for key in table.foreign_keys)
        case "CHECK":
            return asked(one.condition, target.engine) <= conditions(table, target.engine)
        case "UNIQUE":
            return any(index.unique and not index.predicate and set(index.columns) <= set(one.columns) for index in table.indexes)
        case _:
            return one.kind == "PRIMARY" and bool(table.primary_key)


def _finding(subject: str, one: Intended, table: Table | None, target: RelationalTarget) -> Finding:
    absent = list(_absent(one, table, target))
    why = "; ".join(absent) or "all that it speaks of is there, so its condition did not hold or its error was caught"
    return Finding(
        subject=subject,
        message=f"a migration set out to make {_said(one)} and did not: {why}",
        remedy=_remedy(one, absent),
        place=one.place,
        objects=(table_reference(one.table),),
        evidence={"statement": one.text, "absent": [*absent]},
    )


def _said(one: Intended) -> str:
    words: Mapping[str, str] = {"FOREIGN": "foreign key", "PRIMARY": "primary key", "EXCLUDE": "exclusion constraint"}
    return f"the {words.get(one.kind, one.kind)} {one.name or _subject(one)} of {one.table.label()}".replace("  ", " ")


def _remedy(one: Intended, absent: list[str]) -> str:
    if absent:
        return f"Correct the names, or take it out of the migration. What it would execute: {one.text};"
    return f"Execute it as a statement of its own, so that it fails where it cannot be made: {one.text};"


def _absent(one: Intended, table: Table | None, target: RelationalTarget) -> Iterator[str]:
    """What of all that it names does not exist, and who has its name."""
    if table is None:
        yield f"there is no table {one.table.label()}"
    else:
        yield from _absent_columns(table, one.columns or _spoken_of(one.condition, table, target.engine))
    if one.parent is not None:
        parent = target.catalogue.table.get(one.parent)
        if parent is None:
            yield f"there is no table {one.parent.label()}"
        else:
            yield from _absent_columns(parent, one.parent_columns)
    for rule in rules(target.catalogue):
        if one.name and rule.thing.name == one.name and rule.table.name != one.table and rule.kind is not Kind.NOT_NULL:
            yield f"{rule.table.name.label()} has a {rule.kind} of that name"


def _spoken_of(condition: str, table: Table, engine: Engine) -> tuple[str, ...]:
    """The columns of a CHECK, as the table spells those that it has."""
    spelled = {name.lower(): name for name in table.column}
    return tuple(spelled.get(name, name) for name in sorted(columns_in(condition, engine))) if condition else ()


def _absent_columns(table: Table, columns: tuple[str, ...]) -> Iterator[str]:
    yield from (f"the column {table.name.label()}.{name} does not exist" for name in columns if name not in table.column)
