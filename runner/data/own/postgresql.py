"""PostgreSQL takes files of tables by COPY: CSV as it stands, other records in COPY's text format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path

from checks.interface import Engine
from checks.schema.model import Catalogue, Column, Table
from runner.data.own import delimited, scripts
from runner.data.own.copying import lines
from runner.data.own.inserting import line_of, named_at
from runner.data.own.names import columns_of
from runner.data.own.order import TableFile, Unit
from runner.data.own.orphans import NUMBER, ROWS, keys_of, question, table_name
from runner.data.own.records import Record, records
from runner.data.own.refusing import Refused
from runner.data.own.sources import RowFile
from runner.data.own.texts import utf8
from runner.migrations.simple_query import Refusal, Session, session
from runner.servers.interface import Address
from runner.settings.loading import DELIMITED, Format

_ORPHAN = "23503"
#: A line of CSV that ends the rows for servers before PostgreSQL 18, wherever it stands.
_END = b"\\."


@dataclass(frozen=True)
class PostgresLoader:
    """``owner`` sends SQL, as migrations are; ``admin`` copies tables, past row security, under which COPY does nothing."""

    root: Path
    owner: Address
    admin: Address
    engine: Engine = Engine.POSTGRESQL
    folded: bool = False

    def catalogue(self) -> Catalogue:
        """What the database is made of now."""
        from runner.data.generated.postgresql import catalogue_of

        return catalogue_of(self.admin)

    def script(self, file: RowFile, deadline: float) -> None:
        """SQL or a dump, in one transaction."""
        scripts.send(self.root, file, self.owner, deadline, self.catalogue)

    def tables(self, unit: Unit, deadline: float) -> None:
        """Files of tables in one transaction; keys that may be deferred are."""
        with session(self.admin, deadline) as opened:
            _Copying(opened, unit).run()


class _Server(Refused):
    """A refusal of the server's."""

    def __init__(self, refused: Refused, refusal: Refusal) -> None:
        super().__init__(refused.failure)
        self.refusal = refusal


@dataclass
class _Copying:
    """One transaction."""

    session: Session
    unit: Unit

    def run(self) -> None:
        first, last = self.unit[0].file, self.unit[-1]
        self.send("BEGIN", first)
        self.send("SET CONSTRAINTS ALL DEFERRED", first)
        for one in self.unit:
            self.guarded(one, partial(self.copy, one, table_name(one.table.name, _quoted)))
        self.guarded(last, partial(self.send, "SET CONSTRAINTS ALL IMMEDIATE", last.file))
        for one in self.unit:
            for statement in _sequences(one.table):
                self.send(statement, one.file)
        self.send("COMMIT", last.file)

    def send(self, statement: str, file: RowFile) -> None:
        refusal = self.session.send(statement).refusal
        if refusal is not None:
            raise _Server(scripts.told(refusal, file.name, None, statement), refusal)

    def guarded(self, one: TableFile, turn: Callable[[], None]) -> None:
        """Do something in a savepoint: of a row whose parent is missing the line is looked for, which the server does not say."""
        self.send("SAVEPOINT dbproof", one.file)
        try:
            turn()
        except _Server as wrong:
            if wrong.refusal.code != _ORPHAN:
                raise
            self.send("ROLLBACK TO SAVEPOINT dbproof", one.file)
            raise self.orphan(self.broken(one, wrong.refusal), wrong) from None

    def broken(self, one: TableFile, refusal: Refusal) -> TableFile:
        """The file of the table whose key was broken."""
        named = [other for other in self.unit if any(key.name == refusal.constraint for key in other.table.foreign_keys)]
        exact = [other for other in named if (other.table.name.schema, other.table.name.name) == (refusal.schema, refusal.table)]
        return one if one in named else next(iter(exact or named), one)

    def orphan(self, one: TableFile, wrong: _Server) -> Refused:
        """The refusal at the line of the first record without a parent."""
        table = one.table
        kept = ", ".join(_quoted(column.name) for column in table.columns if not column.generated)
        held = f"SELECT {kept} FROM {table_name(table.name, _quoted)} LIMIT 0"  # noqa: S608 - names, quoted
        self.send(f"CREATE TEMP TABLE {ROWS} ON COMMIT DROP AS {held}", one.file)
        self.send(f"ALTER TABLE {ROWS} ADD COLUMN {NUMBER} bigserial", one.file)
        self.copy(one, f"pg_temp.{ROWS}")
        found: list[int] = []
        for key in keys_of(table, wrong.refusal.constraint):
            asked = question(key, table, f"pg_temp.{ROWS}", NUMBER, _quoted)
            found += [number for (number,) in self.session.connection.execute(asked.encode()) if isinstance(number, int)]
        line = line_of(one.file, min(found)) if found else None
        refusal = replace(wrong.refusal, said=wrong.refusal.said + self.hint(one, wrong.refusal))
        return scripts.told(refusal, one.file.name, line, wrong.failure.statement)

    def hint(self, one: TableFile, refusal: Refusal) -> str:
        """What stands in the way where tables refer to each other and the key cannot wait for the other table."""
        within = {other.table.name for other in self.unit} - {one.table.name}
        key = next((key for key in one.table.foreign_keys if key.name == refusal.constraint), None)
        if key is None or key.deferrable or key.parent not in within:
            return ""
        return f"; {one.table.name.name} and {key.parent.name} refer to each other, and this key is not DEFERRABLE"

    def copy(self, one: TableFile, into: str) -> None:
        if one.file.format in DELIMITED and not _holds_line(_END, utf8(one.file)):
            self.copy_text(one, into)
        else:
            self.copy_records(one, into)

    def copy_text(self, one: TableFile, into: str) -> None:
        """CSV goes to the server as it stands, which reads it."""
        file = one.file
        named = delimited.header(file)
        columns = columns_of(file, one.table, named, named_at(file, 1), folded=False)
        options = ", ".join((
            "FORMAT csv",
            f"HEADER {'false' if file.settings.columns else 'true'}",
            f"DELIMITER {_literal(delimited.delimiter(file))}",
            f"QUOTE {_literal(delimited.quote(file))}",
            f"NULL {_literal(delimited.null(file))}",
        ))  # fmt: skip
        statement = f"COPY {into} ({_listed(columns)}) FROM STDIN WITH ({options})"
        refusal = self.session.send(statement, utf8(file)).refusal
        if refusal is not None:
            place = scripts.CONTEXT.search(refusal.context)
            line = _begins(file, int(place["line"])) if place else None
            raise _Server(scripts.told(refusal, file.name, line, statement), refusal)

    def copy_records(self, one: TableFile, into: str) -> None:
        """Records that have the same columns go in one COPY; only a column with a default makes a difference by its absence."""
        sets = _ColumnSets(one)
        sent = 0
        for columns, several in groupby(records(one.file), key=sets.of):
            counted = _Counted(several)
            statement = f"COPY {into} ({_listed(columns)}) FROM STDIN"
            refusal = self.session.send(statement, lines(counted, columns, of_json=_is_json(one.file))).refusal
            if refusal is not None:
                place = scripts.CONTEXT.search(refusal.context)
                line = line_of(one.file, sent + int(place["line"])) if place else None
                raise _Server(scripts.told(refusal, one.file.name, line, statement), refusal)
            sent += counted.number


