"""``dbproof allow``: accept the new findings of a report, in the settings file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli import options
from runner.cli.session import Action, Session
from runner.errors import Exit, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from runner.allows.writing import Written

From = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="REPORT", help="The report.json; by default that of the report directory.", show_default=False
    ),
]
Check = Annotated[
    list[str] | None,
    typer.Option(
        "--check", metavar="ID", help="Only findings of this check, its notices too; several times.", show_default=False
    ),
]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why they are right here.", show_default=False)]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="DATE", help="The last day on which they are accepted: 2027-06-30.", show_default=False),
]


def command(
    path: options.Path = None,
    config: options.Config = None,
    report: From = None,
    check: Check = None,
    reason: Reason = None,
    until: Until = None,
) -> Action:
    """Accept a report's new findings in the settings."""
    return partial(_allow, {"path": path, "config": config}, report, tuple(check or ()), reason, until)


def _allow(
    arguments: dict[str, object],
    report: str | None,
    checks: Sequence[str],
    reason: str | None,
    until: str | None,
    session: Session,
) -> Exit:
    from pathlib import Path

    loaded = session.load(arguments, detecting=False)
    from runner.allows.reading import found_in
    from runner.allows.writing import Wanted, write

    wanted = Wanted(_known(checks), _said(reason), _date(until))
    source = Path(report) if report is not None else Path(loaded.settings.report_dir) / "report.json"
    written = write(found_in(source), wanted, loaded)
    output = session.output()
    for line in _lines(written):
        output.line(line)
    return Exit.HELD


def _known(checks: Sequence[str]) -> Sequence[str]:
    from checks.registries.every import CHECKS
    from runner.settings.wording import did_you_mean, shorten

    for name in checks:
        if name not in CHECKS:
            raise UsageError(f"--check: '{shorten(name)}' is no check{did_you_mean(name, CHECKS)}")
    return checks


def _said(reason: str | None) -> str:
    from datetime import UTC, datetime

    from runner.text import single_line

    if reason is not None and not reason.strip():
        raise UsageError("--reason: is empty", "Say why these findings are right here.")
    return single_line(reason.strip()) if reason else f"accepted as it was on {datetime.now(UTC).date()}"


def _date(until: str | None) -> date | None:
    from datetime import date

    try:
        return None if until is None else date.fromisoformat(until)
    except ValueError:
        raise UsageError("--until: expected a date such as 2027-06-30") from None


def _lines(written: Written) -> Sequence[str]:
    already = f"{written.already} of the findings {'is' if written.already == 1 else 'are'} allowed there already"
    if not written.entries:
        return [f"nothing to write to {written.file}: {already if written.already else 'no finding of the report is meant'}"]
    noun = "allow" if len(written.entries) == 1 else "allows"
    said = f"wrote {len(written.entries)} {noun} to {written.file}, from line {written.line} on"
    return [said + (f"; {already}" if written.already else ""), *(f"  {one.check} · {one.subject}" for one in written.entries)]
