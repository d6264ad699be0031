"""Probes every reference's rule: alone on rows of our own, then on real rows with everything in place."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from checks.declared.subjects import references
from checks.interface import Engine, Finding, Judgement, NotProven, Proven
from checks.probing.downstream import tried_on_rows
from checks.probing.rules import Rule, is_idle, kept, known_beforehand, tried_in
from checks.rows.missing import NoValue
from checks.schema.model import Action, ForeignKey
from checks.targets import RelationalTarget, Sandbox, StatementFailed, Trial

# Beginnings of codes that say that the session or the server is gone or full, not what became of one reference.
_LOST = ("08", "53", "57P")


#: How many references one trial is for, at most: it locks all their tables, and a change of the parent asks every one of them.
TOGETHER = 25

#: A reference with the name that it has as a subject.
Named = tuple[str, ForeignKey]


def probed(rule: Rule, target: RelationalTarget) -> Iterator[Judgement]:
    """One judgement of each declared reference. Raises StatementFailed where the session was lost."""
    keys = list(references(target.catalogue))
    if reason := not_enforced(target):
        yield from (NotProven(subject, reason) for subject, _ in keys)
        return
    with target.sandbox() as sandbox:
        wrong = {key: known_beforehand(subject, key, rule, target) for subject, key in keys}
        for group in together(
            [(subject, key) for subject, key in keys if wrong[key] is None], target, partial(_asks, rule, target)
        ):
            wrong.update(_alone(group, rule, target, sandbox))
        on_rows = tried_on_rows([key for _, key in keys if wrong[key] is None or is_idle(key, target)], rule, target, sandbox)
        for subject, key in keys:
            seen = on_rows.judgement(subject, key, rule, target)
            yield seen if isinstance(seen, Finding) else wrong[key] or seen or Proven(subject)


def together(
    keys: Sequence[Named], target: RelationalTarget, asks: Callable[[ForeignKey], bool] = lambda _: False
) -> Iterator[list[Named]]:
    """References that one trial does for, because taking everything else away is what takes long.

    They refer to the same key, and none asks anything of a column that a child of another one has: a default that stays or a NOT
    NULL (``asks``), a column of two references. SQLite cannot take away what one asks of the others.
    """
    by_parent: defaultdict[object, list[Named]] = defaultdict(list)
    used = Counter((key.table, name) for _, key in keys for name in key.columns)
    for subject, key in keys:
        shared = any(used[key.table, name] > 1 for name in key.columns)
        alone = asks(key) or shared or target.engine is Engine.SQLITE
        by_parent[subject if alone else (key.parent, key.parent_columns)].append((subject, key))
    for group in by_parent.values():
        yield from (group[start : start + TOGETHER] for start in range(0, len(group), TOGETHER))


def _asks(rule: Rule, target: RelationalTarget, key: ForeignKey) -> bool:
    return rule.action(key) is Action.SET_DEFAULT or len(kept(key, rule, target)) > 1


def not_enforced(target: RelationalTarget) -> str:
    """Why nothing can be said of what SQLite's references do; empty where it can."""
    if target.engine is not Engine.SQLITE or target.expect.foreign_keys:
        return ""
    if target.expect.foreign_keys is False:
        return "foreign_keys is off"
    return "not said whether the application's sessions enforce it: set `foreign_keys`"


def is_lost(failure: StatementFailed) -> bool:
    """Whether a failure says that the session or the server is gone or full, not what became of one subject."""
    return not failure.gap and (not failure.code or failure.code.startswith(_LOST))


def _alone(group: Sequence[Named], rule: Rule, target: RelationalTarget, sandbox: Sandbox) -> dict[ForeignKey, Judgement | None]:
    """What is wrong with each rule of a group; where the group cannot be tried together, each is by itself."""
    only = [one for _, key in group for one in kept(key, rule, target)]
    tables = tuple(dict.fromkeys(table for _, key in group for table in (key.parent, key.table)))
    try:
        with sandbox.trial(only, tables) as trial:
            return {key: _within(subject, key, rule, target, trial) for subject, key in group}
    except StatementFailed as failure:
        if is_lost(failure):
            raise
        if len(group) == 1:
            ((subject, key),) = group
            return {key: NotProven(subject, f"it could not be tried: {failure}")}
    return {key: wrong for one in group for key, wrong in _alone([one], rule, target, sandbox).items()}


def _within(subject: str, key: ForeignKey, rule: Rule, target: RelationalTarget, trial: Trial) -> Judgement | None:
    try:
        with trial.undone():
            return tried_in(subject, key, rule, target, trial)
    except NoValue as reason:
        return NotProven(subject, str(reason))
    except StatementFailed as failure:
        if is_lost(failure):
            raise
        return NotProven(subject, f"it could not be tried: {failure}")
