"""What an allow comment says: ``allow unindexed-foreign-key, unvalidated-constraint, why both are right here``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from checks.evidence import Place
from runner.allows.allow import Allow
from runner.allows.comments import Remark
from runner.settings.wording import did_you_mean, shorten

_VERB = re.compile(r"[^\s,:]*")
_NO_REASON = "it says no reason; write `dbproof: allow CHECK, why`"


def allows_of(remark: Remark, file: str, known: Collection[str]) -> Iterator[Allow]:
    """An allow for each check that a comment names; one that accepts nothing says why in its ``fault``."""
    place = Place(file, remark.line)
    verb = _VERB.match(remark.text)
    word = verb[0] if verb else ""
    if word != "allow":
        yield Allow("", "", place, fault=f"'{shorten(word)}' is nothing that a comment can say{did_you_mean(word, ['allow'])}")
        return
    checks, reason = _parsed(remark.text.removeprefix("allow").lstrip(" \t:"), known)
    for check in checks or [""]:
        yield Allow(check, reason, place, lines=remark.about, fault=_fault(check, reason, remark, known))


def _parsed(text: str, known: Collection[str]) -> tuple[list[str], str]:
    """The checks and the reason: what comes first is a check, what follows is one as long as there is such a check."""
    first, _, rest = text.partition(",")
    checks = first.split()
    while rest:
        part, _, others = rest.partition(",")
        if part.strip() not in known:
            break
        checks.append(part.strip())
        rest = others
    return list(dict.fromkeys(checks)), rest.strip()


def _fault(check: str, reason: str, remark: Remark, known: Collection[str]) -> str:
    if not check:
        return "it names no check; write `dbproof: allow CHECK, why`"
    if check not in known:
        return f"'{shorten(check)}' is no check{did_you_mean(check, known)}"
    if not reason:
        return _NO_REASON
    return "" if remark.about is not None else "it stands at no statement; put it on the statement's line or on the line above"