class _ColumnSets:
    """The columns of the COPY that a record belongs to."""

    def __init__(self, one: TableFile) -> None:
        self._one = one
        self._known: dict[tuple[str, ...], tuple[Column, ...]] = {}

    def of(self, record: Record) -> tuple[Column, ...]:
        found = self._known.get(record.columns)
        if found is None:
            found = self._known[record.columns] = self._columns(record)
        return found

    def _columns(self, record: Record) -> tuple[Column, ...]:
        line = named_at(self._one.file, record.line)
        named = columns_of(self._one.file, self._one.table, record.columns, line, folded=False)
        if not _is_json(self._one.file):
            return named
        return tuple(column for column in self._one.table.columns if column in named or _may_be_null(column))


def _may_be_null(column: Column) -> bool:
    """Whether it is the same for a column to be left out and to be NULL."""
    return column.default is None and not column.identity and not column.generated


class _Counted:
    """Records, counted as they go by."""

    def __init__(self, several: Iterator[Record]) -> None:
        self._several = several
        self.number = 0

    def __iter__(self) -> Iterator[Record]:
        for record in self._several:
            self.number += 1
            yield record


def _is_json(file: RowFile) -> bool:
    return file.format in (Format.JSON, Format.JSONL)


def _begins(file: RowFile, line: int) -> int:
    """The line that the record begins at whose end, or some line of which, the server named."""
    begun = line
    try:
        for record in delimited.read(file):
            if record.line > line:
                break
            begun = record.line
    except Refused as wrong:
        place = wrong.failure.place
        begun = place.line if place and place.line and place.line <= line else begun
    return begun


def _holds_line(sign: bytes, parts: Iterable[bytes]) -> bool:
    """Whether a line begins with a sign, however the parts fall."""
    before = b"\n"
    for part in parts:
        text = before + part
        if b"\n" + sign in text or b"\r" + sign in text:
            return True
        before = text[-len(sign) :]
    return False


def _listed(columns: Sequence[Column]) -> str:
    return ", ".join(_quoted(column.name) for column in columns)


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


def _literal(text: str) -> str:
    doubled = text.replace("\\", "\\\\").replace("'", "''")
    return f"E'{doubled}'"


def _sequences(table: Table) -> Iterator[str]:
    """Let each sequence go on behind the last key, where it has not gone further already."""
    for one in table.sequences:
        named = table_name(type(table.name)(one.schema, one.name), _quoted)
        end, beyond = ("max", ">=") if one.increment > 0 else ("min", "<=")
        last = f"{end}({_quoted(one.column)})"
        yield (  # names are quoted
            f"SELECT setval({_literal(named)}::regclass, {last}) FROM {table_name(table.name, _quoted)}"  # noqa: S608 - names, quoted
            f" HAVING {last} BETWEEN {one.minimum} AND {one.maximum} AND {last} {beyond} (SELECT last_value FROM {named})"
        )
