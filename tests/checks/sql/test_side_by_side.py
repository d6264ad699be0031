"""Subjects judged two at a time: in their order, each once, with what goes wrong raised."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Barrier, Thread
from threading import enumerate as threads_alive

import pytest
from sqlalchemy import text
from sqlite_judging import target

from checks.interface import Judgement, NotProven, Proven
from checks.sql.side_by_side import READERS, side_by_side
from checks.targets import ReadSession, StatementFailed


def _said(judgements: Sequence[Judgement]) -> list[str]:
    return [said.subject for said in judgements if isinstance(said, Proven | NotProven)]


def test_in_order_whoever_is_first() -> None:
    with target("CREATE TABLE t (id)") as found:

        def judge(number: int, session: ReadSession) -> Judgement:
            ((counted,),) = session.rows(text(f"SELECT count(*) + {number} FROM t"))
            return Proven(str(counted))

        assert _said(list(side_by_side(range(50), judge, found))) == [str(number) for number in range(50)]
        assert list(side_by_side([], judge, found)) == []


def test_two_are_judged_at_once() -> None:
    """Each waits for the other: one after the other they would wait for ever."""
    together = Barrier(READERS, timeout=60)
    with target("CREATE TABLE t (id)") as found:

        def judge(number: int, session: ReadSession) -> Judgement:
            together.wait()
            session.rows(text("SELECT 1"))
            return Proven(str(number))

        assert len(list(side_by_side(range(READERS), judge, found))) == READERS


def _begun_since(before: set[Thread]) -> set[Thread]:
    """The threads that were begun since and go on; others of the process may have ended meanwhile."""
    return set(threads_alive()) - before


def test_what_goes_wrong_is_raised_in_its_place_and_nothing_goes_on() -> None:
    judged: list[int] = []
    before = set(threads_alive())
    with target("CREATE TABLE t (id)") as found:

        def judge(number: int, session: ReadSession) -> Judgement:
            judged.append(number)
            session.rows(text("SELECT 1" if number != 3 else "SELECT wrong"))
            return Proven(str(number))

        said: list[Judgement] = []
        with pytest.raises(StatementFailed, match="wrong"):
            said.extend(side_by_side(range(10_000), judge, found))
        assert _said(said) == ["0", "1", "2"]
        assert _begun_since(before) == set()
        assert len(judged) < 10_000


def test_whoever_stops_listening_ends_it() -> None:
    before = set(threads_alive())
    with target("CREATE TABLE t (id)") as found:
        saying = side_by_side(range(10_000), lambda number, _: Proven(str(number)), found)
        assert next(saying) == Proven("0")
        saying.close()
    assert _begun_since(before) == set()
