"""What an exception says of a failed migration: the server's words and code where it was the server, else Python's last line."""

from __future__ import annotations

import re
from typing import Any, Dict, Optional

from .connections import MYSQL_DRIVERS
from .refusals import answer_of, without_values
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
    code, said, detail = answer_of(error)
    return {"said": said, "code": code, "detail": detail, "statement": ""}


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


def _number(error: Optional[BaseException]) -> Optional[int]:
    """MariaDB's number of an error, by which it is known: many share one SQLSTATE."""
    known = error is not None and type(error).__module__.partition(".")[0] in MYSQL_DRIVERS
    number = error.args[0] if known and error is not None and error.args else getattr(error, "errno", None) if known else None
    return number if isinstance(number, int) and not 2000 <= number < 3000 else None


def _code(error: Optional[BaseException]) -> str:
    if _number(error) is not None:
        return str(_number(error))
    # Python's sqlite3 knows the name of the code from 3.11 on.
    code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or getattr(error, "sqlite_errorname", None)
    return code if isinstance(code, str) else ""


def _words(error: BaseException) -> str:
    if _number(error) is not None:
        return without_values(_number(error), str(error.args[1]) if len(error.args) > 1 else str(error))[0]
    primary = getattr(_diagnostics(error), "message_primary", None)
    if primary:
        return str(primary)
    # SQLAlchemy puts its own exception before asyncpg's, with the class in front of the words.
    inner = error.__cause__ if _code(error.__cause__) else error
    return str(inner.args[0]) if inner is not None and inner.args else last_line(error)


def _detail(error: BaseException) -> str:
    if _number(error) is not None:
        return without_values(_number(error), str(error.args[1]) if len(error.args) > 1 else "")[1]
    inner = error.__cause__ if _code(error.__cause__) else error
    return str(getattr(_diagnostics(error), "message_detail", None) or getattr(inner, "detail", None) or "")


def _diagnostics(error: BaseException) -> Any:
    return getattr(error, "diag", None)
