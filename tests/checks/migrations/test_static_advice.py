"""static-advice: one finding for each rule in each migration."""

from __future__ import annotations

from judging import Judge

from checks.advice import Advice, Hint
from checks.evidence import Evidence, Place
from checks.interface import Severity

CHECK = "static-advice"
HINTS = (
    Hint("require-concurrent-index-creation", "updates are blocked", "Use `concurrently`", Place("2.sql", 3), "2"),
    Hint("require-concurrent-index-creation", "updates are blocked", "Use `concurrently`", Place("2.sql", 4), "2"),
    Hint("require-lock-timeout", "missing", "", Place("2.sql", 3), "2"),
)


def test_what_the_linter_says_is_passed_on(judge: Judge) -> None:
    said = judge(CHECK, evidence=Evidence(advice=Advice("squawk", ("2", "3"), HINTS)))
    assert said.proven == ["3"]
    assert [(one.subject, one.severity, one.count, one.place) for one in said.findings] == [
        ("2: require-concurrent-index-creation", None, 2, Place("2.sql", 3)),
        ("2: require-lock-timeout", Severity.NOTICE, 1, Place("2.sql", 3)),
    ]


def test_where_it_is_not_asked_or_not_there(judge: Judge) -> None:
    assert judge(CHECK).all == ()
    assert judge(CHECK, evidence=Evidence(advice=Advice("squawk", gap="not installed"))).gaps == {
        "new migrations": "not installed"
    }


def test_what_the_linter_did_not_understand_is_not_proven(judge: Judge) -> None:
    unread = (("2", "squawk does not understand it: expected command"),)
    said = judge(CHECK, evidence=Evidence(advice=Advice("squawk", ("2", "3"), unread=unread)))
    assert (said.proven, said.gaps) == (["3"], dict(unread))
