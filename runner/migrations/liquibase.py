"""Liquibase's formatted SQL ("liquibase" in the settings): the changesets of the files that the root changelog includes.

A changeset is one transaction unless it says ``runInTransaction:false``, sent statement by statement as Liquibase splits it.
Changesets that are not in SQL need Liquibase itself: they are migrated by ``command``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from checks.evidence import Place
from runner.errors import DbproofError
from runner.migrations import liquibase_changelog, versioned, versioned_steps
from runner.migrations.folders import detected
from runner.migrations.interface import Detected, Event, Project, Revision, Step
from runner.migrations.liquibase_books import Books, LiquibaseScript
from runner.migrations.liquibase_changelog import ENDINGS, PROPERTIES, Changelog
from runner.migrations.liquibase_sql import Changeset, matches
from runner.migrations.liquibase_statements import statements, without_comments
from runner.migrations.scripts import Script, Way
from runner.migrations.sql_files import SqlFile
from runner.migrations.sql_folder import current as current
from runner.migrations.statements import Statement
from runner.servers.interface import Address
from runner.settings.model import MigrationSettings

NAME: Final = "liquibase"
TITLE = "Liquibase"
FILES_ONLY = True
KEEPS_BOOKS = True

_SPRING = "src/main/resources"
_MASTER = "db/changelog/db.changelog-master"
#: What is written where nothing undoes a changeset, and nothing has to.
_NOTHING = frozenset({"empty", "not required"})


def detect(root: Path) -> Detected | None:
    """``liquibase.properties``, else the root changelog where Spring looks for it; sure where all of it can be run here."""
    named = [path for pattern in (PROPERTIES, f"*/{PROPERTIES}") for path in sorted(root.glob(pattern))]
    if named:
        return _tried(root, named, MigrationSettings(tool=NAME, directory=named[0].parent.relative_to(root).as_posix()))
    masters = [
        path for start in ("", "*/") for ending in ENDINGS for path in sorted(root.glob(f"{start}{_SPRING}/{_MASTER}{ending}"))
    ]
    if masters:
        home = masters[0].parents[2].relative_to(root).as_posix()
        return _tried(root, masters, MigrationSettings(tool=NAME, directory=home))
    return None


def _tried(root: Path, found: Sequence[Path], settings: MigrationSettings) -> Detected | None:
    project = Project(root, root / settings.directory, settings, root)
    try:
        ours = bool(_scripts(project))
    except DbproofError:
        ours = False
    because = detected(NAME, root, found, sure=ours)
    return Detected(settings, because.because, because.sure) if because and ours else None


def revisions(project: Project) -> Sequence[Revision]:
    """The changesets that would be run, in the order of the changelog."""
    return [
        Revision(one.id, one.title, Place(one.name, max(1, one.of.line)), one.digest, one.repeatable) for one in _scripts(project)
    ]


def apply(project: Project, on: Address) -> Iterator[Event]:
    """Apply every changeset that ``databasechangelog`` does not name."""
    return versioned.apply(project, on, _scripts(project), Books())


def reversible(project: Project) -> bool:  # noqa: ARG001 - every changeset may have its rollback
    """By ``liquibase rollback-count 1``."""
    return True


def rehearse(project: Project, on: Address, steps: Sequence[Step]) -> Iterator[Event]:
    """``liquibase update-count 1`` and ``liquibase rollback-count 1``."""
    return versioned_steps.rehearse(project, on, _scripts(project), Books(), _back, steps)


def _scripts(project: Project) -> list[LiquibaseScript]:
    changelog = liquibase_changelog.read(project)
    return [_script(project, changelog, one) for one in changelog.changesets if _runs(changelog, one)]


def _runs(changelog: Changelog, one: Changeset) -> bool:
    """Whether a changeset is run on PostgreSQL, with the contexts that are given."""
    listed = [word.strip().lower() for word in one.attributes.get("dbms", "").split(",") if word.strip()]
    wanted = [word for word in listed if not word.startswith("!")]
    on_ours = "!postgresql" not in listed and (not wanted or "postgresql" in wanted or "all" in wanted)
    in_context = all(matches(expression, changelog.contexts) for expression in one.contexts)
    return on_ours and in_context and not one.says("ignore", False)


def _script(project: Project, changelog: Changelog, one: Changeset) -> LiquibaseScript:
    path = changelog.file_of(one)
    name = project.relative(path)
    part = _part(name, one, one.body, one.line + 1, one.says("splitStatements", True), one.attributes.get("enddelimiter", ""))
    told = " ".join(f"{key}:{value}" for key, value in sorted(one.attributes.items()))
    said = " ".join(one.body.split())  # what comes after it in the file, and white space, makes it no other changeset
    digest = hashlib.sha256(f"{told}\n{said}".encode("utf-8", "surrogateescape")).hexdigest()
    again = one.says("runOnChange", False)
    return LiquibaseScript(
        f"{one.path}::{one.id}::{one.author}" + (f" {digest[:8]}" if again else ""),
        one.id,
        one.comment or one.id,
        path,
        name,
        (part,),
        "statement",
        one.says("runInTransaction", True),
        one.wrong,
        again,
        one,
        digest,
    )


def _part(name: str, of: Changeset, text: str, line: int, split: bool, delimiter: str) -> SqlFile:
    found = statements(text, line, delimiter) if split else _whole(text, line)
    if of.says("stripComments", True):
        found = map(without_comments, found)
    return SqlFile(name, text, tuple(found))


def _whole(text: str, line: int) -> Iterator[Statement]:
    if whole := text.strip():
        start = text.index(whole)
        yield Statement(whole, line + text.count("\n", 0, start), start, start + len(whole))


def _back(script: Script) -> Way:
    """What stands after ``--rollback``."""
    assert isinstance(script, LiquibaseScript)  # noqa: S101 - the scripts of this adapter
    one = script.of
    place = Place(script.name, one.back_line or one.line)
    text = one.back.strip()
    if not text:
        return Way(place, missing="it has no `--rollback`")
    if text.lower().rstrip(";") in _NOTHING:
        return Way(place, missing=f"its rollback is `{text}`")
    split = one.says("rollbackSplitStatements", True)
    delimiter = one.attributes.get("rollbackenddelimiter", "")
    if text.lower().startswith("changesetid:"):
        return Way(place, wrong=(place.line or 1, "a rollback that names another changeset cannot run here"))
    part = _part(script.name, one, one.back, one.back_line, split, delimiter)
    return Way(place, (part,), one.says("runInTransaction", True))
