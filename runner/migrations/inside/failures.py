"""What an exception says of a failed migration: the server's words and code where it was the server, else Python's last line."""

from __future__ import annotations

import re
from typing import Any, Dict, Optional

from .refusals import refusal
from .variables import chain

_STAMP = re.compile(r"^\s*/\*dbproof:[^*]*\*/")
_BACKGROUND = re.compile(r"\s*\(Background on this error at: .*\)\s*$")
_LONGEST = 100_000


def describe(error: BaseException) -> Dict[str, str]:
    """``said``, ``code``, ``detail`` and ``statement``, each empty where the exception does not know."""
    for one in chain(error):
        if type(one).__module__.startswith("pymongo") and isinstance(getattr(one, "details", None), dict):
            return _mongodb(one)
    server = next((one for one in chain(error) if _code(one) or type(one).__module__ == "sqlite3"), None)
    return {
        "said": _words(server) if server is not None else last_line(error),
        "code": _code(server) if server is not None else "",
        "detail": _detail(server) if server is not None else "",
        "statement": _statement(error),
    }


def _mongodb(error: Any) -> Dict[str, str]:
    """The first error in the server's answer; a bulk of writes may have several."""
    facts = (error.details.get("writeErrors") or [error.details])[0]
    code = facts.get("code", getattr(error, "code", None))
    said, detail = refusal(code, str(facts.get("errmsg") or error), facts)
    return {"said": said, "code": "" if code is None else str(code), "detail": detail, "statement": ""}


def last_line(error: BaseException) -> str:
    """What Python prints last of an uncaught exception."""
    import traceback

    text = "".join(traceback.format_exception_only(type(error), error)).strip()
    return _BACKGROUND.sub("", text)[:_LONGEST]


def _statement(error: BaseException) -> str:
    for one in chain(error):
        statement = getattr(one, "statement", None)
        if isinstance(statement, str):
            return _STAMP.sub("", statement)[:_LONGEST]
    return ""


def _code(error: Optional[BaseException]) -> str:
    # Python's sqlite3 knows the name of the code from 3.11 on.
    code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or getattr(error, "sqlite_errorname", None)
    return code if isinstance(code, str) else ""


def _words(error: BaseException) -> str:
    primary = getattr(_diagnostics(error), "message_primary", None)
    if primary:
        return str(primary)
    # SQLAlchemy puts its own exception before asyncpg's, with the class in front of the words.
    inner = error.__cause__ if _code(error.__cause__) else error
    return str(inner.args[0]) if inner is not None and inner.args else last_line(error)


def _detail(error: BaseException) -> str:
    inner = error.__cause__ if _code(error.__cause__) else error
    return str(getattr(_diagnostics(error), "message_detail", None) or getattr(inner, "detail", None) or "")


def _diagnostics(error: BaseException) -> Any:
    return getattr(error, "diag", None)
