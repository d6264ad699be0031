"""``dbproof fix``: repair what a check finds in a MongoDB that exists."""

from __future__ import annotations

from collections.abc import Sequence
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
    from runner.declaring.applying import Site
    from runner.fixing.missing_parents import Gap
    from runner.fixing.telling import Done
    from runner.output import Output
    from runner.settings.model import DatabaseSettings

#: What can be repaired: the ids of checks.
FIXES = ("dangling-reference",)

Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PATH] CHECK", help="The repository's root, and what is to be repaired.", show_default=False),
]
UndoOption = Annotated[
    str | None,
    typer.Option("--undo", metavar="FILE", help="Remove what was made, as far as nobody has changed it.", show_default=False),
]
Json = Annotated[str | None, typer.Option("--json", metavar="FILE", help="Write what came of it as JSON.", show_default=False)]


@dataclass(frozen=True)
class _Told:
    """What the line says beside the settings."""

    url_env: str | None
    database: str | None
    dry_run: bool
    yes: bool
    undo: str | None
    json: str | None
    statement_timeout: str | None


def command(
    words: Words = None,
    url_env: given.UrlEnv = None,
    database: given.Database = None,
    dry_run: given.DryRun = False,
    yes: given.Yes = False,
    undo: UndoOption = None,
    json: Json = None,
    statement_timeout: given.StatementTimeout = None,
    config: options.Config = None,
    show_values: options.ShowValues = None,
    quiet: options.Quiet = None,
    allow_pull_request_target: options.AllowPullRequestTarget = None,
) -> Action:
    """Make the documents that references name and nobody made."""
    arguments: dict[str, object] = {
        "config": config,
        "show_values": show_values,
        "quiet": quiet,
        "allow_pull_request_target": allow_pull_request_target,
    }
    return partial(_fix, tuple(words or ()), arguments, _Told(url_env, database, dry_run, yes, undo, json, statement_timeout))


def _fix(words: Sequence[str], arguments: dict[str, object], told: _Told, session: Session) -> Exit:
    path = _path(words, told)
    loaded = session.load({**arguments, "path": path}, detecting=False)
    _, settings = named = given.document_database(loaded, told.database, told.url_env, session)
    with loading():
        from runner.declaring.applying import LOOKING, site
        from runner.planning import expectations, header, wanted
    seconds = given.seconds(told.statement_timeout, LOOKING)
    declared = expectations(settings, loaded.source(named[0])).documents
    with session.output(loaded.quiet).without_commands() as output:
        output.header(header(loaded))
        with given.readable(), site(wanted(*named, loaded, session.environment), seconds) as place:
            output.progress.note("database", f"{place.name}: MongoDB {place.version}", settings.url_env or "")
            fixing = _Fixing(place, declared, settings, told, loaded.settings.show_values, session, output)
            return fixing.back(told.undo) if told.undo is not None else fixing.run()


def _path(words: Sequence[str], told: _Told) -> str | None:
    """The repository's root: the word before the check's id. Raises UsageError where no check is named."""
    from runner.settings.wording import did_you_mean, shorten

    if len(words) > 2:
        raise UsageError("expected a path and the id of a check", "dbproof fix . dangling-reference")
    if words and words[-1] in FIXES:
        return words[0] if len(words) == 2 else None
    if told.undo is not None and len(words) < 2:
        return words[0] if words else None
    if not words:
        raise UsageError("what is to be repaired is missing", f"Name it: dbproof fix {FIXES[0]}")
    raise UsageError(f"'{shorten(words[-1])}' is nothing that is repaired here{did_you_mean(words[-1], FIXES)}")


