"""``dbproof apply``: bring a MongoDB that exists to what the repository declares, or back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli import given, options
from runner.cli.loading import loading
from runner.cli.session import Action, Session
from runner.errors import Cancelled, DbproofError, Exit, ServerFailed, UsageError

if TYPE_CHECKING:
    from checks.declared.documents import DocumentExpectations
    from runner.declaring.applying import Asked, Site
    from runner.declaring.plan import Plan
    from runner.output import Output

#: What --undo takes instead of a file.
DECLARED = "declared"

Json = Annotated[str | None, typer.Option("--json", metavar="FILE", help="Write the plan as JSON too.", show_default=False)]
DropUndeclared = Annotated[
    bool, typer.Option("--drop-undeclared", help="Drop every index that is not declared, of collections whose indexes are.")
]
Moderate = Annotated[
    bool, typer.Option("--moderate", help="Attach a validator that documents break with the level moderate, instead of refusing.")
]
Expire = Annotated[
    list[str] | None,
    typer.Option(
        "--expire", metavar="COLLECTION.INDEX", help="An index that may let the server remove documents; several times.",
        show_default=False,
    ),
]  # fmt: skip
UndoOption = Annotated[
    str | None,
    typer.Option(
        "--undo", metavar=f"FILE|{DECLARED}", show_default=False,
        help=f"Go back to what an undo file says; with '{DECLARED}', switch the declared validators off and drop the indexes.",
    ),
]  # fmt: skip


@dataclass(frozen=True)
class _Told:
    """What the line says beside the settings."""

    url_env: str | None
    database: str | None
    dry_run: bool
    yes: bool
    json: str | None
    undo: str | None
    drop_undeclared: bool
    moderate: bool
    expire: tuple[str, ...]
    statement_timeout: str | None


def command(
    path: options.Path = None,
    url_env: given.UrlEnv = None,
    database: given.Database = None,
    dry_run: given.DryRun = False,
    yes: given.Yes = False,
    undo: UndoOption = None,
    json: Json = None,
    drop_undeclared: DropUndeclared = False,
    moderate: Moderate = False,
    expire: Expire = None,
    statement_timeout: given.StatementTimeout = None,
    config: options.Config = None,
    show_values: options.ShowValues = None,
    quiet: options.Quiet = None,
    allow_pull_request_target: options.AllowPullRequestTarget = None,
) -> Action:
    """Bring a MongoDB to the declared validators and indexes."""
    arguments: dict[str, object] = {
        "path": path,
        "config": config,
        "show_values": show_values,
        "quiet": quiet,
        "allow_pull_request_target": allow_pull_request_target,
    }
    told = _Told(url_env, database, dry_run, yes, json, undo, drop_undeclared, moderate, tuple(expire or ()), statement_timeout)
    return partial(_apply, arguments, told)


def _apply(arguments: dict[str, object], told: _Told, session: Session) -> Exit:
    loaded = session.load(arguments, detecting=False)
    name, settings = given.document_database(loaded, told.database, told.url_env, session)
    with loading():
        from runner.declaring.applying import LOOKING, Asked, site
        from runner.planning import expectations, header, wanted
    seconds = given.seconds(told.statement_timeout, LOOKING)
    declared = expectations(settings, loaded.source(name)).documents
    asked = Asked(told.drop_undeclared, told.moderate, _expiring(told.expire, declared), seconds)
    with session.output(loaded.quiet).without_commands() as output:
        output.header(header(loaded))
        with given.readable(), site(wanted(name, settings, loaded, session.environment), seconds) as place:
            output.progress.note("database", f"{place.name}: MongoDB {place.version}", settings.url_env or "")
            return _Applying(place, declared, asked, told, loaded.settings.show_values, session, output).run()


def _expiring(named: tuple[str, ...], declared: DocumentExpectations) -> frozenset[str]:
    from runner.settings.wording import did_you_mean, shorten

    known = {one.label for one in declared.indexes if one.index.expire_after_seconds is not None}
    for name in named:
        if name not in known:
            raise UsageError(f"--expire: '{shorten(name)}' is no declared index that expires{did_you_mean(name, known)}")
    return frozenset(named)


@dataclass(frozen=True)
class _Applying:
    """One call: plan, show, ask, write down what was there, send."""

    place: Site
    declared: DocumentExpectations
    asked: Asked
    told: _Told
    show_values: bool
    session: Session
    output: Output

    def run(self) -> Exit:
        from runner.declaring.plan import script, summary

        with self.output.progress.stage("plan") as stage:
            plan = self._planned()
            stage.say(summary(plan))
        for line in script(plan, self.show_values):
            self.output.line(line)
        if self.told.dry_run or not plan.audited:
            self._keep(plan)
            return Exit.FINDINGS if plan.refused else Exit.HELD
        self._require_free(plan)
        if not self.told.yes and not given.agreed(f"Send {_these(plan)} to {plan.database}?", self.session):
            self.output.line("// nothing was changed")
            return Exit.FINDINGS
        return self._send(plan)

    def _planned(self) -> Plan:
        from pathlib import Path

        from runner.declaring import applying, undoing

        if self.told.undo == DECLARED:
            return applying.undone_without_file(self.place, self.declared, self.asked)
        if self.told.undo is not None:
            return applying.undone(self.place, undoing.read(Path(self.told.undo)), self.asked)
        if not self.declared.validators and not self.declared.indexes:
            raise UsageError(
                "the settings declare neither validators nor indexes of this database",
                "Write them down: schemas and indexes in [databases.NAME.expect].",
            )
        return applying.planned(self.place, self.declared, self.asked)

    def _require_free(self, plan: Plan) -> None:
        """Raise where anything would be refused: then nothing is begun."""
        if plan.refused:
            self._keep(plan)
            verb = "is" if len(plan.refused) == 1 else "are"
            labels = ", ".join(one.step.label for one in plan.refused)
            refused = DbproofError(f"nothing was changed: of {_these(plan)} {len(plan.refused)} {verb} refused: {labels}", _WHY)
            refused.exit = Exit.FINDINGS
            raise refused
        if plan.lacking:
            raise ServerFailed(f"nothing was changed: {plan.lacking.message}", plan.lacking.remedy("dbAdmin"))

    def _send(self, plan: Plan) -> Exit:
        from pathlib import Path

        from runner.declaring import undoing
        from runner.declaring.executing import execute

        steps = [one.step for one in plan.audited]
        undo = undoing.write(undoing.before(plan.database, steps, plan.there), Path(undoing.DIRECTORY))
        self.output.progress.note("undo", f"dbproof apply --undo {undo}")
        done = 0
        try:
            with self.output.progress.stage("apply") as stage:
                for one in execute(self.place.database, steps, plan.there):
                    done += 1
                    stage.say(f"{done} of {len(steps)}: {one.step.label}")
                stage.say(f"{_these(plan)} done")
        except (DbproofError, Cancelled) as stopped:
            raise _halfway(stopped, done, len(steps), str(undo)) from None
        finally:
            self._keep(plan, done, str(undo))
        return Exit.HELD

    def _keep(self, plan: Plan, done: int | None = None, undo: str | None = None) -> None:
        """The plan as JSON, where it is asked for."""
        if self.told.json is None:
            return
        from pathlib import Path

        from bson import json_util

        from runner.declaring.plan import as_json
        from runner.declaring.undoing import written

        told = as_json(plan, self.show_values, applied=done, undo=undo)
        text = json_util.dumps(told, json_options=json_util.RELAXED_JSON_OPTIONS, indent=2, ensure_ascii=False)
        written(f"{self.session.redactor.redact(text)}\n", Path(self.told.json))


_WHY = "The reasons and remedies stand beside each command above."


def _these(plan: Plan) -> str:
    return "1 command" if len(plan.audited) == 1 else f"{len(plan.audited)} commands"


def _halfway(stopped: DbproofError | Cancelled, done: int, of: int, undo: str) -> DbproofError:
    """What stopped it, with how far it came and how to go on or back."""
    went = f"{done} of {of} commands went through" if done else "nothing was changed"
    back = f" `dbproof apply --undo {undo}` leads back." if done else ""
    building = " An index that was being built may still be, on the server." if isinstance(stopped, Cancelled) else ""
    remedy = stopped.remedy or "Run it again to go on: it is planned from what is there then."
    ended = DbproofError(f"{stopped.message}; {went}", f"{remedy}{back}{building}")
    ended.exit = stopped.exit
    return ended
