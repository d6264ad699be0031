"""``dbproof checks``: the catalogue of checks, one line each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from runner.cli.session import Action, Session
from runner.errors import Exit


def command() -> Action:
    """List the checks and what each proves."""
    return partial(_checks)


def _checks(session: Session) -> Exit:
    output = session.output()
    for line in table(list(_rows())):
        output.line(line)
    return Exit.HELD


def _rows() -> Iterator[tuple[str, ...]]:
    from checks.registries.every import CHECKS, engines

    yield ("CHECK", "SEVERITY", "ENGINES", "NEEDS", "PROVES")
    for name, check in CHECKS.items():
        sentence = (check.__doc__ or "").strip().partition("\n")[0]
        yield (name, check.SEVERITY, ", ".join(sorted(engines(name))), ", ".join(sorted(check.NEEDS)) or "-", sentence)


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows as lines whose columns stand below each other; the last column is as long as it is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