@dataclass(frozen=True)
class _Fixing:
    """One call: count, show, ask, make."""

    place: Site
    declared: DocumentExpectations
    settings: DatabaseSettings
    told: _Told
    show_values: bool
    session: Session
    output: Output

    def run(self) -> Exit:
        from runner.fixing.missing_parents import survey
        from runner.fixing.telling import Done, lines

        if not self.declared.references:
            raise UsageError("the settings declare no references of this database", _REFERENCES)
        with self.output.progress.stage("count") as stage:
            gaps = [gap for gap in survey(self.place, self.declared, self._values) if gap.missing]
            stage.say(_counted(sum(gap.missing for gap in gaps), "missing parent"))
        for gap in gaps:
            for line in lines(gap, self.show_values):
                self.output.line(line)
        if not gaps:
            self.output.line("every declared reference finds its parent")
        done = Done()
        try:
            return self._repair(gaps, done)
        finally:
            self._keep(gaps, done)

    def _repair(self, gaps: Sequence[Gap], done: Done) -> Exit:
        makeable = sum(gap.makeable for gap in gaps)
        short = Exit.FINDINGS if makeable < sum(gap.missing for gap in gaps) else Exit.HELD
        if self.told.dry_run or not makeable:
            return short
        self._require_rights("insert", [gap.reference.parent.collection for gap in gaps if gap.makeable])
        if not self.told.yes and not given.agreed(f"Make {_counted(makeable, 'document')} in {self.place.name}?", self.session):
            self.output.line("nothing was changed")
            return Exit.FINDINGS
        return self._make([gap for gap in gaps if gap.makeable], done) or short

    def _keep(self, gaps: Sequence[Gap], done: Done) -> None:
        """What came of it as JSON, where it is asked for."""
        if self.told.json is None:
            return
        from pathlib import Path

        from bson import json_util

        from runner.declaring.undoing import written
        from runner.fixing.telling import as_json

        told = as_json(self.place.name, self.place.version, gaps, done, self.show_values)
        text = json_util.dumps(told, json_options=json_util.RELAXED_JSON_OPTIONS, indent=2, ensure_ascii=False)
        written(f"{self.session.redactor.redact(text)}\n", Path(self.told.json))

    @property
    def _values(self) -> dict[str, dict[str, object]]:
        return {name: dict(one.values) for name, one in self.settings.fix.items()}

    def _require_rights(self, action: str, collections: Sequence[str]) -> None:
        from runner.declaring.rights import lacking

        status = self.place.database.command({"connectionStatus": 1, "showPrivileges": True})
        missing = lacking(status, self.place.name, [(action, name) for name in dict.fromkeys(collections)])
        if missing:
            raise ServerFailed(f"nothing was changed: {missing.message}", missing.remedy("readWrite"))

    def _make(self, gaps: Sequence[Gap], done: Done) -> Exit:
        from pathlib import Path

        from runner.declaring.undoing import DIRECTORY
        from runner.fixing.ledger import Ledger
        from runner.fixing.missing_parents import fix

        made, refused = 0, dict[str, int]()
        with Ledger(self.place.name, Path(DIRECTORY)) as ledger:
            done.made, done.undo = 0, str(ledger.path)
            self.output.progress.note("undo", f"dbproof fix --undo {ledger.path}")
            try:
                with self.output.progress.stage("fix") as stage, given.readable():
                    for gap in gaps:
                        before, told = made, dict(refused)
                        for so_far in fix(self.place, gap, self.declared, self._values, ledger):
                            made = before + so_far.made
                            refused = {**told, **{said: told.get(said, 0) + n for said, n in so_far.refused.items()}}
                            done.made, done.refused = made, refused
                            stage.say(f"{_counted(made, 'document')} made")
                    stage.say(f"{_counted(made, 'document')} made")
            except (DbproofError, Cancelled) as stopped:
                raise _halfway(stopped, made, str(ledger.path)) from None
        self.output.line(f"made {_counted(made, 'document')}; `dbproof fix --undo {ledger.path}` removes them again")
        for said, count in refused.items():
            self.output.line(f"  {_counted(count, 'document')} refused: {said}")
        return Exit.FINDINGS if refused else Exit.HELD

    def back(self, file: str) -> Exit:
        """Remove what a file says was made."""
        from runner.fixing.telling import Done

        done = Done(undo=file)
        try:
            return self._removed(file, done)
        finally:
            self._keep((), done)

    def _removed(self, file: str, done: Done) -> Exit:
        from pathlib import Path

        from runner.fixing.ledger import entries
        from runner.fixing.removing import undo

        collections = list(dict.fromkeys(one.collection for one in entries(Path(file), self.place.name)))
        count = sum(1 for _ in entries(Path(file), self.place.name))
        self.output.line(f"{_counted(count, 'document')} to remove, in {', '.join(collections) or 'no collection'}")
        if self.told.dry_run or not count:
            return Exit.HELD
        self._require_rights("remove", collections)
        if not self.told.yes and not given.agreed(
            f"Remove them from {self.place.name}, where nobody changed them?", self.session
        ):
            self.output.line("nothing was changed")
            return Exit.FINDINGS
        with self.output.progress.stage("undo") as stage:
            told = done.removed = undo(self.place, entries(Path(file), self.place.name))
            stage.say(f"{_counted(told.removed, 'document')} removed")
        changed = f"; {told.changed} stay, as somebody has changed them since" if told.changed else ""
        gone = f"; {told.gone} are not there" if told.gone else ""
        self.output.line(f"removed {_counted(told.removed, 'document')}{changed}{gone}")
        return Exit.HELD


_REFERENCES = "Write them down: references in [databases.NAME.expect]."


def _counted(number: int, what: str) -> str:
    from runner.gathering import counted

    return counted(number, what)


def _halfway(stopped: DbproofError | Cancelled, made: int, file: str) -> DbproofError:
    remedy = stopped.remedy or "Run it again to go on: what is there is not made twice."
    ended = DbproofError(
        f"{stopped.message}; {_counted(made, 'document')} made before", f"{remedy} `dbproof fix --undo {file}` removes them."
    )
    ended.exit = stopped.exit
    return ended
