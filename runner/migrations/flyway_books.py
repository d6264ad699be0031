"""Flyway's books, ``flyway_schema_history``: what is pending by them, what Flyway's validation refuses, and their rows."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from runner.migrations.books import Plain, on_engine, own_table, quoted, schema
from runner.migrations.engine_sessions import EngineBooks
from runner.migrations.flyway_settings import Flyway
from runner.migrations.scripts import Refused, Script

if TYPE_CHECKING:
    from runner.migrations.books import Connected

_POSTGRESQL = """CREATE TABLE {table} (
    "installed_rank" INT NOT NULL, "version" VARCHAR(50), "description" VARCHAR(200) NOT NULL, "type" VARCHAR(20) NOT NULL,
    "script" VARCHAR(1000) NOT NULL, "checksum" INTEGER, "installed_by" VARCHAR(100) NOT NULL,
    "installed_on" TIMESTAMP NOT NULL DEFAULT now(), "execution_time" INTEGER NOT NULL, "success" BOOLEAN NOT NULL
);
ALTER TABLE {table} ADD CONSTRAINT {key} PRIMARY KEY ("installed_rank");
CREATE INDEX {index} ON {table} ("success")"""
_MARIADB = """CREATE TABLE {table} (
    installed_rank INT NOT NULL, version VARCHAR(50), description VARCHAR(200) NOT NULL, type VARCHAR(20) NOT NULL,
    script VARCHAR(1000) NOT NULL, checksum INT, installed_by VARCHAR(100) NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, execution_time INT NOT NULL, success BOOL NOT NULL,
    CONSTRAINT {key} PRIMARY KEY (installed_rank)
) ENGINE=InnoDB;
CREATE INDEX {index} ON {table} (success)"""
_SQLITE = """CREATE TABLE {table} (
    "installed_rank" INT NOT NULL PRIMARY KEY, "version" VARCHAR(50), "description" VARCHAR(200) NOT NULL,
    "type" VARCHAR(20) NOT NULL, "script" VARCHAR(1000) NOT NULL, "checksum" INT, "installed_by" VARCHAR(100) NOT NULL,
    "installed_on" TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now')), "execution_time" INT NOT NULL,
    "success" BOOLEAN NOT NULL
);
CREATE INDEX {index} ON {table} ("success")"""
_MADE = b"""INSERT INTO %s
VALUES (0, NULL, '<< Flyway Schema Creation >>', 'SCHEMA', %%s, NULL, current_user, now(), 0, true)"""
_ROWS = b"SELECT version, description, checksum, type FROM %s WHERE success ORDER BY installed_rank"
_ADD = b"""INSERT INTO %(table)s
(installed_rank, version, description, type, script, checksum, execution_time, installed_by, success)
SELECT coalesce(max(installed_rank), 0) + 1, %%s, %%s, %%s, %%s, %%s, %%s, %(user)s, %(success)s FROM %(table)s"""
_FAILED = b"SELECT version, description FROM %s WHERE NOT success ORDER BY installed_rank"
_USER = ("current_user", "substring_index(user(), '@', 1)", "''")

#: Version, description, checksum and type.
Row = tuple[object, ...]


@dataclass(frozen=True)
class FlywayScript(Script):
    """``checksum`` is Flyway's own; ``kind`` is V, B or R; ``script`` the name in the books."""

    kind: str = "V"
    checksum: int = 0
    script: str = ""


def version(text: str) -> tuple[int, ...]:
    """What versions are compared by: numbers, with zeros at the end left out."""
    numbers = [int(number) for number in re.split(r"[._]", text) if number]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


