"""A row of one tenant's that is made to name another tenant's row, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Update, func, select, update

from checks.targets import Accepted, StatementFailed
from checks.tenants.application import Application
from checks.tenants.attempts import Case, Leak, Result, Stored, Unclear, alone, refusal
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
            application.prepare(alone(case, *(row.place for row in (case.own, parent.row) if row)))
            with application.entered(case.intruder):
                again = application.change(_naming(case, parent.now))
                if not isinstance(again, Accepted) or not again.rows:
                    return Unclear(f"{case.role} could not change a row of its own either")
                verdict = application.change(_naming(case, parent.key))
                if isinstance(verdict, Accepted) and verdict.rows and _names(application, case, parent.key):
                    return Leak("lets a row of its own name another tenant's row")
        except StatementFailed as failure:
            return Unclear(str(failure))
    return refusal(verdict, "changed")


def _naming(case: Case, key: Mapping[str, str | None]) -> Update:
    return update(source(case.table, *key)).values({name: value(given) for name, given in key.items()})


def _names(application: Application, case: Case, key: Mapping[str, str | None]) -> bool:
    rows = source(case.table, *key)
    named = select(func.count()).select_from(rows).where(*(rows.c[name] == value(given) for name, given in key.items()))
    return bool(application.seen(named)[0][0])
