"""Finds rows for which conditions hold, or one of them does not, by trying: the server says what each proposed row comes to.

Nothing is solved. From a row that is not right yet, the columns of a condition that fails are changed, one at a time and in
pairs, to values worth trying; the server judges all these rows in one statement, and the best goes on. What a condition is made
of (the sides of AND, one side of an OR) is asked along, so that it is seen when a row has come nearer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import chain, combinations, islice, product

from checks.rows.boundaries import boundaries
from checks.rows.missing import NoValue
from checks.rows.pools import at_boundary
from checks.rows.shapes import Row, Value, holds
from checks.rows.terms import Ask, Condition, Field, Truth, Violation, denied, parts, sides

#: Rows that are judged in one statement at most, those that are tried first, and statements before a search gives up.
AT_ONCE = 400
FIRST = 24
ROUNDS = 10
#: Values of a column that are tried in pairs with another's.
PAIRED = 12


class Search:
    """Looks for rows of these fields; ``now`` is the server's present in seconds since 1970, roughly."""

    def __init__(self, fields: Sequence[Field], conditions: Sequence[Condition], ask: Ask, now: Decimal) -> None:
        self._fields = {field.name: field for field in fields}
        self._shapes = {field.name: field.shape for field in fields}
        self._conditions = tuple(conditions)
        self._ask = ask
        self._now = now

    def satisfying(self, start: Row) -> tuple[Row, tuple[Condition, ...]]:
        """The row that was found to satisfy most, made from ``start``, and the conditions that it still breaks."""
        row, failing = self._climbed(self._each_alone(start), self._conditions)
        for condition in failing:
            further, left = self._by_one_side(row, condition)
            if len(left) < len(failing):
                row, failing = further, left
        return row, tuple(failing)

    def violating(self, row: Row, condition: Condition) -> Violation:
        """A row for which ``condition`` is false and, where that was found, nothing else; raises NoValue.

        ``row`` satisfies everything. What differs least from it comes first, and of that what lies at a boundary.
        """
        freed = Search([replace(field, kept=()) for field in self._fields.values()], self._conditions, self._ask, self._now)
        return freed._violating(row, condition)

    def _violating(self, row: Row, condition: Condition) -> Violation:
        """Where the nearest row breaks other conditions too, those are mended; where there is none, it is looked for further."""
        found = self._nearest(row, condition)
        if found is not None and not found.others:
            return found
        bad = denied(condition)
        wanted = (bad, *(other for other in self._conditions if other != condition))
        further, failing = (
            self._climbed(row, wanted) if found is None else self._climbed(found.row, wanted, rounds=1 + len(found.others))
        )
        if bad in failing and found is None:
            further, failing = self._by_one_side(further, bad, wanted)
        if bad not in failing and (found is None or len(failing) < len(found.others)):
            return Violation(further, _changes(row, further), tuple(other.name for other in failing))
        if found is None:
            raise NoValue("no row was found for which it is false")
        return found

    def _each_alone(self, start: Row) -> Row:
        """Each column with its first value that satisfies the conditions which speak of it alone, found in one statement."""
        single: dict[str, list[Condition]] = {}
        for condition in self._conditions:
            if len(condition.columns) == 1 and condition.columns[0] in self._fields:
                single.setdefault(condition.columns[0], []).append(condition)
        values = {name: self._worth_trying(start, name, own) for name, own in single.items()}
        longest = max(map(len, values.values()), default=0)
        rows = [
            {**start, **{name: listed[number] for name, listed in values.items() if number < len(listed)}}
            for number in range(longest)
        ]
        asked = [condition for own in single.values() for condition in own]
        found: dict[str, Value] = {}
        for row, truths in zip(rows, self._ask(asked, rows), strict=True):
            lacking = {condition.columns[0] for condition, truth in zip(asked, truths, strict=True) if truth is not Truth.TRUE}
            found = {**{name: row[name] for name in single if name not in lacking}, **found}
        return {**start, **found}

    def _worth_trying(self, row: Row, name: str, conditions: Sequence[Condition]) -> list[Value]:
        """The present value first, then what any of the conditions makes worth trying."""
        listed = (value for condition in conditions for value in self._values(row, name, condition))
        return list(dict.fromkeys((row[name], *listed)))

    def _nearest(self, row: Row, condition: Condition) -> Violation | None:
        """The first row that breaks nothing else, else one that breaks as little else as may be; a few are asked about first."""
        proposed = islice(self._changed(row, condition), AT_ONCE)
        best: Violation | None = None
        for number in (FIRST, AT_ONCE):
            found = self._least(row, list(islice(proposed, number)), condition)
            best = min((one for one in (best, found) if one), key=lambda one: len(one.others), default=None)
            if best is not None and not best.others:
                break
        return best

    def _least(self, row: Row, rows: Sequence[Row], condition: Condition) -> Violation | None:
        others = [other for other in _touched(self._conditions, condition) if other != condition]
        best: Violation | None = None
        for tried, (own, *rest) in zip(rows, self._ask([condition, *others], rows), strict=True):
            if own is not Truth.FALSE or Truth.BROKEN in rest:
                continue
            broken = tuple(other.name for other, truth in zip(others, rest, strict=True) if not other.holds(truth))
            if best is None or len(broken) < len(best.others):
                best = Violation(tried, _changes(row, tried), broken)
        return best

    def _climbed(
        self, start: Row, wanted: Sequence[Condition], aims: Sequence[Condition] = (), rounds: int = ROUNDS
    ) -> tuple[Row, list[Condition]]:
        """The best row that was come to, and which of ``wanted`` still fail for it; ``aims`` only show the way."""
        asked, failing = self._begun(start, wanted, [*aims, *chain.from_iterable(map(parts, wanted))])
        row = start
        seen = {tuple(row.items())}
        for turn in range(rounds):
            missed = [condition for condition in failing if condition in wanted]
            if not missed:
                break
            target = failing[-1 - turn % len(failing)]  # parts come last, and say more exactly what is wrong
            proposed = (one for one in islice(self._changed(row, target), AT_ONCE) if tuple(one.items()) not in seen)
            step = self._step(proposed, asked, failing, target)
            if step is not None:
                seen.add(tuple(step[0].items()))
            if step is not None and len(step[1]) <= len(failing):
                row, failing = step
        return row, [condition for condition in failing if condition in wanted]

    def _step(
        self, proposed: Iterator[Row], asked: Sequence[Condition], failing: Sequence[Condition], target: Condition
    ) -> tuple[Row, list[Condition]] | None:
        """The row that breaks least, with what it breaks; where one of the first is better than what there is, it is that."""
        touched = _touched(asked, target)
        same = {condition for condition in failing if condition not in touched}
        best: tuple[Row, list[Condition]] | None = None
        for number in (FIRST, AT_ONCE):
            rows = list(islice(proposed, number))
            for row, truths in zip(rows, self._ask(touched, rows), strict=True):
                broken = same | set(_failing(touched, truths))
                if best is None or len(broken) < len(best[1]):
                    best = row, [condition for condition in asked if condition in broken]
            if best is not None and len(best[1]) < len(failing):
                break
        return best

    def _by_one_side(
        self, row: Row, condition: Condition, wanted: Sequence[Condition] | None = None
    ) -> tuple[Row, list[Condition]]:
        """Go for one side of an OR after the other."""
        wanted = self._conditions if wanted is None else wanted
        best, left = row, [condition]
        for side in sides(condition):
            best, left = self._climbed(row, wanted, [side, *parts(side)])
            if not left:
                break
        return best, left

    def _begun(
        self, row: Row, wanted: Sequence[Condition], parts: Sequence[Condition]
    ) -> tuple[list[Condition], list[Condition]]:
        """What is to be asked on the way, and what of it fails; of the parts those that the server understands, written anew."""
        asked = [*wanted, *dict.fromkeys(part for part in parts if part not in wanted)]
        truths = self._ask(asked, [row])[0]
        worth = [
            (condition, truth)
            for condition, truth in zip(asked, truths, strict=True)
            if condition in wanted or truth is not Truth.BROKEN
        ]
        return [condition for condition, _ in worth], [condition for condition, truth in worth if not condition.holds(truth)]

    def _changed(self, row: Row, condition: Condition) -> Iterator[Row]:
        """Rows that differ from ``row`` in one column of a condition, then in which of them are NULL, then in two columns."""
        names = [name for name in condition.columns if name in self._fields]
        values = {name: self._values(row, name, condition) for name in names}
        for name in names:
            yield from ({**row, name: value} for value in values[name] if value != row.get(name))
        empty = [name for name in names if None in (self._fields[name].kept or self._fields[name].pool)]
        if len(empty) > 1:
            yield {**row, **dict.fromkeys(empty)}
            yield from ({**row, **{name: None for name in empty if name != kept}} for kept in empty)
        for first, second in combinations(names, 2):
            for pair in product(values[first][:PAIRED], values[second][:PAIRED]):
                yield {**row, first: pair[0], second: pair[1]}

    def _values(self, row: Row, name: str, condition: Condition) -> list[Value]:
        """Values at the boundaries of a condition, then those worth trying; NULL comes last, as it passes most conditions."""
        field = self._fields[name]
        found: list[Value] = []
        if not field.kept and condition.tree is not None:
            for boundary in boundaries(condition.tree, name, row, self._shapes, self._now):
                found += at_boundary(boundary, field.shape, row.get(name))
            others = [other for other in condition.columns if other != name and other in self._shapes]
            found += [row[other] for other in others if holds(field.shape, row[other], self._shapes[other])]
        distinct = dict.fromkeys((*found, *(field.kept or field.pool)))
        return [*(value for value in distinct if value is not None), *([None] if None in (field.kept or field.pool) else [])]


def _touched(conditions: Sequence[Condition], by: Condition) -> list[Condition]:
    """The conditions that may come to something else when columns of one of them change."""
    return [condition for condition in conditions if not set(condition.columns).isdisjoint(by.columns)]


def _failing(conditions: Sequence[Condition], truths: Sequence[Truth]) -> list[Condition]:
    return [condition for condition, truth in zip(conditions, truths, strict=True) if not condition.holds(truth)]


def _changes(before: Row, after: Row) -> tuple[str, ...]:
    return tuple(name for name in after if after[name] != before.get(name))
