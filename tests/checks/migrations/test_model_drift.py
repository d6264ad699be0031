"""model-drift: what the migration tool says of models and migrations."""

from __future__ import annotations

import pytest
from judging import Judge

from checks.drift import Drift, DriftKind, DriftOperation
from checks.evidence import Evidence, Place
from checks.interface import Severity

CHECK = "model-drift"
COMMAND = ("alembic check", 'alembic revision --autogenerate -m "…"')
MISSING = DriftOperation("orders.note", "column orders.note (VARCHAR) is missing", DriftKind.MISSING, Place("shop.py", 4))
TYPE = DriftOperation("orders.note", "orders.note is TEXT, and is VARCHAR in the models", DriftKind.CHANGED, none="found again")


def test_models_that_are_what_the_migrations_make(judge: Judge) -> None:
    said = judge(CHECK, evidence=Evidence(drift=Drift(*COMMAND)))
    assert (said.proven, said.findings) == (["models"], [])


def test_without_models_there_is_nothing_to_judge(judge: Judge) -> None:
    said = judge(CHECK, evidence=Evidence())
    assert (said.proven, said.findings, said.gaps) == ([], [], {})


def test_a_tool_that_could_not_say_is_not_proven(judge: Judge) -> None:
    assert judge(CHECK, evidence=Evidence(drift=Drift("", gap="no module shop"))).gaps == {"models": "no module shop"}


def test_differences_of_one_thing_are_one_finding_at_the_model(judge: Judge) -> None:
    finding = judge(CHECK, evidence=Evidence(drift=Drift(*COMMAND, (TYPE, MISSING)))).finding
    assert (finding.subject, finding.severity, finding.place) == ("orders.note", None, Place("shop.py", 4))
    assert finding.message == f"{TYPE.words}; {MISSING.words}"
    assert COMMAND[1] in finding.remedy


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (TYPE, "which is no difference: found again"),
        (DriftOperation("auth.user.id", "auth: alter field id", DriftKind.CHANGED, foreign=True), "of an installed package"),
        (DriftOperation("by_hand", "no model knows table by_hand", DriftKind.UNKNOWN_TABLE), "no model knows"),
    ],
)
def test_what_may_be_meant_is_a_notice(judge: Judge, one: DriftOperation, words: str) -> None:
    finding = judge(CHECK, evidence=Evidence(drift=Drift(*COMMAND, (one,)))).finding
    assert finding.severity is Severity.NOTICE
    assert words in finding.message
