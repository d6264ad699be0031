"""What one tenant tries with another's rows, command by command, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Delete,
    FromClause,
    TableClause,
    Text,
    Update,
    and_,
    cast,
    delete,
    func,
    not_,
    or_,
    select,
    update,
)

from checks.schema.model import Command, Table
from checks.targets import Accepted, Insert, Refused, StatementFailed, Verdict
from checks.tenants.application import Application
from checks.tenants.tables import Wall
from checks.tenants.tenants import Rights, Tenant, of, of_another, source, value

#: What PostgreSQL says when a policy refuses a row: the code alone may also mean a missing privilege.
_BY_POLICY = ("42501", "row-level security")


@dataclass(frozen=True)
class Leak:
    """Another tenant's rows were reached: how, how many of them (0: it is not a matter of number), and signed in or not."""

    how: str
    count: int = 0
    signed_in: bool = True


@dataclass(frozen=True)
class Kept:
    """They were not."""


@dataclass(frozen=True)
class Unclear:
    """It could not be seen whether they were, and why."""

    why: str


Result = Leak | Kept | Unclear


@dataclass(frozen=True)
class Stored:
    """A row: where it stands (``tableoid`` and ``ctid``), and all that can be written of it, as text."""

    place: Mapping[str, str]
    values: Mapping[str, str | None]


@dataclass(frozen=True)
class Case:
    """A table, whose rows are tried (``owner``), and who tries (``intruder``).

    ``columns`` are the declared ones of the table, of which the wall may be a part. ``theirs`` are some rows of the owner's,
    ``own`` is one of the intruder's, where it has any.
    """

    table: Table
    wall: Wall
    owner: Tenant
    intruder: Tenant
    rights: Rights
    role: str
    columns: tuple[str, ...]
    theirs: tuple[Stored, ...]
    own: Stored | None = None

    @property
    def rows(self) -> TableClause:
        """The table, with the columns that say whose a row is."""
        return source(self.table, *self.wall.values())


