"""What PostgreSQL's log says of waiting, in the words of its versions."""

from __future__ import annotations

from runner.servers.interface import LogRecord
from runner.traffic.waits import LockWait, moment, waits

BEGUN = "process {} still waiting for AccessExclusiveLock on relation 16402 of database 5 after 10.250 ms"
DETAIL = "Process holding the lock: 7. Wait queue: {}."


def said(message: str, detail: str = "", second: float = 1.0) -> LogRecord:
    time = f"2026-11-21 17:52:{second:06.3f} UTC"
    return LogRecord(time, "69.1a", "", "app", "dbproof", "LOG", "00000", message, detail)


def test_a_wait_begins_before_it_is_said_and_ends_when_the_lock_is_there() -> None:
    end = said("process 11 acquired AccessExclusiveLock on relation 16402 of database 5 after 812.500 ms", second=1.803)
    (one,) = waits([said(BEGUN.format(11), DETAIL.format("9, 11, 12"), 1.0), end])
    assert one == LockWait(11, "AccessExclusiveLock", 16402, one.began, moment(end), (7, 9))
    assert round(one.ended - one.began, 4) == 0.8125


def test_waits_of_several_sessions_are_told_apart_and_one_without_an_end_ends_where_it_was_said() -> None:
    row = "process 12 still waiting for ShareLock on transaction 771 after 1.000 ms"
    many = "Processes holding the lock: 7, 8. Wait queue: 12."
    first, second = waits([said(BEGUN.format(11), DETAIL.format("11")), said(row, many, 2.0)])
    assert (first.process, first.behind, round(first.ended - first.began, 5)) == (11, (7,), 0.01025)
    assert (second.process, second.relation, second.behind) == (12, None, (7, 8))


def test_whatever_else_stands_in_the_log_is_no_wait() -> None:
    text = "duration: 1.0 ms  statement: select 'process 1 acquired ShareLock on relation 1 after 1 ms'"
    assert list(waits([said(text), said("process 1 detected deadlock while waiting"), said("")])) == []
