"""The audit of base's rows where new migrations failed on them: how many break each rule that the migrations would have added."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import cast

from checks.declared.expectations import Expectations
from checks.rulebook.audited import count_added
from checks.targets import RelationalTarget, StatementFailed
from runner.backends.interface import Backend
from runner.plan import Built
from runner.settings.engines import DOCUMENTS


def audited(backend: Backend, expect: Expectations, head: Built, base: Built | None) -> Built:
    """Head with what was counted on base; the same where its migrations did not fail on rows alone.

    Where a session is lost nothing is counted, and the check finds no rows to judge by.
    """
    failure = head.evidence.failure
    if base is None or failure is None or not failure.on_rows or head.server.engine in DOCUMENTS:
        return head
    with _relational(backend, expect, head) as after, _relational(backend, expect, base) as before:
        try:
            return replace(head, evidence=replace(head.evidence, audits=count_added(after.catalogue, before)))
        except StatementFailed:
            return head


@contextmanager
def _relational(backend: Backend, expect: Expectations, one: Built) -> Iterator[RelationalTarget]:
    with backend.target(one.server, one.golden, one.golden.database, expect, one.evidence) as target:
        yield cast("RelationalTarget", target)
