"""What one tenant tries with another's rows, command by command, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Delete, FromClause, TableClause, Text, Update, and_, cast, delete, func, not_, or_, select, update

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
class Case:
    """A table, whose row is tried (``owner``), and who tries (``intruder``)."""

    table: Table
    wall: Wall
    owner: Tenant
    intruder: Tenant
    rights: Rights
    role: str
    #: The declared columns of the table, of which the wall may be a part.
    columns: tuple[str, ...]
    place: Mapping[str, str] = field(default_factory=dict)
    #: Where a row of the intruder's own stands, where it has one.
    own: Mapping[str, str] = field(default_factory=dict)
    row: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def rows(self) -> TableClause:
        """The table, with the columns that say whose a row is."""
        return source(self.table, *self.wall.values())


def row_of(
    application: Application, table: Table, wall: Wall, tenant: Tenant
) -> tuple[Mapping[str, str], Mapping[str, str | None]]:
    """Where the first row of a tenant's stands, and all that can be written of it, as text; nothing where there is none."""
    names = [column.name for column in table.columns if not column.generated]
    rows = source(table, "tableoid", "ctid", *names, *wall.values())
    columns = [rows.c.tableoid, rows.c.ctid, *(rows.c[name] for name in names)]
    found = application.seen(select(*(cast(column, Text) for column in columns)).where(of(rows, wall, tenant)).limit(1))
    if not found:
        return {}, {}
    table_oid, place, *values = found[0]
    return {"tableoid": table_oid, "ctid": place}, dict(zip(names, values, strict=True))


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
    """Take the owner's row away, and put the very same row back as another: nothing but a policy has a reason to refuse it."""
    with application.trial():
        application.prepare(_alone(case))
        application.prepare(delete(case.rows))
        for who in (case.intruder, None):
            result = _inserted(application, case, who)
            if not isinstance(result, Kept):
                return result
    return Kept()


def _inserted(application: Application, case: Case, who: Tenant | None) -> Result:
    try:
        with application.entered(who) as trial:
            verdict = trial.write(Insert(case.table.name, case.row))
            if isinstance(verdict, Accepted) and _belonging(application, case):
                return Leak("inserts a row in another tenant's name" if who else "inserts a tenant's row", signed_in=bool(who))
    except StatementFailed as failure:
        return Unclear(str(failure)) if who else Kept()
    return _refusal(verdict, "inserted") if who else Kept()


def updates(application: Application, case: Case) -> Result:
    """Change every row there is, without a condition, which would ask for the right to read."""
    names = [name for name in case.row if name in case.rights.updates and name not in case.wall.values()]
    plain = [name for name in names if name not in case.table.primary_key]
    name = next(iter((*plain, *names, *(case.rights.updates & set(case.row)))), None)
    if name is None:
        return Unclear(f"{case.role} may update no column that can be written")
    rows = source(case.table, name)
    change = update(rows).values({name: value(case.row[name])})
    return _blindly(application, case, change, "updates a row of another tenant")


def deletes(application: Application, case: Case) -> Result:
    """Delete every row there is."""
    return _blindly(application, case, delete(case.rows), "deletes a row of another tenant")


def _blindly(application: Application, case: Case, change: Delete | Update, leak: str) -> Result:
    """Only one row is there, the owner's: whatever the change touches is that."""
    with application.trial():
        application.prepare(_alone(case))
        for who in (case.intruder, None):
            try:
                with application.entered(who):
                    verdict = application.change(change)
            except StatementFailed as failure:
                if who:
                    return Unclear(str(failure))
                continue
            if isinstance(verdict, Accepted) and verdict.rows:
                return Leak(leak if who else leak.replace("another", "a"), signed_in=bool(who))
            if isinstance(verdict, Refused) and verdict.code == "23503":
                return Leak(f"{leak}, which only {verdict.constraint} of {verdict.relation} prevents", signed_in=bool(who))
            if who and not isinstance(result := _refusal(verdict, "touched"), Kept):
                return result
    return Kept()


def moves(application: Application, case: Case) -> Result:
    """Give a row of one's own to another: one that is really there, else the owner's, made one's own before."""
    ours = {column: value(case.row[column]) for column in case.columns}
    change = update(source(case.table, *case.columns)).values(ours)
    results = [_given(application, case, change, case.own)] if case.own else []
    return _worst([*results, _given(application, case, change, {})])


def _given(application: Application, case: Case, change: Update, own: Mapping[str, str]) -> Result:
    with application.trial():
        try:
            application.prepare(_alone(case, own or case.place))
            if not own:
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
    return _refusal(verdict, "given away")


def _worst(results: list[Result]) -> Result:
    """A leak before all; where one way shows that it is kept, the others need not show it again."""
    for kind in (Leak, Kept, Unclear):
        for result in results:
            if isinstance(result, kind):
                return result
    raise ValueError("nothing was tried")


@dataclass(frozen=True)
class Parent:
    """A row that a reference could name: the child's columns with its values, what they hold now, and where it stands."""

    key: Mapping[str, str | None]
    now: Mapping[str, str | None]
    place: Mapping[str, str]


def refers(application: Application, case: Case, parent: Parent) -> Result:
    """Let a row of one's own name another's parent; before that, what it names so far, which it may name again."""
    with application.trial():
        try:
            application.prepare(_alone(case, case.own, parent.place))
            with application.entered(case.intruder):
                again = application.change(_naming(case, parent.now))
                if not isinstance(again, Accepted) or not again.rows:
                    return Unclear(f"{case.role} could not change a row of its own either")
                verdict = application.change(_naming(case, parent.key))
                if isinstance(verdict, Accepted) and verdict.rows and _names(application, case, parent.key):
                    return Leak("lets a row of its own name another tenant's row")
        except StatementFailed as failure:
            return Unclear(str(failure))
    return _refusal(verdict, "changed")


def _naming(case: Case, key: Mapping[str, str | None]) -> Update:
    return update(source(case.table, *key)).values({name: value(given) for name, given in key.items()})


def _names(application: Application, case: Case, key: Mapping[str, str | None]) -> bool:
    rows = source(case.table, *key)
    named = select(func.count()).select_from(rows).where(*(rows.c[name] == value(given) for name, given in key.items()))
    return bool(application.seen(named)[0][0])


def _alone(case: Case, *places: Mapping[str, str]) -> Delete:
    """Take every row away but those at some places, without any but the owner's."""
    rows = source(case.table, "tableoid", "ctid")
    stay = (and_(*(rows.c[name] == value(given) for name, given in place.items())) for place in places or (case.place,))
    return delete(rows).where(not_(or_(*stay)))


def _belonging(application: Application, case: Case) -> bool:
    """Whether any row is the owner's by now: a trigger may have made it another's."""
    rows = case.rows
    return bool(application.seen(select(func.count()).select_from(rows).where(of(rows, case.wall, case.owner)))[0][0])


def _refusal(verdict: Verdict, done: str) -> Result:
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
