"""Probes every reference's rule: alone on rows of our own, then on real rows with everything in place."""

from __future__ import annotations

from collections.abc import Iterator

from checks.downstream import tried_on_rows
from checks.interface import Engine, Judgement, NotProven, Proven
from checks.rows.missing import NoValue
from checks.rules import Rule, tried_alone
from checks.schema.model import ForeignKey
from checks.subjects import references
from checks.targets import RelationalTarget, Sandbox, StatementFailed

# Beginnings of codes that say that the session or the server is gone or full, not what became of one reference.
_LOST = ("08", "53", "57P")


def probed(rule: Rule, target: RelationalTarget) -> Iterator[Judgement]:
    """One judgement of each declared reference. Raises StatementFailed where the session was lost."""
    keys = list(references(target.catalogue))
    if reason := not_enforced(target):
        yield from (NotProven(subject, reason) for subject, _ in keys)
        return
    with target.sandbox() as sandbox:
        wrong = {key: _alone(subject, key, rule, target, sandbox) for subject, key in keys}
        on_rows = tried_on_rows([key for _, key in keys if wrong[key] is None], rule, target, sandbox)
        for subject, key in keys:
            yield wrong[key] or on_rows.judgement(subject, key, rule, target) or Proven(subject)


def not_enforced(target: RelationalTarget) -> str:
    """Why nothing can be said of what SQLite's references do; empty where it can."""
    if target.engine is not Engine.SQLITE or target.expect.foreign_keys:
        return ""
    if target.expect.foreign_keys is False:
        return "foreign_keys is off"
    return "not said whether the application's sessions enforce it: set `foreign_keys`"


def is_lost(failure: StatementFailed) -> bool:
    """Whether a failure says that the session or the server is gone or full, not what became of one subject."""
    return not failure.code or failure.code.startswith(_LOST)


def _alone(subject: str, key: ForeignKey, rule: Rule, target: RelationalTarget, sandbox: Sandbox) -> Judgement | None:
    try:
        return tried_alone(subject, key, rule, target, sandbox)
    except NoValue as reason:
        return NotProven(subject, str(reason))
    except StatementFailed as failure:
        if is_lost(failure):
            raise
        return NotProven(subject, f"it could not be tried: {failure}")
