"""What was measured, in words and tables: queries with the indexes that they use, what those gain, and what writes cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict

from checks.interface import Json
from runner.report import Measured, Report, ReportedDatabase, ReportedGain, ReportedQuery, ReportedWrite, Sorting
from runner.reports import wording
from runner.reports.markdown import code, prose, row

#: How many indexes the console names with their gain.
_GAINS = 2

#: The titles of the columns, by table.
QUERIES = ("Query", "Median", "Limit", "Returned", "Documents", "Keys", "Indexes", "Gain")
WRITES = ("Write", "Median", "Without validator and indexes", "Validator", "Indexes")


def sentences(report: Report) -> list[str]:
    """What the console says of each database: the query nearest to its limit, the largest gains, the dearest write.

    Only of engines that say what they looked at: of all others the limits are judged, and there is nothing more to tell.
    """
    return [wording.with_database(report, one, said) for one in report.databases for said in _sentences(one.measured)]


def _sentences(measured: Measured) -> Iterator[str]:
    timed = [(one.median / one.limit, one.median, one) for one in _looked_into(measured) if one.median is not None]
    if timed:
        _, median, nearest = max(timed, key=lambda one: one[0])
        many = "1 query" if len(timed) == 1 else f"{wording.thousands(len(timed))} queries, nearest to its limit"
        yield f"{many} {nearest.name}: {milliseconds(median)} of {milliseconds(nearest.limit)}"
    gains = sorted((one.gain for one in measured.queries if one.gain), key=lambda gain: gain.ratio)
    largest = {gain.indexes: gain for gain in gains}.values()  # of the same indexes the largest
    yield from (gain_in_words(gain) for gain in sorted(largest, key=lambda gain: -gain.ratio)[:_GAINS])
    if measured.writes:
        dearest = max(measured.writes, key=lambda one: one.overhead)
        added = milliseconds(max(dearest.overhead, 0.0))
        told = f"{dearest.kind.value} {dearest.collection}: {milliseconds(dearest.median)}"
        yield f"{told}, {added} of it for validator and indexes"


def _looked_into(measured: Measured) -> list[ReportedQuery]:
    return [one for one in measured.queries if one.documents is not None]


def gain_in_words(gain: ReportedGain) -> str:
    """``index subscriptions.company_name_idx: 22x, 45 ms to 2 ms``."""
    return f"{'index' if len(gain.indexes) == 1 else 'indexes'} {' and '.join(gain.indexes)}: {_gained(gain)}"


def _gained(gain: ReportedGain) -> str:
    least, more = ("at least ", "more than ") if gain.at_least else ("", "")
    return f"{least}{_times(gain.ratio)}x, {more}{milliseconds(gain.without)} to {milliseconds(gain.seconds)}"


def _times(ratio: float) -> str:
    return f"{ratio:.3g}" if ratio < 100 else wording.thousands(round(ratio))


def milliseconds(seconds: float) -> str:
    """``4.2 ms``, ``2 000 ms``."""
    told = seconds * 1000
    return f"{told:.3g} ms" if told < 1000 else f"{wording.thousands(round(told))} ms"


def query_rows(report: Report) -> Iterator[str]:
    """A row of Markdown for each query that the engine says of what it looked at."""
    for database in report.databases:
        for one in _looked_into(database.measured):
            yield row(
                [
                    code(wording.with_database(report, database, one.name), True),
                    "not measured" if one.median is None else milliseconds(one.median),
                    milliseconds(one.limit),
                    wording.thousands(one.returned),
                    wording.thousands(one.documents or 0),
                    wording.thousands(one.keys or 0),
                    "<br>".join(_plan(one)),
                    "" if one.gain is None else prose(_gained(one.gain), True),
                ]
            )


def _plan(one: ReportedQuery) -> Iterator[str]:
    yield from (code(name, True) for name in one.indexes)
    yield from (f"reads {code(name, True)} from end to end" for name in one.scanned)
    if one.sorting is not Sorting.NONE:
        yield f"sorts {'on disk' if one.sorting is Sorting.DISK else 'in memory'}"


def write_rows(report: Report) -> Iterator[str]:
    """A row of Markdown for each kind of write."""
    for database in report.databases:
        for one in database.measured.writes:
            name = code(wording.with_database(report, database, one.collection), True)
            times = (one.median, one.without, max(one.validator, 0.0), max(one.indexes, 0.0))
            yield row([f"{one.kind.value} {name}", *map(milliseconds, times)])


def properties(database: ReportedDatabase) -> Mapping[str, str]:
    """For JUnit, as texts."""
    queries = {f"query.{one.name}": _of_query(one) for one in database.measured.queries if one.median is not None}
    return queries | {f"write.{one.collection}.{one.kind}": _of_write(one) for one in database.measured.writes}


def _of_query(one: ReportedQuery) -> str:
    told = [f"median {milliseconds(one.median or 0.0)} of {milliseconds(one.limit)}", f"returned {one.returned}"]
    if one.documents is not None:
        told.append(f"examined {one.documents} documents and {one.keys} keys")
    if one.scanned:
        told.append(f"read {' and '.join(one.scanned)} from end to end")
    if one.gain is not None:
        told.append(gain_in_words(one.gain))
    elif one.indexes:
        told.append(f"used {' and '.join(one.indexes)}")
    return ", ".join(told)


def _of_write(one: ReportedWrite) -> str:
    without = milliseconds(one.without)
    return f"median {milliseconds(one.median)}, {without} without validator and indexes"


def as_json(measured: Measured) -> Json:
    """For ``report.json``: every time in seconds."""
    return {
        "queries": [_rounded(asdict(one)) for one in measured.queries],
        "writes": [_rounded(asdict(one)) for one in measured.writes],
    }


def _rounded(value: object) -> Json:
    """To microseconds: more digits are noise."""
    if isinstance(value, Mapping):
        return {str(name): _rounded(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(part) for part in value]
    if isinstance(value, float):
        return round(value, 6)
    return value if isinstance(value, str | int | bool) else None
