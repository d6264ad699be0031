"""Finds how the number of a row becomes a key that all rules take, and for how many rows: the server says so."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from checks.rows.judging import Dialect, Judge
from checks.rows.sets.forms import example, forms, plainest
from checks.rows.sets.plan import Form
from checks.rows.shapes import Value
from checks.rows.terms import Condition
from checks.schema.model import Column

#: How many forms of a key are tried.
FORMS = 120
#: Numbers by which a form is tried: the first ones, and some of ever more digits.
_TRIED = (1, 2, 9, 10, 99, 100, 999, 9_999, 99_999, 999_999, 9_999_999)
_ENDLESS = 2**62


class Numbering:
    """Finds forms for columns of one table, whose rows have to meet the conditions that are ``held``."""

    def __init__(self, dialect: Dialect, judge: Judge, held: Sequence[Condition]) -> None:
        self._dialect = dialect
        self._judge = judge
        self._held = held

    def form(
        self,
        column: Column,
        length: int | None,
        values: Sequence[Value],
        others: Mapping[str, Form],
        *,
        enough: int = 0,
    ) -> Form | None:
        """The form that goes furthest, the first of those that go on for ever; tried by the server, all at once.

        With ``length`` it is in so many characters that they differ. ``values`` are some that the column takes, ``others`` the
        forms of columns whose values follow from the same number. With ``enough`` it is the plainest form that
        goes so far, a text the number alone.
        """
        shape = self._dialect.shape(column)
        shape = shape if length is None else replace(shape, length=length)
        spoken = [one for one in self._held if column.name in one.columns and {*one.columns} <= {column.name, *others}]
        listed = list(itertools.islice(itertools.chain(plainest(shape) if enough else (), forms(column, shape, values)), FORMS))
        for conditions in (spoken, [one for one in spoken if len(one.columns) == 1]):
            reach = self._all_reach(column, listed, conditions, others) if conditions else [form.most for form in listed]
            going = [replace(form, most=most) for form, most in zip(listed, reach, strict=False) if most != 0]
            if going:
                break
        far = enough or _TRIED[-1]
        endless = next((form for form in going if form.most is None or form.most >= far), None)
        return endless or max(going, key=lambda form: form.most or 0, default=None)

    def _all_reach(
        self, column: Column, listed: Sequence[Form], alone: Sequence[Condition], others: Mapping[str, Form]
    ) -> list[int | None]:
        """How far each form goes, beside those of the others: the number up to which all that were tried are taken."""
        least = min((form.most for form in others.values() if form.most is not None), default=_ENDLESS)
        rows = [(place, number) for place, form in enumerate(listed) for number in _within(form) if number <= least]
        truths = self._judge(alone, [_examples({**others, column.name: listed[place]}, number) for place, number in rows])
        wrong: dict[int, int] = {}
        for (place, number), said in zip(rows, truths, strict=True):
            if place not in wrong and not all(map(Condition.holds, alone, said)):
                wrong[place] = number
        return [
            self._between({**others, column.name: form}, alone, wrong[place]) if place in wrong else form.most
            for place, form in enumerate(listed)
        ]

    def _between(self, used: Mapping[str, Form], alone: Sequence[Condition], wrong: int) -> int:
        """How far a form goes that was taken with one number tried and not with the next; 0 where that was the first."""
        good = max((number for number in _TRIED if number < wrong), default=0)
        if good < 9:
            return 0
        steps = sorted({good + (wrong - good) * part // 40 for part in range(40)})
        truths = self._judge(alone, [_examples(used, number) for number in steps])
        held = [all(map(Condition.holds, alone, said)) for said in truths]
        return steps[held.index(False) - 1] if False in held else steps[-1]


def _examples(used: Mapping[str, Form], number: int) -> Mapping[str, Value]:
    return {name: example(form, number) for name, form in used.items()}


def _within(form: Form) -> list[int]:
    return [number for number in _TRIED if form.most is None or number <= form.most]
