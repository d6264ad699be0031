"""SQL of new migrations, tried under traffic on copies of a database, as the pass does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from checks.declared.expectations import Expectations
from checks.evidence import Evidence, Migration, MigrationState, Place, Statement
from checks.targets import Role
from checks.traffic import Blocking, Traffic
from runner.applying import Applied, apply
from runner.backends import mariadb, postgresql
from runner.migrations import sql_folder
from runner.migrations.interface import Project
from runner.servers.interface import Golden, Server
from runner.servers.mariadb.server import MariadbServer
from runner.settings.model import MigrationSettings
from runner.traffic import mariadb as watched_on_mariadb
from runner.traffic.postgresql import prepared


@dataclass(frozen=True)
class Trial:
    """What came of the files: the migrations, what was seen, and how the second run of them ended."""

    migrations: tuple[Migration, ...]
    traffic: Traffic
    applied: Applied

    def of(self, line: int) -> Blocking:
        """The one statement at that line."""
        (found,) = [one for one in self.traffic.statements if one.place is not None and one.place.line == line]
        return found


class Target:
    """What the checks are handed of a trial."""

    expect = Expectations()

    def __init__(self, trial: Trial) -> None:
        self.evidence = Evidence(migrations=trial.migrations, traffic=trial.traffic)


def tried_on_mariadb(server: MariadbServer, golden: Golden, root: Path, text: str) -> Trial:
    """The same on MariaDB, of one file with a statement on each line; what the verdict's run would tell of them is their text."""
    folder = root / "migrations"
    folder.mkdir(parents=True)
    (folder / "1_new.sql").write_text(text, encoding="utf-8")
    project = Project(root, folder, MigrationSettings(tool="sql", directory="migrations", transaction="statement"), root)
    done: list[Applied] = []
    with watched_on_mariadb.copied(server) as copy:
        busy = copy.open(golden)
        watching = watched_on_mariadb.prepared(copy, busy, [Statement(line) for line in text.splitlines()])
        assert watching is not None
        traffic = watching.watched(
            lambda: done.append(apply(mariadb, sql_folder, project, copy, busy, Role.OWNER)),
            {"migrations/1_new.sql": "1_new"},
            long=True,
        )
    new = Migration("1_new", "", Place("migrations/1_new.sql", 1), MigrationState.APPLIED, new=True)
    return Trial((new,), traffic, done[0])


def tried(server: Server, golden: Golden, root: Path, files: Mapping[str, str], *, long: bool = True) -> Trial | None:
    """Apply the files once alone and once under traffic; ``None`` where they touch no table of the golden's."""
    folder = root / "migrations"
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    settings = MigrationSettings(tool="sql", directory="migrations", transaction="statement")
    project = Project(root, folder, settings, root)
    with server.clone(golden) as alone, server.clone(golden) as busy:
        postgresql.heed(alone)
        verdict = apply(postgresql, sql_folder, project, server, alone, Role.OWNER)
        assert verdict.failure is None, verdict.failure
        watching = prepared(server, busy, verdict.recording.statements)
        if watching is None:
            return None
        done: list[Applied] = []
        revisions = {one.place.file: one.id for one in sql_folder.revisions(project)}
        traffic = watching.watched(
            lambda: done.append(apply(postgresql, sql_folder, project, server, busy, Role.OWNER)), revisions, long=long
        )
    migrations = [Migration(one, "", Place(file, 1), MigrationState.APPLIED, new=True) for file, one in revisions.items()]
    return Trial(tuple(migrations), traffic, done[0])
