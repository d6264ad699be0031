"""The page about the checks, made from what their modules say of themselves."""

from __future__ import annotations

import inspect
from typing import Any

from checks.interface import Check
from checks.registries.every import CHECKS, LIVE, modules

#: The blocks that each check's docstring has, each with a fenced example.
BLOCKS = ("**Anti-pattern**", "**Best practice**")

_OPENING = """\
# Checks

<!-- Made from the checks' docstrings by `make docs`; change those. -->

Each check judges its subjects one at a time and says of each whether it holds, does not hold, or could not be judged and why.
`dbproof explain ID` shows a section of this page. `[severity]` in the settings changes how much a check's findings weigh, and
`off` switches it off.
"""

#: The packages that checks are in, in the order in which they are listed, with what they are about.
AREAS = {
    "migrations": "Migrations",
    "references": "References",
    "constraints": "Constraints and rows",
    "tenancy": "Tenants",
    "performance": "Indexes and speed",
    "documents": "Documents",
}


def page() -> str:
    """The whole page in Markdown: a table for each area, then a section for each check whose anchor is its id."""
    sections = "\n".join(_section(name) for name in sorted(CHECKS))
    return f"{_OPENING}\n{''.join(_table(area) for area in AREAS)}## Each check\n\n{sections}"


def area_of(check: Check[Any]) -> str:
    """The package that a check is in: ``references``."""
    return check.run.__module__.split(".")[-2]


def _table(area: str) -> str:
    rows = "".join(
        f"| [{name}](#{name}) | {_severity(name, check)} | {_docstring(check)[0]} |\n"
        for name in CHECKS
        for check in modules(name)
        if area_of(check) == area
    )
    return f"## {AREAS[area]}\n\n| check | severity | what holds where it passes |\n|---|---|---|\n{rows}\n"


def _severity(identifier: str, check: Check[Any]) -> str:
    live = f" in a run, {LIVE[identifier]} on a database that is looked at" if identifier in LIVE else ""
    return f"{check.SEVERITY}{live}"


def _section(identifier: str) -> str:
    return f"### {identifier}\n\n" + "\n".join(_judged(identifier, check) for check in modules(identifier))


def _judged(identifier: str, check: Check[Any]) -> str:
    """What a check says of itself; of one that judges rows and documents, each module says its own."""
    title, text = _docstring(check)
    needs = ", ".join(sorted(check.NEEDS)) or "nothing but the catalogue"
    engines = ", ".join(sorted(check.ENGINES))
    facts = f"Severity {_severity(identifier, check)} · {engines} · needs {needs} · proves that {check.SUBJECTS} {check.PROVES}"
    return f"{title}\n\n{facts}\n\n{text}\n"


def _docstring(check: Check[Any]) -> tuple[str, str]:
    """The first line, and what comes after it."""
    title, _, text = inspect.cleandoc(check.__doc__ or "").partition("\n")
    return title, text.strip()
