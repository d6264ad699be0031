"""Liquibase's books, ``databasechangelog``: what is pending by them, what a changeset is run on condition of, and its row.

MD5SUM is left empty, as after Liquibase's own ``clear-checksums``: it fills it in when it comes next. Of a changeset with
``runOnChange`` our own digest stands where Liquibase has the number of its deployment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.migrations.books import Plain, make, quoted, schema
from runner.migrations.liquibase_sql import Changeset, Precondition, attributes
from runner.migrations.scripts import PassedOver, Refused, Script

if TYPE_CHECKING:
    from runner.migrations.books import Connected

_COLUMNS = (
    "id varchar(255) NOT NULL, author varchar(255) NOT NULL, filename varchar(255) NOT NULL, dateexecuted timestamp NOT NULL, "
    "orderexecuted integer NOT NULL, exectype varchar(10) NOT NULL, md5sum varchar(35), description varchar(255), "
    "comments varchar(255), tag varchar(255), liquibase varchar(20), contexts varchar(255), labels varchar(255), "
    "deployment_id varchar(10)"
)
_LOCK = "id integer NOT NULL, locked boolean NOT NULL, lockgranted timestamp, lockedby varchar(255), PRIMARY KEY (id)"
_ADD = b"""INSERT INTO %(table)s (id, author, filename, dateexecuted, orderexecuted, exectype, description, comments, contexts,
labels, deployment_id) SELECT %%s, %%s, %%s, now(), coalesce(max(orderexecuted), 0) + 1, %%s, 'sql', %%s, %%s, %%s, %%s
FROM %(table)s"""
_AGAIN = b"""UPDATE %(table)s SET dateexecuted = now(), exectype = 'RERAN', deployment_id = %%s, md5sum = NULL,
orderexecuted = (SELECT max(orderexecuted) + 1 FROM %(table)s) WHERE id = %%s AND author = %%s AND filename = %%s"""
_ONE = b"id = %s AND author = %s AND filename = %s"
_DIGITS = 10
_EXPECTED = re.compile(r"(?:expectedResult:)?(?:'([^']+)'|\"([^\"]+)\"|(\w+)) (.*)", re.DOTALL)
_THERE = {"table-exists": (b"r", b"p"), "view-exists": (b"v", b"m")}


@dataclass(frozen=True)
class LiquibaseScript(Script):
    """A changeset with the digest of what it says, which stands for the file's."""

    changeset: Changeset | None = None
    said: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of what the changeset says, in hexadecimal."""
        return self.said

    @property
    def of(self) -> Changeset:
        """The changeset."""
        assert self.changeset is not None  # noqa: S101 - it is always given
        return self.changeset

    @property
    def key(self) -> tuple[str, str, str]:
        """What the books know it by."""
        return self.of.id, self.of.author, self.of.path


class Books(Plain):
    """A row for each changeset."""

    def __init__(self) -> None:
        self.table = quoted("public", "databasechangelog")
        self.schema = "public"
        self.rows = dict[tuple[str, str, str], str]()

    def pending(self, connection: Connected, scripts: Sequence[Script]) -> Sequence[Script]:
        """What has no row, always runs, or runs on change and was edited. Refused: what cannot be read, or is there twice."""
        given: list[LiquibaseScript] = list(scripts)  # type: ignore[arg-type]  # the scripts of these books
        for one in given:
            if one.wrong:
                raise Refused(one.wrong[1], one, one.wrong[0])
        self._open(connection)
        seen = set[tuple[str, str, str]]()
        for one in given:
            if one.key in seen:
                raise Refused(f"Validation failed: the changeset {one.id} is there twice", one, one.of.line)
            seen.add(one.key)
        return [one for one in given if one.key not in self.rows or self._runs_again(one)]

    def _open(self, connection: Connected) -> None:
        self.schema = schema(connection)
        self.table = quoted(self.schema, "databasechangelog")
        make(connection, self.table, _COLUMNS)
        lock = quoted(self.schema, "databasechangeloglock")
        if make(connection, lock, _LOCK):
            connection.execute(b"INSERT INTO %s (id, locked) VALUES (1, false)" % lock)
        found = connection.execute(b"SELECT id, author, filename, deployment_id FROM %s ORDER BY orderexecuted" % self.table)
        self.rows = {(str(row[0]), str(row[1]), str(row[2])): str(row[3]) for row in found}

    def _runs_again(self, one: LiquibaseScript) -> bool:
        changed = one.of.says("runOnChange", False) and self.rows[one.key] != one.digest[:_DIGITS]
        return one.of.says("runAlways", False) or changed

    def begin(self, connection: Connected, script: Script) -> None:
        """Its preconditions, which end the run, pass it over, or write it down as if it had run."""
        one = _ours(script)
        self._search_path(connection)
        wrong = next((line for line in one.of.preconditions if not self._holds(connection, line, one)), None)
        if wrong is None or one.of.on_fail == "WARN":
            return
        if one.of.on_fail == "HALT":
            raise Refused(f"precondition failed at line {wrong.line}: {wrong.kind} {wrong.said}", script, wrong.line)
        if one.of.on_fail == "MARK_RAN":
            self._add(connection, one, "MARK_RAN")
        raise PassedOver

    def _search_path(self, connection: Connected) -> None:
        """Before each changeset Liquibase puts its own schema before whatever the one before left as the search path."""
        row = connection.execute(b"SHOW search_path").fetchone()
        found = str(row[0]) if row else ""
        if not re.match(rf'"?{re.escape(self.schema)}"?(?:,|$)', found):
            path = quoted(self.schema) + (b", " + found.encode() if found.strip('"') else b"")
            connection.execute(b"SET search_path TO " + path)

    def _holds(self, connection: Connected, line: Precondition, one: LiquibaseScript) -> bool:
        if line.kind in _THERE:
            told = attributes(line.said)
            name = told.get("table") or told.get("view") or ""
            row = connection.execute(
                b"SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace(%s) AND relname = %s"
                b" AND relkind::text = ANY (%s)",
                (told.get("schema", self.schema), name, [kind.decode() for kind in _THERE[line.kind]]),
            ).fetchone()
            return row is not None and row[0] != 0
        found = _EXPECTED.fullmatch(line.said) if line.kind == "sql-check" else None
        if found is None:
            raise Refused(f"the precondition '{line.kind}' at line {line.line} is not understood", one, line.line)
        got = connection.execute(found[4].encode()).fetchone()
        return got is not None and str(got[0]) == (found[1] or found[2] or found[3])

    def end(self, connection: Connected, script: Script) -> None:
        """Its row, new or again."""
        one = _ours(script)
        if one.key in self.rows:
            connection.execute(_AGAIN % {b"table": self.table}, (one.digest[:_DIGITS], *one.key))
        else:
            self._add(connection, one, "EXECUTED")

    def _add(self, connection: Connected, one: LiquibaseScript, kind: str) -> None:
        labels, contexts = one.of.attributes.get("labels"), one.of.attributes.get("context")
        contexts = f"({contexts})" if contexts and " " in contexts else contexts
        values = (*one.key, kind, one.of.comment, contexts, labels, one.digest[:_DIGITS])
        connection.execute(_ADD % {b"table": self.table}, values)

    def held(self, connection: Connected, scripts: Sequence[Script]) -> Sequence[Script]:
        """In the order in which they were run."""
        found = connection.execute(b"SELECT id, author, filename FROM %s ORDER BY orderexecuted" % self.table)
        of = {_ours(script).key: script for script in scripts}
        return [of[key] for row in found if (key := (str(row[0]), str(row[1]), str(row[2]))) in of]

    def undo(self, connection: Connected, script: Script) -> None:
        """Its row goes."""
        connection.execute(b"DELETE FROM %s WHERE %s" % (self.table, _ONE), _ours(script).key)


def _ours(script: Script) -> LiquibaseScript:
    assert isinstance(script, LiquibaseScript)  # noqa: S101 - the scripts of these books
    return script
