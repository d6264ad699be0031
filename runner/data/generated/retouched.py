"""Changes a few rows of a table that was filled, as far as the server lets them be changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from checks.rows.sets.language import Statement
from checks.rows.sets.retouching import CHANGED, LEAST, TRIED, Retouching


def retouch(
    retouching: Retouching,
    rows: int,
    read: Callable[[Statement], Sequence[Sequence[Any]]],
    attempt: Callable[[Statement], bool],
) -> None:
    """Try the changes that are worth trying: ``attempt`` says whether the server took one, and has undone it where not.

    A table of few ``rows`` is left as it is.
    """
    question = retouching.reading() if rows >= LEAST else None
    if question is None:
        return
    for alike in retouching.changes(read(question)):
        taken = 0
        for change in islice(alike, TRIED):
            taken += attempt(retouching.writing(change))
            if taken == CHANGED:
                break
