"""Tables are begun before their parents are done: the rows are the same, and a parent that has other keys after all is heeded."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import pytest

from checks.rows.sets.order import Turn
from checks.rows.sets.wishes import Wishes
from checks.schema.model import ForeignKey, Table
from checks.schema.names import TableName
from runner.data.generated import postgresql
from runner.data.generated.postgresql import catalogue_of, generate
from runner.data.generated.scheduling import Progress, Stopped, side_by_side
from runner.servers.interface import Database
from runner.servers.postgresql.sessions import session

#: More than by which it is tried what rows meet; a parent is refused long after its children were begun.
ROWS, WRONG = 6_000, 4_001
SCHEMA = f"""
CREATE TABLE parents (id integer PRIMARY KEY, name text NOT NULL, CHECK (id % {WRONG} <> 0));
CREATE TABLE children (id integer PRIMARY KEY, parent_id integer NOT NULL REFERENCES parents);
CREATE TABLE toys (id integer PRIMARY KEY, child_id integer NOT NULL REFERENCES children, parent_id integer REFERENCES parents);
"""
DIGEST = """
SELECT md5(string_agg(t::text, ' ' ORDER BY t)) FROM
    (SELECT 'p' || parents::text FROM parents UNION ALL SELECT 'c' || children::text FROM children
    UNION ALL SELECT 't' || toys::text FROM toys) AS all_rows (t)
"""


@pytest.mark.parametrize("rows", [ROWS, ROWS // 2])
def test_children_have_parents_whatever_becomes_of_those(database: Database, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    digests = []
    with session(database.private) as connection:
        connection.execute(SCHEMA.encode())
        catalogue = catalogue_of(database.private)
        for worth in (1, 10**9):  # side by side, then one after the other
            monkeypatch.setattr(postgresql, "WORTH", worth)
            connection.execute(b"TRUNCATE toys, children, parents")
            wanted = {table.name: rows for table in catalogue.tables}
            done = generate(database.private, catalogue, wanted, 7, Wishes(), lambda _: None)
            assert [(one.rows, one.reason) for one in done] == [(rows, "")] * 3
            digests += connection.execute(DIGEST.encode()).fetchall()
        orphans = b"SELECT count(*) FROM children LEFT JOIN parents ON parents.id = parent_id WHERE parents.id IS NULL"
        assert connection.execute(orphans).fetchall() == [(0,)]
    assert digests[0] == digests[1]


def _turns() -> list[Turn]:
    parent, child = TableName("public", "parents"), TableName("public", "children")
    key = ForeignKey("to_parent", child, ("parent_id",), parent, ("id",))
    return [Turn(Table(parent, ()), ()), Turn(Table(child, (), foreign_keys=(key,)), (key,))]


def test_who_is_early_begins_on_a_promise_and_waits_for_it() -> None:
    turns, begun, said = _turns(), Event(), []
    progress = Progress(turns)

    def work(turn: Turn, promise: Callable[[], None]) -> str:
        name = turn.table.name.name
        if name == "parents":
            promise()
            assert begun.wait(30)
            said.append("the parent ends")
        else:
            begun.set()
            progress.wait(progress.resting[turn.table.name])
            said.append("the child goes on")
        return name

    assert side_by_side(turns, work, 2, progress, lambda _: True, said.clear) == ["parents", "children"]
    assert said == ["the parent ends", "the child goes on"]


def test_nobody_waits_for_a_table_that_failed() -> None:
    turns, begun, stopped, caught = _turns(), Event(), Event(), []
    progress = Progress(turns)

    def work(turn: Turn, promise: Callable[[], None]) -> None:
        if turn.table.name.name == "parents":
            promise()
            assert begun.wait(30)
            raise ValueError("the parent fails")
        begun.set()
        try:
            progress.wait(progress.resting[turn.table.name])
        except Stopped as failure:
            caught.append(failure)
            raise

    with pytest.raises(ValueError, match="the parent fails"):
        side_by_side(turns, work, 2, progress, lambda _: True, stopped.set)
    assert stopped.is_set()
    assert len(caught) == 1


def test_who_is_not_early_begins_when_its_parents_are_done() -> None:
    turns, said = _turns(), []

    def work(turn: Turn, promise: Callable[[], None]) -> None:
        said.append(f"{turn.table.name.name} begins")
        promise()
        said.append(f"{turn.table.name.name} ends")

    side_by_side(turns, work, 2, Progress(turns), lambda _: False, said.clear)
    assert said == ["parents begins", "parents ends", "children begins", "children ends"]
