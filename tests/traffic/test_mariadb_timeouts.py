"""How long a session would wait for a table, from what it sends."""

from __future__ import annotations

import pytest

from runner.traffic.mariadb_timeouts import ENDLESS, Timeouts

ALTER = "ALTER TABLE orders ADD COLUMN note TEXT"


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        ([], 0),
        (["SET lock_wait_timeout = 2"], 2),
        (["SET SESSION lock_wait_timeout=2, foreign_key_checks = 0"], 2),
        (["SET foreign_key_checks = 0, @@session.lock_wait_timeout := 3"], 3),
        (["SET GLOBAL lock_wait_timeout = 2"], 0),
        (["SET innodb_lock_wait_timeout = 2"], 0),
        (["SET lock_wait_timeout = 86400"], 0),
        (["SET lock_wait_timeout = 2", "SET lock_wait_timeout = DEFAULT"], 0),
        (["SET lock_wait_timeout = @before"], None),
        (["SET @said = 'lock_wait_timeout = 2'"], 0),
        (["/* lock_wait_timeout = 2 */ SET sql_mode = ''"], 0),
    ],
)
def test_what_a_session_set_holds_for_its_next_statements(sent: list[str], seconds: float | None) -> None:
    timeouts = Timeouts(ENDLESS)
    for text in sent:
        timeouts.of(1, text)
    assert timeouts.of(1, ALTER) == seconds
    assert timeouts.of(2, ALTER) == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("ALTER TABLE orders WAIT 5 ADD COLUMN note TEXT", 5),
        ("SET STATEMENT lock_wait_timeout = 4 FOR ALTER TABLE orders ADD COLUMN note TEXT", 4),
        ("ALTER TABLE `wait 5` ADD COLUMN note TEXT COMMENT 'nowait'", 0),
    ],
)
def test_a_statement_may_have_its_own(text: str, seconds: float) -> None:
    timeouts = Timeouts(ENDLESS)
    assert timeouts.of(1, text) == seconds
    assert timeouts.of(1, ALTER) == 0


def test_giving_up_at_once_is_no_waiting_without_an_end() -> None:
    said = Timeouts(ENDLESS).of(1, "ALTER TABLE orders NOWAIT ADD COLUMN note TEXT")
    assert said is not None
    assert 0 < said < 1