class Books(Plain):
    """One row for each file that was applied, a repeatable one each time."""

    def __init__(self, flyway: Flyway) -> None:
        self.flyway = flyway
        self.name = flyway.says("table", "flyway_schema_history")
        self.table = quoted("public", self.name)
        self.began = dict[str, float]()
        self.path = ""

    def pending(self, connection: Connected, scripts: Sequence[Script]) -> Sequence[Script]:
        """What has no row. Refused: what Flyway's ``migrate`` refuses when it validates first."""
        given: list[FlywayScript] = list(scripts)  # type: ignore[arg-type]  # the scripts of these books

        self._open(connection)
        for name, title in connection.execute(_FAILED % self.table):
            raise Refused(
                f"Flyway: detected failed migration to version {name} ({title})"
                if name
                else f"Flyway: detected failed repeatable migration: {title}"
            )
        applied, rows = self._applied(connection)
        versions = [one for one in given if one.kind != "R"]
        for kind in "VB":
            _one_each([one for one in versions if one.kind == kind])
        floor = max((version(str(row[0])) for row in rows if row[3] in ("SQL_BASELINE", "BASELINE")), default=())
        if not rows:
            versions = _from_baseline(versions)
        else:
            versions = [one for one in versions if one.kind == "V" and version(one.version) > floor]
            self._validate(versions, applied)
        checksums = {str(row[1]): row[2] for row in rows if row[0] is None and row[3] == "SQL"}
        pending = [one for one in versions if version(one.version) not in applied]
        return [*pending, *(one for one in given if one.kind == "R" and checksums.get(one.title) != one.checksum)]

    def _applied(self, connection: Connected) -> tuple[dict[tuple[int, ...], Row], Sequence[Row]]:
        """The rows of the versions that were applied and not undone since, and all rows."""
        rows = list(connection.execute(_ROWS % self.table))
        applied = dict[tuple[int, ...], Row]()
        for row in rows:
            if str(row[3]).startswith("UNDO"):
                applied.pop(version(str(row[0])), None)
            elif row[0] is not None:
                applied[version(str(row[0]))] = row
        return applied, rows

    def _open(self, connection: Connected) -> None:
        """Make Flyway's schemas and its table where they are not there, and remember the search path."""
        if isinstance(connection, EngineBooks):
            self.table = own_table(connection, self.name)
            if not connection.has(self.name):
                self._make(connection)
            return
        made = [each for each in self._schemas() if self._made(connection, each)]
        named = self._schemas()[:1]
        for each in named:
            path = b"SELECT set_config('search_path', %s || ', ' || current_setting('search_path'), false)"
            connection.execute(path, (quoted(each).decode(),))
        self.table = quoted(named[0] if named else schema(connection), self.name)
        self.path = str((connection.execute(b"SHOW search_path").fetchone() or ("",))[0])
        if connection.execute(b"SELECT to_regclass(%s)", (self.table.decode(),)).fetchone() != (None,):
            return
        self._make(connection)
        if made:
            connection.execute(_MADE % self.table, (",".join(quoted(each).decode() for each in made),))

    def _make(self, connection: Connected) -> None:
        """Flyway's table, as it makes it on this engine."""
        named = connection.quoted if isinstance(connection, EngineBooks) else quoted
        key, index = (named(f"{self.name}{ending}").decode() for ending in ("_pk", "_s_idx"))
        statements = on_engine(connection, _POSTGRESQL, _MARIADB, _SQLITE)
        for statement in statements.format(table=self.table.decode(), key=key, index=index).split(";\n"):
            connection.execute(statement.encode())

    def _schemas(self) -> list[str]:
        """The schemas of the settings, the default one first."""
        listed = [self.flyway.says("defaultSchema"), *self.flyway.says("schemas").split(",")]
        return list(dict.fromkeys(word.strip() for word in listed if word.strip()))

    def _made(self, connection: Connected, name: str) -> bool:
        if connection.execute(b"SELECT to_regnamespace(%s)", (quoted(name).decode(),)).fetchone() != (None,):
            return False
        connection.execute(b"CREATE SCHEMA %s" % quoted(name))
        return True

    def _validate(self, versions: Sequence[FlywayScript], applied: dict[tuple[int, ...], Row]) -> None:
        """What was applied is there and as it was, and nothing new is older."""

        here = {version(one.version): one for one in versions}
        if self.flyway.says("validateOnMigrate", "true") == "true":
            for key, row in applied.items():
                if key not in here and row[3] == "SQL":
                    raise Refused(f"Flyway: detected applied migration not resolved locally: {row[0]}")
                if key in here and row[3] == "SQL" and row[2] != here[key].checksum:
                    raise Refused(f"Flyway: migration checksum mismatch for migration version {row[0]}", here[key])
        newest = max(applied, default=())
        late = next((one for key, one in here.items() if key not in applied and key < newest), None)
        if late is not None and self.flyway.says("outOfOrder", "false") != "true":
            raise Refused(f"Flyway: detected resolved migration not applied to database: {late.version}", late)

    def begin(self, connection: Connected, script: Script) -> None:
        """What a file set for its session does not reach the next."""
        self.began[script.id] = time.monotonic()
        if isinstance(connection, EngineBooks):
            return
        connection.execute(b"RESET ROLE")
        connection.execute(b"SELECT set_config('search_path', %s, false)", (self.path,))

    def end(self, connection: Connected, script: Script) -> None:
        """Its row."""

        assert isinstance(script, FlywayScript)  # noqa: S101 - the scripts of these books
        self._add(connection, script, "SQL_BASELINE" if script.kind == "B" else "SQL", script.id)

    def failed(self, connection: Connected, script: Script) -> None:
        """A row that says so, where nothing was rolled back; with it Flyway does not begin again."""
        assert isinstance(script, FlywayScript)  # noqa: S101 - the scripts of these books
        self._add(connection, script, "SQL", script.id, b"false")

    def _add(self, connection: Connected, script: FlywayScript, kind: str, began: str, success: bytes = b"true") -> None:
        """A row for a file that was run, which took as long as it is since what ``began``."""
        took = int(1000 * (time.monotonic() - self.began[began]))
        row = (script.version or None, script.title, kind, script.script, script.checksum, took)
        connection.execute(
            _ADD % {b"table": self.table, b"user": on_engine(connection, *_USER).encode(), b"success": success}, row
        )


def _one_each(scripts: Sequence[FlywayScript]) -> None:
    for before, after in pairwise(scripts):
        if version(before.version) == version(after.version):
            raise Refused(f"Flyway: found more than one migration with version {after.version}: {before.name}", after)


def _from_baseline(versions: Sequence[FlywayScript]) -> list[FlywayScript]:
    """An empty database begins at the newest baseline."""
    newest = max((one for one in versions if one.kind == "B"), key=lambda one: version(one.version), default=None)
    if newest is None:
        return list(versions)
    return [newest, *(one for one in versions if one.kind == "V" and version(one.version) > version(newest.version))]
