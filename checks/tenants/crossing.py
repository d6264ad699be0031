"""A row of one tenant's that is made to name another tenant's row, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Delete, Update, delete, func, not_, or_, select, update

from checks.targets import Accepted, StatementFailed
from checks.tenants.application import Application
from checks.tenants.attempts import Case, Leak, Result, Stored, Unclear, at, refusal
from checks.tenants.tenants import source, value


@dataclass(frozen=True)
class Parent:
    """A row that a reference could name, the child's columns with its values, and what they hold now."""

    row: Stored
    key: Mapping[str, str | None]
    now: Mapping[str, str | None]


def refers(application: Application, case: Case, parent: Parent) -> Result:
    """Let a row of one's own name another's parent; before that, what it names so far, which it may name again."""
    with application.trial():
        try:
            application.prepare(_naming_it_now(case, parent))
            with application.entered(case.intruder):
                again = application.change(_naming(case, parent.now))
                if not isinstance(again, Accepted) or not again.rows:
                    return Unclear(f"{case.role} could not change a row of its own either")
            with application.entered(case.intruder):  # again from the start, as a changed row stands elsewhere
                verdict = application.change(_naming(case, parent.key))
                if isinstance(verdict, Accepted) and verdict.rows and _names(application, case, parent.key):
                    return Leak("lets a row of its own name another tenant's row")
        except StatementFailed as failure:
            return Unclear(str(failure))
    return refusal(verdict, "changed")


def _naming(case: Case, key: Mapping[str, str | None]) -> Update:
    """Of one's own row alone, which one may read."""
    rows = source(case.table, "tableoid", "ctid", *key)
    change = update(rows).values({name: value(given) for name, given in key.items()})
    return change.where(at(rows, case.own.place)) if case.own else change


def _naming_it_now(case: Case, parent: Parent) -> Delete:
    """Take the rows away that name the parent already: there may be room for one alone."""
    rows = source(case.table, "tableoid", "ctid", *parent.key)
    return delete(rows).where(
        *(rows.c[name] == value(given) for name, given in parent.key.items()),
        not_(or_(*(at(rows, row.place) for row in (case.own, parent.row) if row))),
    )


def _names(application: Application, case: Case, key: Mapping[str, str | None]) -> bool:
    rows = source(case.table, *key)
    named = select(func.count()).select_from(rows).where(*(rows.c[name] == value(given) for name, given in key.items()))
    return bool(application.seen(named)[0][0])
