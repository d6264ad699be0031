"""What a run gathers of references between databases, and how it is judged when all databases have been seen."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from checks.declared.across import Compared, CrossReference, Side, parse_cross_reference
from checks.declared.expectations import Expectations
from checks.evidence import Evidence, Place
from checks.interface import Engine, Outcome
from checks.registries.between import BETWEEN
from checks.schema.names import TableName
from checks.targets import StatementFailed, Target
from runner.across.keys import Keys
from runner.across.reading import keys, lacking
from runner.allows.allows import allows_in
from runner.report import ReportedDatabase
from runner.report_building import reported_checks
from runner.reported_findings import Standards
from runner.scheduler import Checks, run_checks, with_severities
from runner.servers.interface import OURS
from runner.settings.lines import line_of
from runner.settings.load import Loaded


class Revision(StrEnum):
    """Which of a database's revisions keys are of."""

    HEAD = "head"
    BASE = "base"


@dataclass
class Across:
    """The declared references between databases, and the keys of those sides that were seen."""

    references: Sequence[CrossReference]
    file: Keys
    seen: set[str] = field(default_factory=set)
    unread: dict[str, StatementFailed] = field(default_factory=dict)
    absent: dict[str, Sequence[str]] = field(default_factory=dict)
    evidence: dict[str, Evidence] = field(default_factory=dict)

    def seeing(self, database: str, revision: Revision) -> Callable[..., None]:
        """Sees a database when it is called with it, whatever else it is told."""
        return lambda target, *_: self.see(database, revision, target)

    def see(self, database: str, revision: Revision, target: Target) -> None:
        """Keep the keys of every side that lies in a database; what could not be read is told by the check."""
        self.evidence[f"{revision} {database}"] = target.evidence
        for side in dict.fromkeys(side for one in self.references for side in (one.child, one.parent)):
            if side.database == database:
                self._keep(side, _name(side, revision), target)

    def _keep(self, side: Side, name: str, target: Target) -> None:
        self.seen.add(name)
        try:
            self.absent[name] = lacking(side, target)
            if not self.absent[name]:
                self.file.put(name, keys(side, target))
        except StatementFailed as failure:
            self.unread[name] = failure

    def compared(self, reference: CrossReference, revision: Revision) -> Compared:
        """The keys of both sides at a revision; where a database has no base to compare with, those of head."""
        names = [self._at(side, revision) for side in (reference.child, reference.parent)]
        for side, name in zip((reference.child, reference.parent), names, strict=True):
            if name not in self.seen:
                return Compared(gap=f"{side.database} was not seen in this run")
            if name in self.unread:
                raise self.unread[name]
            if gap := _short_of(side, self.evidence[f"{name.partition(' ')[0]} {side.database}"]):
                return Compared(gap=gap)
        if absent := [what for name in names for what in self.absent[name]]:
            return Compared(lacking=absent)
        child, parent = names
        return Compared(self.file.different(child), *self.file.missing(child, parent))

    def _at(self, side: Side, revision: Revision) -> str:
        name = _name(side, revision)
        return name if name in self.seen else _name(side, Revision.HEAD)

    def has_base(self, database: str) -> bool:
        """Whether the base revision of a database was seen too."""
        return any(_name(one.child, Revision.BASE) in self.seen for one in self.references if one.child.database == database)


def _short_of(side: Side, evidence: Evidence) -> str:
    """Why a side has other rows than the repository means it to have, where it has."""
    database = side.database
    if any(TableName(one.schema, one.relation) in evidence.invented | evidence.derived for one in side.objects):
        return f"the rows of {side.holder} were made"
    if evidence.incomplete:
        return f"the migrations of {database} failed"
    return f"the rows of {database} were refused" if any(file.refused for file in evidence.loaded) else ""


def _name(side: Side, revision: Revision) -> str:
    return f"{revision} {side.label}"


@contextmanager
def across(loaded: Loaded) -> Iterator[Across]:
    """What is declared between the databases of the settings, and a place for keys that is gone at the end."""
    references = declared(loaded)
    with ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix=f"{OURS}-keys-")) if references else None
        file = stack.enter_context(closing(Keys(Path(place, "keys.db") if place else Path(":memory:"))))
        yield Across(references, file)


def declared(loaded: Loaded) -> Sequence[CrossReference]:
    """The references between databases, each with its line."""
    engines = {name: one.engine for name, one in loaded.settings.databases.items()}
    source = loaded.source("")
    line = line_of(source.text, (*source.prefix, "references"))
    place = Place(loaded.settings_file.as_posix(), line) if loaded.settings_file else None
    return tuple(parse_cross_reference(text, engines, place) for text in loaded.settings.references)


@dataclass(frozen=True)
class Looking:
    """One database's references to others, at one revision."""

    engine: Engine
    references: Sequence[CrossReference]
    across: Across
    revision: Revision
    evidence: Evidence = field(default_factory=Evidence)
    expect: Expectations = field(default_factory=Expectations)

    def compared(self, reference: CrossReference) -> Compared:
        """What the keys of both sides say, as they were gathered."""
        return self.across.compared(reference, self.revision)


def with_references(database: ReportedDatabase, this: Across, loaded: Loaded) -> ReportedDatabase:
    """A database's part of the report with what became of its references to other databases, where it has any."""
    mine = [one for one in this.references if one.child.database == database.name]
    checks = with_severities(BETWEEN, loaded.settings.severity)
    if not mine or not checks:
        return database
    engine = Engine(database.engine)
    looking = Looking(engine, mine, this, Revision.HEAD, this.evidence.get(f"{Revision.HEAD} {database.name}", Evidence()))
    outcomes = run_checks(looking, checks, {})
    on_base = _on_base(looking, checks, outcomes) if this.has_base(database.name) else ()
    by = Standards(loaded.settings, engine, allows_in(loaded), on_base)
    return replace(database, checks=(*database.checks, *reported_checks(outcomes, checks, looking.evidence, by)))


def _on_base(looking: Looking, checks: Checks, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """What was so on the base revisions already, where there is anything to compare it with."""
    if not any(outcome.findings for outcome in outcomes):
        return ()
    return run_checks(replace(looking, revision=Revision.BASE, evidence=Evidence()), checks, {})
