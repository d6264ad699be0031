"""A run as a step of a GitHub workflow: annotations, the step's outputs, the step summary, and whose code may run here.

Neither a token nor the API is needed: the runner reads commands in the log and two files that it names.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from runner import __version__, git
from runner.errors import DbproofError, ToolFailed
from runner.git import Base, NoBase
from runner.output import Output
from runner.report import Problem, Report, Verdict
from runner.reports import github_commands, github_files, summary
from runner.reports.github import Change, annotate, outputs
from runner.reports.registry import REPORTERS
from runner.reports.writing import ReportNotWritten
from runner.text import clean
from runner.verdict import verdict


def publish(report: Report, root: Path, base: Base | NoBase, output: Output) -> None:
    """Show a report, cleaned already, where GitHub shows it; elsewhere nothing is done. Raises ReportNotWritten."""
    environment = output.environment
    if environment.get("GITHUB_ACTIONS") != "true":
        return
    output.commands(annotate(report, _change(root, base)))
    try:
        github_files.append(environment, "GITHUB_STEP_SUMMARY", lambda room: summary.render(report, room))
    except ReportNotWritten:
        _tell(replace(report, verdict=Verdict.BROKEN), environment)
        raise
    _tell(report, environment)


def publish_failure(error: DbproofError, output: Output) -> None:
    """Show an error that ended a run before it had a report; what GitHub's files do not take stays on the console."""
    report = Report(
        version=__version__,
        started=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        seconds=0.0,
        verdict=verdict(error.exit),
        exit_code=error.exit,
        fail_on="",
        problems=(Problem(error.message, error.remedy, error.exit),),
    )
    with suppress(ReportNotWritten):
        publish(clean(report, output.redactor), Path(), NoBase(""), output)


def _change(root: Path, base: Base | NoBase) -> Change:
    """What the change touched. Where git cannot say it, every line counts as touched."""
    try:
        inside = git.place_in_repository(root)
        return Change(inside, git.changed_lines(root, base) if isinstance(base, Base) else None)
    except ToolFailed:
        return Change(_in_workspace(root))


def _in_workspace(root: Path) -> str:
    """A folder that is no repository, as seen from where the step was started."""
    seen = os.path.relpath(root)
    return "" if seen.startswith("..") else seen


def _tell(report: Report, environment: Mapping[str, str]) -> None:
    """Set the step's outputs."""
    github_files.append(environment, "GITHUB_OUTPUT", lambda _: github_commands.values(_outputs(report, environment)))


def _outputs(report: Report, environment: Mapping[str, str]) -> dict[str, str]:
    paths = {
        name: _seen_by_other_steps(file, environment)
        for name, reporter in REPORTERS.items()
        for file in report.files
        if Path(file).name == reporter.FILE
    }
    directory = str(Path(next(iter(paths.values()))).parent) if paths else ""
    return outputs(report, paths, directory)


def _seen_by_other_steps(file: str, environment: Mapping[str, str]) -> str:
    """A path from the workspace where it lies within: the container's ``/github/workspace`` is no other step's."""
    path = Path(file).absolute()
    workspace = Path(environment.get("GITHUB_WORKSPACE") or ".").absolute()
    return path.relative_to(workspace).as_posix() if path.is_relative_to(workspace) else path.as_posix()
