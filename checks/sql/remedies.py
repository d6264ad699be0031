"""What to do, in the words of each engine, where several checks advise the same."""

from __future__ import annotations


def made_anew(table: str, clause: str) -> str:
    """SQLite changes neither types nor constraints of a table that is there: it is made anew with ``clause`` in it."""
    return (
        f"Make {table} anew with {clause} (sqlite.org/lang_altertable.html, 7: another table, copy the rows, drop, rename);"
        " Alembic does that in op.batch_alter_table."
    )
