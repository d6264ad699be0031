"""Writes a database's rows as SQL that psql loads: COPY, parents first. Rows pass through one by one, so memory stays flat."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from checks.rows.sets.order import Turn, turns
from checks.rows.sets.postgresql import quoted, table_name
from checks.schema.model import Catalogue, Table
from runner.data.generated.files import put_together
from runner.data.generated.manner import MANNER
from runner.servers.interface import Address
from runner.servers.postgresql.sessions import ours, session

_OPENING = """\
-- Rows made by dbproof for an empty database with the same schema.
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
"""
#: Without it a circle of references cannot be loaded: some row has to come before the one that it refers to.
_CIRCLE = "SET session_replication_role = replica;  -- tables refer to each other in a circle: needs a superuser\n"


def written(address: Address, catalogue: Catalogue, file: Path) -> int:
    """Write every table that holds rows, and give the file's bytes. Raises OSError; what was begun is removed then."""
    return put_together(file, _parts(address, catalogue))


def _parts(address: Address, catalogue: Catalogue) -> Iterator[bytes]:
    ordered = list(turns(catalogue))
    yield _OPENING.encode()
    if any(turn.later for turn in ordered):
        yield _CIRCLE.encode()
    with session(ours(address, MANNER)) as connection:
        for turn in ordered:
            table, columns = turn.table, _columns(turn.table)
            name = _plain(table_name(table.name))
            source = f"{'' if table.partitioned else 'ONLY '}{name}"
            if connection.execute(f"SELECT 1 FROM {source} LIMIT 1".encode()).fetchone() is None:
                continue
            yield f"\nCOPY {name} ({columns}) FROM stdin;\n".encode()
            with connection.cursor() as cursor, cursor.copy(_copying(turn, columns, source)) as copy:
                for block in copy:
                    yield bytes(block)
            yield b"\\.\n"
            for one in table.sequences:
                sequence = f"{_plain(quoted(one.schema))}.{_plain(quoted(one.name))}"
                (last,) = connection.execute(f"SELECT last_value FROM {sequence}".encode()).fetchone() or (1,)
                yield f"SELECT pg_catalog.setval({_literal(sequence)}, {last});\n".encode()


def _copying(turn: Turn, columns: str, source: str) -> bytes:
    """Rows come in the order in which they were made, but for tables whose references were filled in later: by their key."""
    table = turn.table
    changed = bool(turn.later) or any(key.parent == table.name for key in table.foreign_keys)
    order = f" ORDER BY {', '.join(_plain(quoted(name)) for name in table.primary_key)}" if changed and table.primary_key else ""
    return f"COPY (SELECT {columns} FROM {source}{order}) TO STDOUT".encode()


def _columns(table: Table) -> str:
    return ", ".join(_plain(quoted(column.name)) for column in table.columns if not column.generated)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _plain(text: str) -> str:
    return text.replace("%%", "%")
