"""Which references take a row whose parent is there: each tried alone, on a parent and a child of our own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from checks.probing.rule_probes import Named, is_lost, together
from checks.probing.rules import CANDIDATES
from checks.rows.missing import NoValue, fitting
from checks.rows.pairs import pair
from checks.schema.model import ForeignKey
from checks.targets import Accepted, Insert, Refused, RelationalTarget, Sandbox, StatementFailed, Trial


def refusing(keys: Sequence[Named], target: RelationalTarget, sandbox: Sandbox) -> Mapping[ForeignKey, str]:
    """Why a row that has a parent did not go in, for each reference by which none did.

    Raises StatementFailed where the session was lost.
    """
    return {key: why for group in together(keys, target) for key, why in _tried(group, target, sandbox).items() if why}


def _tried(group: Sequence[Named], target: RelationalTarget, sandbox: Sandbox) -> Mapping[ForeignKey, str]:
    """The references of one trial; where they cannot be tried together, each is by itself."""
    tables = tuple(dict.fromkeys(table for _, key in group for table in (key.parent, key.table)))
    try:
        with sandbox.trial([key.reference for _, key in group], tables) as trial:
            return {key: _within(key, target, trial) for _, key in group}
    except StatementFailed as failure:
        if is_lost(failure):
            raise
        if len(group) == 1:
            return {group[0][1]: f"it could not be tried: {failure}"}
    return {key: why for one in group for key, why in _tried([one], target, sandbox).items()}


def _within(key: ForeignKey, target: RelationalTarget, trial: Trial) -> str:
    try:
        return _refused(key, target, trial)
    except NoValue as reason:
        return str(reason)


def _refused(key: ForeignKey, target: RelationalTarget, trial: Trial) -> str:
    """Why neither a value of the child's type goes in nor, where that is another one, a value of the parent's."""
    why = ""
    for writes in _writes(key, target):
        with trial.undone():
            answers = (trial.write(write) for write in writes)
            refused = next((answer for answer in answers if answer != Accepted(1)), None)
        if refused is None:
            return ""
        why = why or (f"{refused.code} {refused.said}" if isinstance(refused, Refused) else "it vanished")
    return why


def _writes(key: ForeignKey, target: RelationalTarget) -> Iterator[Sequence[Insert]]:
    """A parent and its child, or one row that refers to itself where no two can be thought of. Raises NoValue."""
    candidates, tables = CANDIDATES[target.engine], target.catalogue.table
    try:
        rows = pair(key, target.catalogue, candidates)
        yield [Insert(key.parent, rows.parent), Insert(key.table, rows.child)]
    except NoValue:
        if key.table != key.parent:
            raise
        value = fitting(key, key.columns[0], target.catalogue, candidates)[0]
        yield [Insert(key.table, dict.fromkeys((*key.columns, *key.parent_columns), value))]
    theirs = [candidates(tables[key.parent].column[name])[:1] for name in key.parent_columns]
    if key.table != key.parent and all(theirs):
        values = [value for (value,) in theirs]
        parent, child = (dict(zip(names, values, strict=True)) for names in (key.parent_columns, key.columns))
        yield [Insert(key.parent, parent), Insert(key.table, child)]
