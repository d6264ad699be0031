"""The story of a run: settings, servers, migrations, evidence, checks, reports. Data flows one way."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from runner import __version__, children, git, github
from runner.across.gathering import Across, across, with_references
from runner.allows.allows import allows_in
from runner.allows.ledger import reported_allows
from runner.errors import Cancelled, DbproofError, UsageError
from runner.judging import plan, prove
from runner.looking.addresses import meant
from runner.looking.look import look
from runner.looking.telling import next_steps
from runner.output import Output
from runner.planning import header, notes
from runner.report import Problem, Report, ReportedDatabase
from runner.reports.writing import names, write
from runner.settings.load import Loaded
from runner.settings.model import DatabaseSettings
from runner.steps import standing
from runner.text import clean
from runner.verdict import coverage, criteria, exit_code, quality, verdict

_NOT_COMPARED = git.NoBase("not compared")


@dataclass
class _Run:
    """What has come of a run so far; nothing that was found is lost when it stops early."""

    loaded: Loaded
    output: Output
    base: git.Base | git.NoBase = _NOT_COMPARED
    began: float = field(default_factory=time.monotonic)
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    databases: list[ReportedDatabase] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def each(self, judge: Callable[[str, DatabaseSettings], None], databases: Mapping[str, DatabaseSettings]) -> None:
        """Prove one database after the other; an error of one does not keep the others from being proven."""
        try:
            for name, settings in databases.items():
                try:
                    judge(name, settings)
                except DbproofError as error:
                    self.problems.append(Problem(error.message, error.remedy, error.exit))
        except Cancelled as cancelled:
            self.problems.append(Problem(cancelled.message, "What was found until then is kept.", cancelled.exit))

    def compare(self, keys: Across) -> None:
        """Judge the references between databases, now that all have been seen."""
        self.databases = [with_references(database, keys, self.loaded) for database in self.databases]

    def finish(self) -> Report:
        """Write the reports, show them, and give the Report."""
        directory = Path(self.loaded.settings.report_dir)
        report = self._cleaned(names(directory))
        if not self._done(lambda: write(report, directory)):
            report = self._cleaned()
        if not self._done(lambda: github.publish(report, self.loaded.root, self.base, self.output)):
            report = self._cleaned(report.files)
        self.output.report(report, self.loaded.show_all)
        return report

    def _done(self, handing_over: Callable[[], object]) -> bool:
        """Whether the report came to where it belongs; a failure is one more problem of the run."""
        try:
            handing_over()
        except DbproofError as error:
            self.problems.append(Problem(error.message, error.remedy, error.exit))
            return False
        return True

    def _cleaned(self, files: tuple[str, ...] = ()) -> Report:
        return clean(replace(self._report(), files=files), self.output.redactor)

    def _report(self) -> Report:
        rests_on = criteria(self.databases, self.problems, self.loaded.settings.fail_on)
        code = exit_code(rests_on)
        return Report(
            version=__version__,
            started=self.started.strftime("%Y-%m-%dT%H:%M:%S"),
            seconds=time.monotonic() - self.began,
            verdict=verdict(code),
            exit_code=code,
            fail_on=self.loaded.settings.fail_on,
            databases=tuple(self.databases),
            problems=tuple(self.problems),
            notes=(*self.loaded.notes, *(() if self.databases or self.problems else (_NOTHING,))),
            next=next_steps(self.databases, self.loaded),
            allows=reported_allows(allows_in(self.loaded), self.databases, isinstance(self.base, git.Base)),
            criteria=rests_on,
            quality=quality(self.databases),
            coverage=coverage(self.databases),
        )


_NOTHING = "No database was found to prove: `dbproof init` writes a dbproof.toml to fill in."


def run(root: Path, loaded: Loaded, output: Output) -> Report:
    """Prove every database of a repository. Raises UsageError where the revision to compare with does not exist."""
    output.header(header(loaded))
    children.sweep()
    base = git.find_base(root, loaded.settings.compare, output.environment)
    this = _Run(loaded, output, base)
    compared = f"against {base}" if isinstance(base, git.Base) else base.reason
    for name, settings in loaded.settings.databases.items():
        for label, text, origin in notes(name, settings, loaded, compared):
            output.progress.note(label, text, origin)

    def one(name: str, settings: DatabaseSettings) -> None:
        if settings.url_env and not settings.disposable:
            look(name, settings, loaded, output, this.databases.append, keys)
        else:
            prove(name, settings, base, loaded, output, this.databases.append, keys)

    with across(loaded) as keys:
        this.each(one, loaded.settings.databases)
        this.compare(keys)
    return this.finish()


def check(
    root: Path,  # noqa: ARG001 - every subcommand is told the root
    loaded: Loaded,
    url_env: str | None,
    output: Output,
    statement_timeout: float | None = None,
) -> Report:
    """Look at a database that exists, at all that the settings give an address of where ``url_env`` names none.

    What its catalogue and its rows show, in read-only sessions. ``statement_timeout`` is in seconds. Raises UsageError.
    """
    databases = meant(loaded.settings.databases, url_env, output.environment.get(url_env or "", ""))
    output.header(f"only reading {', '.join(dict.fromkeys(one.url_env or '' for one in databases.values()))}")
    this = _Run(loaded, output)
    keep = this.databases.append
    with across(loaded) as keys:
        this.each(lambda name, settings: look(name, settings, loaded, output, keep, keys, statement_timeout), databases)
        this.compare(keys)
    return this.finish()


def up(root: Path, loaded: Loaded, output: Output, form: str) -> None:  # noqa: ARG001 - every subcommand is told the root
    """Start and migrate every database, print their addresses (``form``: env, json or text), and wait until cancelled."""
    output.header(header(loaded))
    children.sweep()
    if not loaded.settings.databases:
        raise UsageError(_NOTHING)
    base = _NOT_COMPARED
    with ExitStack() as stack:
        urls = {
            name: stack.enter_context(standing(plan(name, settings, base, loaded, output))).url()
            for name, settings in loaded.settings.databases.items()
        }
        output.line(_addresses(urls, form), revealing=True)
        while True:
            signal.pause()


def _addresses(urls: Mapping[str, str], form: str) -> str:
    if form == "json":
        return json.dumps({name: {"url": url} for name, url in urls.items()})
    if form == "env":
        single = len(urls) == 1
        return "\n".join(f"{'' if single else name.upper() + '_'}DATABASE_URL={url}" for name, url in urls.items())
    return "\n".join([*(f"{name}: {url}" for name, url in urls.items()), "Ctrl-C ends it and takes everything away."])
