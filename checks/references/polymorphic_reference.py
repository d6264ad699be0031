"""No row names a parent of another kind than there is, and none that does not exist.

Proves, for every line of `references` in `[databases.NAME.expect]` whose parents stand in braces
(`comments.(target_type, target_id) -> {Post: posts.id, Photo: photos.id}`), that each row names one of these types, and that the
row it names is there, kind by kind. No foreign key can say this, because its parent's table is a value: Rails
(`polymorphic: true`) and Django (GenericForeignKey) leave it to the application, and a delete past the application leaves what
hangs on it behind.

A row whose id is NULL refers to nothing and is fine, whatever its type. One with an id and without a type, or with a type that is
not listed, is counted under the reference's own name. Types are compared as text, so that a number (Django's content type) may be
written as it is; ids are compared as a foreign key would, and as text where the types of the two sides do not compare. Counts are
exact; an empty table proves nothing, and neither does a kind that no row has.

**Anti-pattern**

```python
Post.objects.filter(author=gone)._raw_delete("default")  # no cascade of the application's: comments stay without a post
```

**Best practice**

```sql
-- A column for each kind, each with its key, and a CHECK that exactly one is filled.
ALTER TABLE comments ADD FOREIGN KEY (post_id) REFERENCES posts (id) ON DELETE CASCADE,
                     ADD FOREIGN KEY (photo_id) REFERENCES photos (id) ON DELETE CASCADE,
                     ADD CHECK (num_nonnulls(post_id, photo_id) = 1);
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Text, cast, exists, func, literal_column, or_, select

from checks.declared.absent import absent
from checks.declared.references import Kind, PolymorphicReference
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.model import ForeignKey
from checks.schema.names import ObjectReference, column_label, column_reference, table_reference
from checks.sql.orphans import SAMPLE, matching, shown_row
from checks.sql.statements import copyable, named, only
from checks.targets import ReadSession, RelationalTarget, StatementFailed
from checks.unanswered import unanswered

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "kinds of polymorphic references"
PROVES = "find their parents"

Rows = Select[*tuple[Any, ...]]


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every polymorphic reference: its types first, then each kind of parent."""
    with target.rows() as session:
        for reference in dict.fromkeys(target.expect.polymorphic):
            for kind in (None, *reference.kinds):
                yield _judge(_Asked(reference, kind, target), session)


@dataclass(frozen=True)
class _Asked:
    """One kind of parent that is asked about, or (``None``) whether the type of each row is one of them."""

    reference: PolymorphicReference
    kind: Kind | None
    target: RelationalTarget

    @property
    def subject(self) -> str:
        return self.reference.label if self.kind is None else f"{self.reference.label} -> {self.kind.label}"

    @property
    def sides(self) -> tuple[ObjectReference, ...]:
        """The tables whose rows are compared."""
        return tuple(map(table_reference, (self.reference.table, *([self.kind.parent] if self.kind else []))))

    @property
    def lacking(self) -> list[str]:
        """What is named and is not there."""
        mine = (self.reference.table, (self.reference.type_column, self.reference.column))
        theirs = [(self.kind.parent, (self.kind.column,))] if self.kind else []
        return absent(self.target.catalogue, mine, *theirs)

    @property
    def shown(self) -> tuple[str, ...]:
        """The columns by which a row is shown: its primary key, then its type and its id."""
        key = self.target.catalogue.table[self.reference.table].primary_key
        return tuple(dict.fromkeys((*key, self.reference.type_column, self.reference.column)))

    @cached_property
    def child(self) -> FromClause:
        return named(self.reference.table, self.shown, "child")

    def referring(self, *columns: ColumnElement[Any]) -> Rows:
        """The rows that refer to something, of this kind or of all."""
        found = select(*columns).select_from(self.child).where(self.child.c[self.reference.column].is_not(None))
        found = found if self.kind is None else found.where(self._type == self.kind.value)
        return only(found, self.child, self.target.catalogue.table[self.reference.table])

    def broken(self, *columns: ColumnElement[Any]) -> Rows:
        """The rows of this kind that find no parent; without a kind those whose type is none that is known."""
        if self.kind is None:
            known = [one.value for one in self.reference.kinds]
            return self.referring(*columns).where(or_(self._type.is_(None), self._type.not_in(known)))
        parent = named(self.kind.parent, (self.kind.column,), "parent")
        key = ForeignKey("", self.reference.table, (self.reference.column,), self.kind.parent, (self.kind.column,))
        same = matching(self.child, parent, key, self.target.catalogue, self.target.engine)
        parents: Rows = select(literal_column("1")).select_from(parent).where(*same)
        return self.referring(*columns).where(~exists(only(parents, parent, self.target.catalogue.table[self.kind.parent])))

    @property
    def _type(self) -> ColumnElement[str]:
        return cast(self.child.c[self.reference.type_column], Text)


def _judge(asked: _Asked, session: ReadSession) -> Judgement:
    if lacking := asked.lacking:
        return _absent(asked, lacking)
    if asked.reference.table not in asked.target.filled:
        return NotProven(asked.subject, "no rows")
    try:
        texts = [cast(asked.child.c[name], Text) for name in asked.shown]
        order = [asked.child.c[name] for name in asked.shown]
        rows = session.rows(asked.broken(*texts, func.count().over()).order_by(*order).limit(SAMPLE))
        refers = rows or session.rows(asked.referring(literal_column("1")).limit(1))
    except StatementFailed as failure:
        return unanswered(asked.subject, failure)
    if rows:
        return _finding(asked, rows)
    nothing = f"no row of the type {asked.kind.value}" if asked.kind else "no row refers"
    return Proven(asked.subject, asked.sides) if refers else NotProven(asked.subject, nothing)


def _absent(asked: _Asked, lacking: list[str]) -> Judgement:
    if asked.target.evidence.incomplete:
        return NotProven(asked.subject, "not there, the migrations failed")
    return Finding(
        subject=f"{asked.subject} (absent)",
        message=f"{asked.subject} is declared to hold, and there is no {' and no '.join(lacking)}",
        remedy="Correct the line under `references`, or add what it names in a migration.",
        objects=(table_reference(asked.reference.table),),
    )


def _finding(asked: _Asked, rows: Sequence[tuple[Any, ...]]) -> Finding:
    reference, count = asked.reference, int(rows[0][-1])
    everything = copyable(asked.broken(literal_column("child.*")), asked.target.engine)
    objects = (column_reference(reference.table, name) for name in (reference.column, reference.type_column))
    return Finding(
        subject=asked.subject,
        message=_message(asked, count),
        remedy=f"List them all with: {everything}; then give them a parent, or remove them.",
        objects=(*objects, table_reference(reference.table)),
        count=count,
        values=tuple(shown_row(asked.shown, row[:-1]) for row in rows),
        evidence={"type": asked.kind.value if asked.kind else None},
    )


def _message(asked: _Asked, count: int) -> str:
    table = asked.reference.table.label()
    if asked.kind is None:
        rows = (
            f"{count} rows of {table} refer to something and have"
            if count != 1
            else f"1 row of {table} refers to something and has"
        )
        return f"{rows} no {asked.reference.type_column} that is known: {', '.join(kind.value for kind in asked.reference.kinds)}"
    rows = f"{count} rows of {table} name" if count != 1 else f"1 row of {table} names"
    return f"{rows} a {asked.kind.value}, a {column_label(asked.kind.parent, (asked.kind.column,))}, that does not exist"
