"""Refusals in words that quote no document and no row: MongoDB's rules that were broken, the index that was met; MariaDB's."""

from __future__ import annotations

import json
import re
from typing import Any, Iterator, Mapping, Tuple

VALIDATION = 121
DUPLICATE_KEY = 11000

_CAUSE = ":: caused by :: "
_VALUES = " dup key: "
#: Behind this the server repeats the whole command to a user who lacks a right.
_COMMAND = " to execute command {"
#: How many broken rules are named.
_MOST = 5


#: What MariaDB quotes of rows, by its number: the value stands between quotes.
_QUOTING = {
    1062: re.compile(r"^(Duplicate entry) ('.*') (for key '[^']*')$", re.DOTALL),
    1292: re.compile(r"^(.* value:) ('.*')(.*)$", re.DOTALL),
    1366: re.compile(r"^(Incorrect [\w ]+ value:) ('.*') (for column .*)$", re.DOTALL),
}

#: What MongoDB quotes of documents, by its words: the second of three groups.
_OF_DOCUMENTS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"(Failed to parse \w+ )('.*')( in \$convert .*)$",
        r"(Error parsing date string )(.*)()$",
        r"( cannot be recognized as a time unit: )(.*)()$",
        r"('newRoot' expression .*? resulting value was: )(.*)()$",
        r"(Cannot create field .*? in element )(\{.*\})()",
        r"( to traverse the element )(\(.*\))()",
        r"(language override unsupported: )(.*)()$",
        r"(Can't extract geo keys: )(\{.*\})()",
        r"( for 2d indexes)( :: caused by :: \{.*)()$",
        r"(non-integral type\.)(_id: .*)( has the field )",
        r"()(\{ ?_id: .*\})()",  # any document, or what it is known by
    )
)
_HIDDEN = "…"
#: Behind this the driver repeats the server's whole answer, with the documents that it was sent.
_ANSWER = ", full error: "


def answer_of(error: Any) -> Tuple[str, str, str]:
    """Code, words and what may quote documents, of a refusal as MongoDB's driver raises it.

    Of a bulk of writes it is the first one's: the driver's own words for that quote all that was sent.
    """
    details = getattr(error, "details", None) or {}
    facts = (details.get("writeErrors") or details.get("writeConcernErrors") or [details])[0]
    code = facts.get("code", getattr(error, "code", None))
    said, detail = refusal(code, str(facts.get("errmsg") or str(error).partition(_ANSWER)[0]), facts)
    return "" if code is None else str(code), said, detail


def _without_documents(said: str) -> Tuple[str, str]:
    """MongoDB's words without what they quote of documents, and that."""
    for pattern in _OF_DOCUMENTS:
        found = pattern.search(said)
        if found is not None:
            return said[: found.start(2)] + _HIDDEN + said[found.end(2) :], found.group(2)
    return said, ""


def without_values(number: Any, said: str) -> Tuple[str, str]:
    """MariaDB's words without the values of rows that it quotes, and those values."""
    found = _QUOTING[number].match(said) if number in _QUOTING else None
    if found is None:
        return said, ""
    before, value, after = found.groups()
    return " ".join(part for part in (before.rstrip(":"), after.strip()) if part), value


def refusal(code: Any, errmsg: str, facts: Mapping[str, Any]) -> Tuple[str, str]:
    """What the server said, and what may quote documents. ``facts`` is the server's whole answer for this one error."""
    said, found, values = errmsg.partition(_VALUES) if code == DUPLICATE_KEY else ("", "", "")
    if not found:
        said, values = _without_documents(errmsg)
    said = said.rpartition(_CAUSE)[2].partition(_COMMAND)[0]
    if code == VALIDATION:
        info = facts.get("errInfo") or {}
        broken = list(dict.fromkeys(rules(info.get("details") or {})))
        more = f" and {len(broken) - _MOST} more" if len(broken) > _MOST else ""
        return f"{said}: {', '.join(broken[:_MOST])}{more}" if broken else said, _json(info)
    return said, f"dup key: {values}" if found else values


def rules(details: Any, path: str = "") -> Iterator[str]:
    """The rules of a validator that a document broke, from ``errInfo.details``: ``status: enum``, ``created_at: required``."""
    if isinstance(details, (list, tuple)):
        for one in details:
            yield from rules(one, path)
        return
    if not isinstance(details, Mapping):
        return
    inner = [*_inner(details, path)]
    if inner:
        for within, below in inner:
            yield from rules(within, below)
        return
    operator = str(details.get("operatorName", ""))
    for name in details.get("missingProperties") or ():
        yield f"{_below(path, str(name))}: required"
    for name in details.get("additionalProperties") or ():
        yield f"{_below(path, str(name))}: additionalProperties"
    if operator and not details.get("missingProperties") and not details.get("additionalProperties"):
        yield f"{path}: {operator}" if path else operator


def _inner(details: Mapping[str, Any], path: str) -> Iterator[Tuple[Any, str]]:
    """What stands deeper, with the path of the field that it is about."""
    for name in ("schemaRulesNotSatisfied", "clausesNotSatisfied"):
        if details.get(name):
            yield details[name], path
    for one in details.get("propertiesNotSatisfied") or ():
        yield one.get("details"), _below(path, str(one.get("propertyName")))
    if details.get("details"):
        yield details["details"], f"{path}[]" if "itemIndex" in details else path


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _json(info: Mapping[str, Any]) -> str:
    return json.dumps(info, default=str, ensure_ascii=False) if info else ""
