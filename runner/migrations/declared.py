"""The validators and indexes of the settings, applied by dbproof itself ("declared" in the settings).

For a repository whose application makes its collections from what it declares, and that has no migrations. Like Mongoose's
``syncIndexes`` it brings the database to what the checkout's own settings file declares: a collection is made or its validator
changed (``collMod``), missing indexes are built, others dropped. No document is changed. What base has was applied from base's
own files, so that the rows meet what is new: a validator that they violate, a unique index that cannot be built.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checks.evidence import Statement
from runner.declaring.comparing import steps
from runner.declaring.standing import standing
from runner.declaring.steps import WHOLLY, Step
from runner.migrations.inside.refusals import answer_of
from runner.migrations.inside.shell import statement
from runner.migrations.interface import Broke, Came, Detected, Event, Project, Ran, Revision
from runner.servers.interface import Address
from runner.settings.declarations import declared_in

if TYPE_CHECKING:
    from pymongo.errors import PyMongoError

NAME = "declared"
TITLE = "declared validators and indexes"
FILES_ONLY = False


def detect(root: Path) -> Detected | None:  # noqa: ARG001 - only settings declare
    """Nothing in a repository shows this."""
    return None


def revisions(project: Project) -> Sequence[Revision]:  # noqa: ARG001 - a declaration has no history
    """None: what is declared is one whole."""
    return ()


def current(project: Project, on: Address) -> Iterator[Event]:  # noqa: ARG001 - the address is ours by construction
    """Connect and ask for nothing."""
    from runner.servers.mongodb.sessions import session

    with session(on) as client:
        client[on.database].command("ping")
        yield Came()


def apply(project: Project, on: Address) -> Iterator[Event]:
    """Bring the database to what the checkout declares, one command after the other."""
    from pymongo.errors import PyMongoError

    from runner.servers.mongodb.sessions import session

    declared = declared_in(project.root, project.settings_file, project.database, project.work_tree)
    with session(on, answer=project.settings.timeout) as client:
        yield Came()
        there = standing(client[on.database])
        for step in steps(declared.validators, declared.indexes, there, WHOLLY).all:
            began = time.monotonic()
            try:
                client[on.database].command(dict(step.command))
            except PyMongoError as error:
                yield _broke(step, error)
                return
            seconds = time.monotonic() - began
            text = statement(step.command)
            yield Ran(Statement(text, step.place, None, seconds, made=step.made, dropped=step.dropped))


def _broke(step: Step, error: PyMongoError) -> Broke:
    code, said, detail = answer_of(error)
    return Broke(None, step.place, statement(step.command), said, code, detail)
