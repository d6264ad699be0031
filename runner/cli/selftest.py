"""``dbproof selftest``: plants every fault there is for this schema, and shows which the checks find."""

from __future__ import annotations

from functools import partial

from runner.cli import options
from runner.cli.session import Action, Session
from runner.errors import Exit


def command(
    path: options.Path = None,
    config: options.Config = None,
    quiet: options.Quiet = None,
    allow_pull_request_target: options.AllowPullRequestTarget = None,
) -> Action:
    """Plant faults on copies and see whether the checks find them."""
    told: dict[str, object] = {
        "path": path,
        "config": config,
        "quiet": quiet,
        "allow_pull_request_target": allow_pull_request_target,
    }
    return partial(_selftest, told)


def _selftest(arguments: dict[str, object], session: Session) -> Exit:
    loaded = session.load(arguments)
    from runner.selftest.alone import selftest

    with session.output(loaded.quiet).without_commands() as output:
        return selftest(loaded.root, loaded, output)
