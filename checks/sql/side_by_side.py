"""Judges subjects two at a time, each in a session of its own: a scan keeps one processor busy and leaves the others idle."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

from checks.interface import Judgement
from checks.targets import ReadSession, RelationalTarget

#: How many sessions read at once.
READERS = 2

SubjectT = TypeVar("SubjectT")


def side_by_side(
    subjects: Sequence[SubjectT], judge: Callable[[SubjectT, ReadSession], Judgement], target: RelationalTarget
) -> Generator[Judgement, None, None]:
    """What ``judge`` says of each subject, in their order. Raises what it raises; what has not been begun then is left out."""
    waiting: SimpleQueue[tuple[SubjectT, Future[Judgement]]] = SimpleQueue()
    answers: list[Future[Judgement]] = [Future() for _ in subjects]
    for pair in zip(subjects, answers, strict=True):
        waiting.put(pair)
    readers = [Thread(target=_read, args=(waiting, judge, target), daemon=True) for _ in range(min(READERS, len(subjects)))]
    for reader in readers:
        reader.start()
    try:
        for answer in answers:
            yield answer.result()
    finally:
        _leave_out(waiting)
        for reader in readers:
            reader.join()


def _read(
    waiting: SimpleQueue[tuple[SubjectT, Future[Judgement]]],
    judge: Callable[[SubjectT, ReadSession], Judgement],
    target: RelationalTarget,
) -> None:
    """Judge what is waiting until nothing is; a failure is that of the subject it came with."""
    while (next_one := _next(waiting)) is not None:
        subject, answer = next_one
        try:
            with target.rows() as session:
                answer.set_result(judge(subject, session))
                while (next_one := _next(waiting)) is not None:
                    subject, answer = next_one
                    answer.set_result(judge(subject, session))
        except BaseException as failure:  # noqa: BLE001 - it is raised where the answer is waited for
            if not answer.done():
                answer.set_exception(failure)


def _next(
    waiting: SimpleQueue[tuple[SubjectT, Future[Judgement]]],
) -> tuple[SubjectT, Future[Judgement]] | None:
    try:
        return waiting.get_nowait()
    except Empty:
        return None


def _leave_out(waiting: SimpleQueue[tuple[SubjectT, Future[Judgement]]]) -> None:
    while _next(waiting) is not None:
        pass
