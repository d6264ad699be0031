"""Every reference that a migration declares is there afterwards.

Proves, from the statements that the server executed and the catalogue that came of them, that each `FOREIGN KEY` and `REFERENCES`
of the new migrations became a reference which the server enforces. MariaDB parses foreign keys for every storage engine and keeps
them for InnoDB alone: "For other storage engines, the server parses and ignores the FOREIGN KEY syntax"
(mariadb.com/kb/en/foreign-keys). The migration succeeds, nobody is told, and from then on any row goes in.

What a later statement drops is not looked for, nor what belongs to a table that has another name by now. After migrations that
failed nothing is proven.

**Anti-pattern**

```sql
CREATE TABLE orders (
  id INT PRIMARY KEY, buyer_id INT,
  FOREIGN KEY (buyer_id) REFERENCES users (id)      -- read, and thrown away
) ENGINE = MyISAM;
```

**Best practice**

```sql
CREATE TABLE orders (
  id INT PRIMARY KEY, buyer_id INT,
  CONSTRAINT fk_orders_buyer FOREIGN KEY (buyer_id) REFERENCES users (id)
) ENGINE = InnoDB;
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.evidence import Statement
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.model import Table
from checks.schema.names import ObjectKind, ObjectReference, TableName, table_reference
from checks.sql.statements import quoted_table
from checks.targets import RelationalTarget

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.MARIADB})
NEEDS = frozenset({Need.EVIDENCE})
SUBJECTS = "references that migrations declare"
PROVES = "are there afterwards"

#: What the recorder calls a reference that has no name in its statement.
_UNNAMED = re.compile(r"FOREIGN KEY \((?P<columns>.*)\)", re.DOTALL)


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every reference that a statement declared and none dropped."""
    for declared, statement in _declared(target.evidence.statements).items():
        table = target.catalogue.table.get(TableName("", declared.relation))
        if table is None or not _has_columns(declared, table):
            continue
        if _stands(declared, table):
            yield Proven(_subject(declared))
        elif target.evidence.incomplete:
            yield NotProven(_subject(declared), "not there, the migrations failed")
        else:
            yield _finding(declared, statement, table, target)


def _declared(statements: tuple[Statement, ...]) -> dict[ObjectReference, Statement]:
    found: dict[ObjectReference, Statement] = {}
    for statement in statements:
        for gone in statement.dropped:
            found = {one: by for one, by in found.items() if one != gone and not _goes_with(one, gone)}
        found.update({one: statement for one in statement.made if _is_reference(one, statement.text)})
    return found


def _goes_with(one: ObjectReference, gone: ObjectReference) -> bool:
    return gone.kind is ObjectKind.TABLE and one.relation == gone.relation


def _is_reference(one: ObjectReference, text: str) -> bool:
    if one.kind is not ObjectKind.CONSTRAINT:
        return False
    named = rf"{re.escape(one.name)}`?\s+FOREIGN\s+KEY"
    return _UNNAMED.fullmatch(one.name) is not None or re.search(named, text, re.IGNORECASE) is not None


def _columns(one: ObjectReference) -> list[str]:
    """The columns of a reference without a name."""
    found = _UNNAMED.fullmatch(one.name)
    return found["columns"].split(", ") if found else []


def _has_columns(one: ObjectReference, table: Table) -> bool:
    """Columns that have other names by now are another reference's."""
    return {*_columns(one)} <= {column.name.lower() for column in table.columns}


def _stands(one: ObjectReference, table: Table) -> bool:
    columns = _columns(one)
    return any(
        [name.lower() for name in key.columns] == columns or key.name.lower() == one.name.lower() for key in table.foreign_keys
    )


def _subject(one: ObjectReference) -> str:
    return f"{one.relation}.{one.name}"


def _finding(one: ObjectReference, statement: Statement, table: Table, target: RelationalTarget) -> Finding:
    where = quoted_table(target.engine, table.name, target.catalogue.default_schema)
    return Finding(
        subject=_subject(one),
        message=f"{one.name} of {one.relation} was declared, and the server kept nothing of it: only InnoDB has foreign keys",
        remedy=f"ALTER TABLE {where} ENGINE = InnoDB; then settle the rows without a parent, and declare the reference again.",
        objects=(one, table_reference(table.name)),
        place=statement.place,
        evidence={"statement": statement.text},
    )
