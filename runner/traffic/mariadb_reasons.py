"""Why MariaDB keeps writers out while it changes a table: asked of itself, on empty tables of the same form.

The statements are executed once more, in their order, in a database beside, each of those that kept writers out first with
``LOCK=NONE``: the server refuses that and says why (errors 1845 and 1846).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from runner.servers.mariadb.sessions import quoted, rows, words_of
from runner.traffic.mariadb_history import APPLYING, COPYING, READING, Executed

if TYPE_CHECKING:
    from runner.servers.mariadb.sessions import Driver

_BESIDE = "dbproof_empty"
_REFUSED = 1846
_REASON = re.compile(r"Reason: (.*?)\. Try ", re.DOTALL)
#: What changes the form of tables, and settings that it depends on; so many statements are executed once more.
_REPEATED = frozenset(
    {*("alter_table", "create_index", "drop_index", "create_table", "drop_table", "rename_table"), "set_option"}
)
_MOST = 500
#: A statement's start, by which it is known.
Began = tuple[int, float]


def kept_out(one: Executed) -> bool:
    """Whether a statement went through a table while others could not write: it keeps no log of what they write then."""
    return bool(one.spent(COPYING)) or (bool(one.spent(READING)) and not one.spent(*APPLYING))


def lay(driver: Driver, database: str, tables: Sequence[str]) -> None:
    """Make empty tables of the same form beside, before the migrations run; one that cannot be made is left out."""
    import pymysql

    rows(driver, f"CREATE OR REPLACE DATABASE {quoted(_BESIDE)}")
    for table in tables:
        with suppress(pymysql.err.Error):
            rows(driver, f"CREATE TABLE {quoted(_BESIDE)}.{quoted(table)} LIKE {quoted(database)}.{quoted(table)}")


def ask(driver: Driver, executed: Sequence[Executed]) -> dict[Began, str]:
    """The server's reasons for the statements that kept writers out, by their start; none where all went through."""
    repeated = [one for one in executed if one.kind in _REPEATED and not one.error]
    found: dict[Began, str] = {}
    if not any(kept_out(one) for one in repeated):
        return found
    rows(driver, f"USE {quoted(_BESIDE)}")
    for one in repeated[:_MOST]:
        if kept_out(one):
            found[one.thread, one.began] = _reason(driver, one.text)
        _again(driver, one.text)
    return found


def _reason(driver: Driver, text: str) -> str:
    """``LOCK`` follows a comma in ALTER TABLE, and none in CREATE INDEX."""
    import pymysql

    comma = "" if re.match(r"\s*create\b", text, re.IGNORECASE) else ","
    try:
        rows(driver, f"{text.rstrip().rstrip(';')}\n{comma} LOCK=NONE")
    except pymysql.err.Error as error:
        said = _REASON.search(words_of(error)) if error.args[:1] == (_REFUSED,) else None
        return said[1] if said else ""
    return ""


def _again(driver: Driver, text: str) -> None:
    """So that the next one finds what it found. What cannot be done here changes nothing."""
    import pymysql

    with suppress(pymysql.err.Error):
        rows(driver, text)
