"""The pass that tries the previous release on the new schema, as it runs there while a release is rolled out.

Its statements come from base's own tests, run on a copy of base, or from a file of base's. Each is prepared on copies of base
and of head: what base understands and head does not is broken by the change. After which new migration is found out by taking
them one by one on another copy. Nothing is executed on head, save base's own tests where the settings say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from checks.evidence import Migration, Place
from checks.interface import Engine
from checks.previous import BrokenStatement, OwnTests, Previous
from checks.schema.model import Catalogue
from runner import git
from runner.data.own.programs import ProjectPrograms, unmigrated
from runner.errors import DbproofError, ToolFailed, UsageError
from runner.gathering import counted
from runner.migrations.interface import Direction, Paused, Reversible, Step
from runner.plan import Built
from runner.previous import statements
from runner.recorder.reading import read
from runner.servers.interface import Database, Golden, Server
from runner.servers.postgresql.sessions import session
from runner.steps import Building, project_in

#: The check that judges it.
CHECK = "n-minus-1"
#: So many texts are kept of statements that break for the same reason.
_SHOWN = 5
#: By statement, the code and the words of the server.
Refusals = Mapping[str, tuple[str, str]]


def previous(building: Building, head: Built, base: Built | None, applied: frozenset[str]) -> Built:
    """Head with what became of base's release on it; the same without new migrations, or where the settings ask for nothing."""
    told = building.migrations
    new = [one for one in head.evidence.migrations if one.revision not in applied]
    asked = told is not None and (told.statements or told.statements_file or told.n_minus_1)
    if CHECK not in building.plan.checks or base is None or not asked or head.evidence.incomplete:
        return head
    if head.evidence.migrations and not new:
        return head
    with building.plan.progress.stage("n-1") as stage:
        try:
            found = _Release(building, head, base, new, stage.say).tried()
        except UsageError:
            raise
        except DbproofError as error:
            found = Previous(gap=error.message)
        failed = found.failed or (found.tests.failed if found.tests else "")
        if failed:
            stage.failed(_brief(failed))
        elif found.gap or (found.tests and found.tests.gap and not found.statements):
            stage.skipped(found.gap or (found.tests.gap if found.tests else ""))
        elif found.broken or (found.tests and found.tests.said):
            stage.failed(_said(found))
        else:
            stage.say(_said(found))
    return replace(head, evidence=replace(head.evidence, previous=found))


def _brief(failed: str) -> str:
    """In one line: of what a program said, the end tells why."""
    first, *more = failed.splitlines()
    return f"{first.rpartition(': ')[0]}: {more[-1]}" if more else first


def _said(found: Previous) -> str:
    words = []
    if found.statements:
        broken = sum(one.times for one in found.broken)
        words.append(f"{counted(found.statements, 'statement')} of base, {broken or 'none'} broken")
    if found.tests is not None:
        words.append(f"base's own tests {'fail' if found.tests.said else 'were not tried' if found.tests.gap else 'pass'}")
    return ", ".join(words)