def stored(application: Application, table: Table, wall: Wall, tenant: Tenant, limit: int = 1) -> tuple[Stored, ...]:
    """The first and the last rows of a tenant's, as many as wanted: what a policy lets through may be some rows alone."""
    names = [column.name for column in table.columns if not column.generated]
    rows = source(table, "tableoid", "ctid", *names, *wall.values())
    columns = [rows.c.tableoid, rows.c.ctid, *(rows.c[name] for name in names)]
    statement = select(*(cast(column, Text) for column in columns)).where(of(rows, wall, tenant))
    first = application.seen(statement.order_by(rows.c.tableoid, rows.c.ctid).limit(-(-limit // 2)))
    last = application.seen(statement.order_by(rows.c.tableoid.desc(), rows.c.ctid.desc()).limit(limit // 2)) if limit > 1 else ()
    found = dict.fromkeys(tuple(row) for row in (*first, *last))
    return tuple(Stored({"tableoid": row[0], "ctid": row[1]}, dict(zip(names, row[2:], strict=True))) for row in found)


def reads(application: Application, case: Case) -> Result:
    """Read with everything in place: first as the owner, as proof that signing in works, then as another, then as nobody."""
    rows = case.rows
    mine = select(func.count()).select_from(rows).where(of(rows, case.wall, case.owner))
    try:
        with application.entered(case.owner) as trial:
            if not trial.rows(mine)[0][0]:
                return Unclear(f"signed in as their own tenant, {case.role} reads none of the rows either")
        with application.entered(case.intruder) as trial:
            theirs = select(func.count()).select_from(rows).where(of_another(rows, case.wall, case.intruder))
            if count := trial.rows(theirs)[0][0]:
                return Leak("reads other tenants' rows", count)
    except StatementFailed as failure:
        return Unclear(f"{case.role} cannot read it: {failure}")
    return unsigned(application, rows, case.wall)


def unsigned(application: Application, rows: FromClause, wall: Wall) -> Result:
    """An error is as good as no row: nothing was read."""
    anybodys = select(func.count()).select_from(rows).where(*(rows.c[column].is_not(None) for column in wall.values()))
    try:
        with application.entered(None) as trial:
            count = trial.rows(anybodys)[0][0]
    except StatementFailed:
        return Kept()
    return Leak("reads tenants' rows", count, signed_in=False) if count else Kept()


def inserts(application: Application, case: Case) -> Result:
    """Take a row of the owner's away, and put the very same row back as another: only a policy has a reason to refuse it."""
    return worst([_inserts(application, case, row) for row in case.theirs])


def _inserts(application: Application, case: Case, row: Stored) -> Result:
    with application.trial():
        application.prepare(_without(case, row.place))
        for who in (case.intruder, None):
            result = _inserted(application, case, row, who)
            if not isinstance(result, Kept):
                return result
    return Kept()


def _inserted(application: Application, case: Case, row: Stored, who: Tenant | None) -> Result:
    before = _belonging(application, case)
    try:
        with application.entered(who) as trial:
            verdict = trial.write(Insert(case.table.name, row.values))
            if isinstance(verdict, Accepted) and _belonging(application, case) > before:
                return Leak("inserts a row in another tenant's name" if who else "inserts a tenant's row", signed_in=bool(who))
    except StatementFailed as failure:
        return Unclear(str(failure)) if who else Kept()
    return refusal(verdict, "inserted") if who else Kept()


def updates(application: Application, case: Case) -> Result:
    """Change every row there is, without a condition, which would need the right to read; then single rows, to what they are."""
    name = next((name for name in _plain_first(case) if name in case.rights.updates and name in case.theirs[0].values), None)
    if name is None:
        return Unclear(f"{case.role} may update no column that can be written")
    with application.trial():
        application.prepare(_of_others(case))
        results = [_touched(application, case, _set(case, name, case.theirs[0]), "updates")]
    with application.trial():
        application.prepare(alone(case, *(row.place for row in case.theirs)))
        for row in case.theirs if not isinstance(results[0], Leak) else ():
            with application.trial():
                application.prepare(alone(case, row.place))
                results.append(_touched(application, case, _set(case, name, row), "updates"))
    return worst(results)


def _set(case: Case, name: str, row: Stored) -> Update:
    return update(source(case.table, name)).values({name: value(row.values[name])})


def _plain_first(case: Case) -> list[str]:
    """The columns of the table, those first that may be the same in every row, those last that say whose it is."""
    keys = {name for index in case.table.indexes if index.unique for name in index.columns}
    keys |= {name for key in case.table.foreign_keys for name in key.columns}
    ends = (*case.columns, *case.wall.values())
    return sorted(case.table.column, key=lambda name: 2 if name in ends else int(name in keys))


def deletes(application: Application, case: Case) -> Result:
    """Delete every row there is, likewise; where something else refuses, a single one."""
    results: list[Result] = []
    for away in (_of_others(case), alone(case, case.theirs[0].place)):
        if not results or isinstance(results[0], Unclear):
            with application.trial():
                application.prepare(away)
                results.append(_touched(application, case, delete(case.rows), "deletes"))
    return worst(results)


def _of_others(case: Case) -> Delete:
    """Take the intruder's own rows away, and nobody's: whatever is touched then is another's."""
    rows = case.rows
    nobodys = (rows.c[column].is_(None) for column in case.wall.values())
    return delete(rows).where(or_(of(rows, case.wall, case.intruder), *nobodys))


def _touched(application: Application, case: Case, change: Delete | Update, does: str) -> Result:
    for who in (case.intruder, None):
        leak = f"{does} {'other tenants' if who else 'tenants'}' rows"
        try:
            with application.entered(who):
                verdict = application.change(change)
        except StatementFailed as failure:
            if who:
                return Unclear(str(failure))
            continue
        if isinstance(verdict, Accepted) and verdict.rows:
            return Leak(leak, verdict.rows, signed_in=bool(who))
        if isinstance(verdict, Refused) and verdict.code == "23503":
            return Leak(f"{leak}, which only {verdict.constraint} of {verdict.relation} prevents,", signed_in=bool(who))
        if who and not isinstance(result := refusal(verdict, "touched"), Kept):
            return result
    return Kept()


def moves(application: Application, case: Case) -> Result:
    """Give a row of one's own to another: one that is really there, else the owner's, made one's own before."""
    ours = {column: value(case.theirs[0].values[column]) for column in case.columns}
    change = update(source(case.table, *case.columns)).values(ours)
    results = [_given(application, case, change, case.own)] if case.own else []
    return worst([*results, _given(application, case, change, None)])


def _given(application: Application, case: Case, change: Update, own: Stored | None) -> Result:
    with application.trial():
        try:
            application.prepare(alone(case, (own or case.theirs[0]).place))
            if own is None:
                mine = {column: value(case.intruder[name]) for name, column in case.wall.items()}
                application.prepare(update(case.rows).values(mine))
            with application.entered(case.intruder):
                verdict = application.change(change)
                if isinstance(verdict, Accepted) and verdict.rows and _belonging(application, case):
                    return Leak("gives a row of its own to another tenant")
        except StatementFailed as failure:
            return Unclear(str(failure))
    if verdict == Accepted(0):
        return Unclear(f"{case.role} could not change a row of its own either")
    return refusal(verdict, "given away")


def worst(results: Sequence[Result]) -> Result:
    """A leak before all; where one way shows that it is kept, the others need not show it again."""
    for kind in (Leak, Kept, Unclear):
        for result in results:
            if isinstance(result, kind):
                return result
    raise ValueError("nothing was tried")


def alone(case: Case, *places: Mapping[str, str]) -> Delete:
    """Take every row away but those at some places."""
    rows = source(case.table, "tableoid", "ctid")
    return delete(rows).where(not_(or_(*(at(rows, place) for place in places))))


def _without(case: Case, place: Mapping[str, str]) -> Delete:
    """Take the row away that stands at a place."""
    rows = source(case.table, "tableoid", "ctid")
    return delete(rows).where(at(rows, place))


def at(rows: TableClause, place: Mapping[str, str]) -> ColumnElement[bool]:
    """Whether a row stands at a place."""
    return and_(*(rows.c[name] == value(given) for name, given in place.items()))


def _belonging(application: Application, case: Case) -> int:
    """How many rows are the owner's by now: a trigger may have made one another's."""
    rows = case.rows
    return int(application.seen(select(func.count()).select_from(rows).where(of(rows, case.wall, case.owner)))[0][0])


def refusal(verdict: Verdict, done: str) -> Result:
    """What was refused by a policy, or touched no row, is kept; what anything else refused says nothing of the tenants."""
    if isinstance(verdict, Accepted) or (verdict.code == _BY_POLICY[0] and _BY_POLICY[1] in verdict.said):
        return Kept()
    return Unclear(f"something else refused the row that was to be {done}: {verdict.code} {verdict.said}")


#: What is tried with each command, and what that is called.
ATTEMPTS: Mapping[Command, tuple[str, Callable[[Application, Case], Result]]] = {
    Command.SELECT: ("reads", reads),
    Command.INSERT: ("inserts", inserts),
    Command.UPDATE: ("updates", updates),
    Command.DELETE: ("deletes", deletes),
}
