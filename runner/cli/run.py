"""``dbproof run``: the whole story, from nothing to a verdict."""

from __future__ import annotations

from functools import partial

from runner.cli import options
from runner.cli.loading import loading
from runner.cli.session import Action, Session
from runner.errors import Exit


def command(
    path: options.Path = None,
    config: options.Config = None,
    fail_on: options.FailOn = None,
    compare: options.Compare = None,
    report_dir: options.ReportDir = None,
    show_values: options.ShowValues = None,
    selftest: options.Selftest = None,
    show_all: options.ShowAll = None,
    quiet: options.Quiet = None,
    allow_pull_request_target: options.AllowPullRequestTarget = None,
) -> Action:
    """Start, migrate, check, report: the whole proof."""
    return partial(
        _run,
        {
            "path": path,
            "config": config,
            "fail_on": fail_on,
            "compare": compare,
            "report_dir": report_dir,
            "show_values": show_values,
            "selftest": selftest,
            "all": show_all,
            "quiet": quiet,
            "allow_pull_request_target": allow_pull_request_target,
        },
    )


def _run(arguments: dict[str, object], session: Session) -> Exit:
    loaded = session.load(arguments)
    with loading():
        from runner import pipeline

    with session.output(loaded.quiet).without_commands() as output:
        return pipeline.run(loaded.root, loaded, output).exit_code