@dataclass
class _Release:
    """Base's release, and the two databases; ``new`` are the migrations that base lacks."""

    building: Building
    head: Built
    base: Built
    new: Sequence[Migration]
    say: Callable[[str], None]
    _stack: ExitStack = field(default_factory=ExitStack)

    def tried(self) -> Previous:
        """Statements first, then base's own tests. Raises DbproofError, UsageError."""
        revision, told = self.building.plan.base, self.building.migrations
        if told is None or not isinstance(revision, git.Base):
            return Previous(gap="there is no base revision")
        with git.files_of(self.building.plan.root, revision) as root:
            found = self._statements(root) if told.statements or told.statements_file else Previous()
            return replace(found, tests=self._tests(root, told.n_minus_1)) if told.n_minus_1 else found

    # Statements ----------------------------------------------------------------------------------------------------------

    def _statements(self, root: Path) -> Previous:
        """Raises UsageError; a program of the settings that does not do its work is what the check is to say."""
        try:
            return self._of_statements(root)
        except ToolFailed as error:
            return Previous(failed=error.message)

    def _of_statements(self, root: Path) -> Previous:
        if self.base.server.engine is not Engine.POSTGRESQL:
            return Previous(gap=f"statements are prepared on PostgreSQL only, this is {self.base.server.engine.label}")
        texts = self._texts(root)
        if not texts:
            return Previous(gap="base's release sent no statement that could be prepared")
        self.say(f"preparing {counted(len(texts), 'statement')}")
        with self.base.server.clone(self.base.golden) as copy:
            on_base, before = self._refusals(copy, texts), self._catalogue(copy)
        good = [text for text in texts if text not in on_base]
        with self.head.server.clone(self.head.golden) as copy:
            on_head = self._judged(copy, good, before)
        since = self._since(good, on_head, before)
        return Previous(len(good), len(on_base), tuple(self._broken(on_head, since)))

    def _captured(self, root: Path) -> list[str]:
        """Of base's file; one that comes with this change is none of base's yet."""
        name = self.building.migrations.statements_file if self.building.migrations else None
        if name is None or (not (root / name).exists() and (self.building.plan.root / name).exists()):
            return []
        return statements.captured(root, name, f"databases.{self.building.plan.name}.migrations.statements_file")

    def _texts(self, root: Path) -> list[str]:
        told, texts = self.building.migrations, self._captured(root)
        if told is None or not told.statements:
            return texts
        self.say(f"running `{told.statements}` on base")
        with ExitStack() as stack:
            server, database = _forked(stack, self.base)
            mark = server.mark()
            if said := self._run(root, told.statements, server, database):
                raise ToolFailed(f"`{told.statements}` fails on base's own schema: {said}")
            sent = [one for name in (database.name, f"test_{database.name}") for one in read(server.log(mark), name).statements]
        return list(dict.fromkeys([*texts, *statements.prepared(sent)]))

    def _judged(self, copy: Database, texts: Sequence[str], before: Catalogue) -> Refusals:
        refused = self._refusals(copy, texts)
        held = [text for text in texts if text not in refused]
        return {**refused, **statements.lacking(held, before, self._catalogue(copy))}

    def _refusals(self, copy: Database, texts: Sequence[str]) -> Refusals:
        return statements.refusals(copy.addresses[self.building.role], texts)

    def _catalogue(self, copy: Database) -> Catalogue:
        from runner.data.generated.postgresql import catalogue_of

        return catalogue_of(copy.private)

    def _since(self, texts: Sequence[str], broken: Refusals, before: Catalogue) -> Mapping[str, str]:
        """By statement, after which new migration it breaks; nothing of those of which that is not known."""
        if len(self.new) == 1:
            return dict.fromkeys(broken, self.new[0].revision)
        tool, project = self.building.plan.adapter, project_in(self.building, self.building.plan.root)
        if (
            not broken
            or not self.new
            or tool is None
            or project is None
            or not hasattr(tool, "rehearse")
            or tool.NAME == "command"
        ):
            return {}
        stepping = cast("Reversible", tool)
        project = replace(project, applied=frozenset(one.revision for one in self.base.evidence.migrations))
        since: dict[str, str] = {}
        steps = [Step(Direction.UP, one.revision) for one in self.new]
        with ExitStack() as stack:
            _, database = _forked(stack, self.base)
            events = stack.enter_context(
                closing(cast("Any", stepping.rehearse(project, database.addresses[self.building.role], steps)))
            )
            for event in events:
                if isinstance(event, Paused):
                    self.say(f"after {steps[event.number].revision}")
                    left = [text for text in texts if text in broken and text not in since]
                    since.update(dict.fromkeys(self._judged(database, left, before), steps[event.number].revision))
        return since

    def _broken(self, on_head: Refusals, since: Mapping[str, str]) -> Iterator[BrokenStatement]:
        alike: dict[tuple[str, str, str], list[str]] = {}
        for text, (code, said) in on_head.items():
            alike.setdefault((code, said, since.get(text, "")), []).append(text)
        for (code, said, revision), texts in alike.items():
            shown = tuple(dict.fromkeys(statements.without_values(text) for text in texts))[:_SHOWN]
            yield BrokenStatement(code, said, shown, len(texts), revision or None, self._place(revision, said))

    def _place(self, revision: str, said: str) -> Place | None:
        """The statement of a migration that dropped what the server names, else the migration."""
        migration = next((one for one in self.new if one.revision == revision), None)
        if migration is None:
            return None
        own = (one for one in self.head.evidence.statements if one.place and one.place.file == migration.place.file)
        for one in own:
            if any(_names(said, gone.name or gone.relation) for gone in one.dropped):
                return one.place
        return migration.place

    # Its own tests -------------------------------------------------------------------------------------------------------

    def _tests(self, root: Path, command: str) -> OwnTests:
        """Raises UsageError; as :meth:`_statements`."""
        try:
            return self._of_tests(root, command)
        except UsageError:
            raise
        except ToolFailed as error:
            return OwnTests(command, failed=error.message)
        except DbproofError as error:
            return OwnTests(command, gap=error.message)

    def _of_tests(self, root: Path, command: str) -> OwnTests:
        self.say(f"running base's `{command}` on head's schema")
        with ExitStack() as stack:
            said = self._run(root, command, *_forked(stack, self.head))
        if not said:
            return OwnTests(command)
        self.say(f"running base's `{command}` on base's schema")
        with ExitStack() as stack:
            before = self._run(root, command, *_forked(stack, self.base))
        if before:
            return OwnTests(command, failed=f"`{command}` fails on base's own schema too: {before}")
        return OwnTests(command, said, self.new[0].place if len(self.new) == 1 else None)

    def _run(self, root: Path, command: str, server: Server, database: Database) -> str:
        """The last words of a program of base's, empty where it ended well. Raises DbproofError."""
        project = project_in(self.building, root) or unmigrated(root, self.building.plan.root)
        programs = ProjectPrograms(
            replace(project, directory=root), self.building.plan.backend, server, database, database.addresses[self.building.role]
        )
        return programs.ran(command)


def _forked(stack: ExitStack, one: Built) -> tuple[Server, Database]:
    """A copy on a server of its own, where tests may make a database beside it."""
    server = stack.enter_context(one.server.fork())
    database = server.open(Golden(server.database(one.golden.database.name)))
    if server.engine is Engine.POSTGRESQL:
        from psycopg import sql

        with session(database.private) as connection:
            for address in database.addresses.values():
                connection.execute(sql.SQL("ALTER ROLE {} CREATEDB").format(sql.Identifier(address.user)))
    return server, database


def _names(said: str, name: str) -> bool:
    """Whether the server's words name something: in quotes, or behind an alias."""
    return bool(name) and any(mark in said for mark in (f'"{name}"', f".{name} ", f" {name} "))
