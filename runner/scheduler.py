"""Runs checks by what they need, and turns what they say into outcomes.

Checks that need nothing special share a small pool; checks that write run one at a time (parallel probes deadlock each other);
checks that need quiet run alone, after all else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import Any

from checks.interface import Check, CouldNotRun, Finding, Judgement, Need, NotProven, Outcome, Proven, Severity, State
from checks.targets import StatementFailed, Target

#: How many checks read side by side.
READERS = 2

#: undefined_table, undefined_column, undefined_function, undefined_object, invalid_schema_name (PostgreSQL's appendix A).
_NOT_THERE = frozenset({"42P01", "42703", "42883", "42704", "3F000"})

#: How SQLite says it; its code is that of any wrong statement.
_NO_SUCH = ("no such table", "no such column", "no such function")

Checks = Mapping[str, Check[Any]]


def run_checks(
    target: Target,
    checks: Checks,
    missing: Mapping[Need, str],
    ended: Callable[[Outcome], None] = lambda _: None,
    said: Callable[[str, Judgement], None] = lambda _, __: None,
) -> tuple[Outcome, ...]:
    """The outcome of every check, in the order of ``checks``.

    ``missing`` says what this run cannot give and why; a check that needs it is skipped with those words. ``ended`` is called
    with each outcome as it comes, ``said`` with each judgement of a check.
    """
    outcomes: dict[str, Outcome] = {}
    stopped = Event()

    def judge(identifier: str) -> None:
        outcome = _judge(identifier, checks[identifier], target, missing, said)
        if not stopped.is_set():  # what a check meets because its session was taken away is no outcome
            outcomes[identifier] = outcome
            ended(outcome)

    together = [name for name, check in checks.items() if not check.NEEDS & {Need.SANDBOX, Need.QUIET}]
    writing = [name for name, check in checks.items() if Need.SANDBOX in check.NEEDS and Need.QUIET not in check.NEEDS]
    alone = [name for name, check in checks.items() if Need.QUIET in check.NEEDS]
    pool = ThreadPoolExecutor(READERS, thread_name_prefix="check")
    try:
        reading = [pool.submit(judge, name) for name in together]
        for name in writing:
            judge(name)
        for future in reading:
            future.result()
    except BaseException:
        stopped.set()
        raise
    finally:
        # Not waited for: where this is left early (a signal), a check may be reading for long, and ends with its session.
        pool.shutdown(wait=False, cancel_futures=True)
    for name in alone:
        judge(name)
    return tuple(outcomes[name] for name in checks)


def _judge(
    identifier: str,
    check: Check[Any],
    target: Target,
    missing: Mapping[Need, str],
    said: Callable[[str, Judgement], None],
) -> Outcome:
    if target.engine not in check.ENGINES:
        return Outcome(identifier, State.SKIPPED, f"not for {target.engine.label}")
    lacking = [missing[need] for need in sorted(check.NEEDS) if need in missing]
    if lacking:
        return Outcome(identifier, State.SKIPPED, "; ".join(lacking))
    began = time.monotonic()
    judgements: list[Judgement] = []
    reason = ""
    try:
        for judgement in check.run(target):
            judgements.append(judgement)
            said(identifier, judgement)
    except StatementFailed as failure:
        if target.evidence.incomplete and (failure.code in _NOT_THERE or failure.said.startswith(_NO_SUCH)):
            judgements.append(NotProven(identifier, "the migrations failed, and what it reads is not there"))
        else:
            reason = f"its SQL failed: {failure}"
    except CouldNotRun as failure:
        reason = str(failure)
    except Exception as failure:  # noqa: BLE001 - a check that breaks in any way must read as errored, never as clean
        reason = f"{type(failure).__name__}: {failure}"
    return replace(_outcome(identifier, check, judgements, reason), seconds=time.monotonic() - began)


def _outcome(identifier: str, check: Check[Any], judgements: list[Judgement], broke: str) -> Outcome:
    findings = tuple(
        said if said.severity else replace(said, severity=check.SEVERITY) for said in judgements if isinstance(said, Finding)
    )
    proven = tuple(said.subject for said in judgements if isinstance(said, Proven))
    gaps = tuple(said for said in judgements if isinstance(said, NotProven))
    state, reason = state_of(check, findings, proven, gaps, broke)
    known_by = {said.subject: said.objects for said in judgements if isinstance(said, Proven) and said.objects}
    return Outcome(identifier, state, reason, 0.0, findings, proven, gaps, known_by)


def state_of(
    check: Check[Any],
    findings: tuple[Finding, ...],
    proven: tuple[str, ...],
    gaps: tuple[NotProven, ...],
    broke: str,
) -> tuple[State, str]:
    """How a check ended that said this, and why where it is skipped or broke."""
    if broke:
        return State.ERRORED, broke
    if findings:
        return State.FAILED, ""
    if proven:
        return State.PASSED, ""
    if gaps:
        return State.SKIPPED, ", ".join(dict.fromkeys(gap.reason for gap in gaps))
    return State.SKIPPED, f"no {check.SUBJECTS}"


def with_severities(checks: Checks, severities: Mapping[str, Severity]) -> Checks:
    """The checks that are switched on, given the settings' own severities (``off`` drops one, anything else turns it on)."""
    return {name: check for name, check in checks.items() if severities.get(name, check.SEVERITY) is not Severity.OFF}
