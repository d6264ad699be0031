"""The page about the checks, made from what their modules say of themselves."""

from __future__ import annotations

import inspect
from typing import Any

from checks.interface import Check
from checks.registry import CHECKS, LIVE

#: The blocks that each check's docstring has, each with a fenced example.
BLOCKS = ("**Anti-pattern**", "**Best practice**")

_OPENING = """\
# Checks

<!-- Made from the checks' docstrings by `make docs`; change those. -->

Each check judges its subjects one at a time and says of each whether it holds, does not hold, or could not be judged and why.
`dbproof explain ID` shows a section of this page. `[severity]` in the settings changes how much a check's findings weigh, and
`off` switches it off.
"""


def page() -> str:
    """The whole page in Markdown: a list, then a section for each check whose anchor is its id."""
    names = sorted(CHECKS)
    listed = "\n".join(f"- [{name}](#{name}): {_docstring(CHECKS[name])[0]}" for name in names)
    return f"{_OPENING}\n{listed}\n\n" + "\n".join(_section(name, CHECKS[name]) for name in names)


def _section(identifier: str, check: Check[Any]) -> str:
    title, text = _docstring(check)
    needs = ", ".join(sorted(check.NEEDS)) or "nothing but the catalogue"
    engines = ", ".join(sorted(check.ENGINES))
    live = f" in a run, {LIVE[identifier]} on a database that is looked at" if identifier in LIVE else ""
    facts = f"Severity {check.SEVERITY}{live} · {engines} · needs {needs} · proves that {check.SUBJECTS} {check.PROVES}"
    return f"## {identifier}\n\n{title}\n\n{facts}\n\n{text}\n"


def _docstring(check: Check[Any]) -> tuple[str, str]:
    """The first line, and what comes after it."""
    title, _, text = inspect.cleandoc(check.__doc__ or "").partition("\n")
    return title, text.strip()
