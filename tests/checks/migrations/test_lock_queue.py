"""lock-queue: a statement that waits for a lock without an end; tests/traffic/ has it on a server."""

from __future__ import annotations

from dataclasses import replace

from checks.evidence import Evidence, Lock, Migration, MigrationState, Place
from checks.interface import Finding, Judgement, NotProven, Proven
from checks.migrations import lock_queue
from checks.traffic import Access, Blocking, Traffic, Wait

PLACE = Place("db/2_add.sql", 3)
NEW = Migration("2_add", "", Place("db/2_add.sql", 1), MigrationState.APPLIED, new=True)
ENDLESS = Blocking(
    text="ALTER TABLE orders ADD note text",
    place=PLACE,
    revision="2_add",
    taken=(Lock("orders", "AccessExclusiveLock"),),
    waits=(Wait("orders", Access.READS, 0.17, 0.16, "AccessShareLock"),),
    waited=0.16,
    commands=("ALTER TABLE",),
    lock_timeout=0.0,
)


class Target:
    """What a check is handed that reads evidence alone."""

    def __init__(self, traffic: Traffic | None) -> None:
        self.evidence = Evidence(migrations=(NEW,), traffic=traffic)


def judged(*statements: Blocking, gap: str = "") -> list[Judgement]:
    return list(lock_queue.run(Target(Traffic(statements, gap=gap))))  # type: ignore[arg-type]


def test_a_lock_that_is_waited_for_without_an_end_is_found() -> None:
    (finding,) = judged(ENDLESS)
    assert isinstance(finding, Finding)
    assert (finding.subject, finding.place, finding.severity) == ("2_add", PLACE, None)
    assert finding.message == (
        "it asks for AccessExclusiveLock on orders and would wait without an end (no lock_timeout);"
        " behind a transaction of 160 ms others queued for 160 ms"
    )
    assert finding.remedy.startswith("SET lock_timeout")


def test_an_index_is_dropped_beside_others() -> None:
    (finding,) = judged(replace(ENDLESS, commands=("DROP INDEX",)))
    assert isinstance(finding, Finding)
    assert finding.remedy.startswith("DROP INDEX CONCURRENTLY")


def test_with_a_timeout_it_is_proven() -> None:
    assert judged(replace(ENDLESS, lock_timeout=2.0)) == [Proven("2_add")]


def test_what_takes_no_lock_against_others_is_no_subject() -> None:
    assert judged(replace(ENDLESS, taken=())) == []
    assert judged(gap="the server ended") == [NotProven("2_add", "the server ended")]
    assert list(lock_queue.run(Target(None))) == []  # type: ignore[arg-type]
