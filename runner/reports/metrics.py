"""``metrics.prom``: figures for alerting in Prometheus' text format, for node_exporter's textfile collector or a Pushgateway.

Names and format follow Prometheus' documentation ("Exposition formats", "Metric and label naming"). A check that judged and found
nothing is there with 0, so that an alert ends; one that did not judge has no figure at all, which an alert can ask for with
``absent()``. Single subjects are there only while they have a finding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from checks.interface import State
from runner.report import Report, ReportedCheck, Verdict

if TYPE_CHECKING:
    from prometheus_client import Metric

FILE = "metrics.prom"

#: How many single subjects are named; a time series of its own for each of very many would be a burden to whoever stores them.
SUBJECTS = 500

#: The checks whose findings say how many different parents are missing (``missing`` in their evidence).
_NAME_PARENTS = frozenset({"dangling-reference"})
_JUDGED = frozenset({State.PASSED, State.FAILED})
#: The values of a metric's labels, in their order.
Labels = TypeVar("Labels", bound=tuple[str, ...])


def render(report: Report) -> str:
    """The whole file."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(report))
    return generate_latest(registry).decode("utf-8")


class _Collector:
    """What the library asks for its metrics."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def collect(self) -> Iterable[Metric]:
        """Every metric of the report."""
        yield from _of_the_run(self._report)
        yield from _of_the_checks(self._report)


def _of_the_run(report: Report) -> Iterator[Metric]:
    started = datetime.fromisoformat(report.started).replace(tzinfo=UTC).timestamp()
    yield _gauge("run_timestamp_seconds", "When the run began, as Unix time.", {(): started})
    yield _gauge("run_duration_seconds", "How long the run took.", {(): report.seconds})
    yield _gauge("exit_code", "The run's exit code.", {(): int(report.exit_code)})
    verdicts = {(verdict.value,): int(verdict is report.verdict) for verdict in Verdict}
    yield _gauge("verdict", "1 for the verdict that the run came to, 0 for the others.", verdicts, "verdict")
    if report.quality.score is not None:
        yield _gauge("quality_score", "The share of audited rules that hold, weighted, in per cent.", {(): report.quality.score})


def _of_the_checks(report: Report) -> Iterator[Metric]:
    checks = [(database.name, check) for database in report.databases for check in database.checks]
    judged = [(name, check) for name, check in checks if check.outcome in _JUDGED]
    outcomes = Counter((name, check.outcome.value) for name, check in checks)
    yield _gauge("checks", "How many checks had this outcome.", outcomes, "database", "outcome")
    of_check = ("database", "check")
    yield _gauge("proven", "How many subjects of a check hold.", {(name, one.id): one.proven for name, one in judged}, *of_check)
    gaps = {(name, one.id): len(one.not_proven) for name, one in judged}
    yield _gauge("not_proven", "How many subjects of a check could not be judged.", gaps, *of_check)
    found = Counter(dict.fromkeys(((name, one.id, "new") for name, one in judged), 0))
    found.update((name, one.id, finding.state.value) for name, one in judged for finding in one.findings)
    yield _gauge("findings", "How many findings a check has, by whether they count.", found, *of_check, "standing")
    affected = {(name, one.id): _affected(one) for name, one in judged}
    yield _gauge("affected", "How many rows or documents a check's findings are about.", affected, *of_check)
    missing = {(name, one.id): _missing(one) for name, one in judged if one.id in _NAME_PARENTS}
    yield _gauge("missing_parents", "How many different parents are referred to and do not exist.", missing, *of_check)
    yield _gauge("finding_affected", "Rows or documents of a single finding.", _single(judged), *of_check, "subject")


def _affected(check: ReportedCheck) -> int:
    return sum(finding.count or 0 for finding in check.findings)


def _missing(check: ReportedCheck) -> int:
    said = (finding.evidence.get("missing") for finding in check.findings)
    return sum(number for number in said if isinstance(number, int))


def _single(checks: Iterable[tuple[str, ReportedCheck]]) -> dict[tuple[str, str, str], float]:
    """The first findings that have a count."""
    counted = (
        ((name, check.id, finding.subject), float(finding.count))
        for name, check in checks
        for finding in check.findings
        if finding.count is not None
    )
    return dict(one for _, one in zip(range(SUBJECTS), counted, strict=False))


def _gauge(name: str, says: str, values: Mapping[Labels, float], *labels: str) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    gauge = GaugeMetricFamily(f"dbproof_{name}", says, labels=labels)
    for key, value in values.items():
        gauge.add_metric(list(key), value)
    return gauge
