"""What each check says of itself, read from its file without importing it: for ``dbproof explain`` and the generated page."""

from __future__ import annotations

import ast
import difflib
import inspect
from dataclasses import dataclass
from pathlib import Path

_PACKAGE = Path(__file__).parent
_CONSTANTS = ("SEVERITY", "ENGINES", "NEEDS", "SUBJECTS", "PROVES")

#: The blocks that each check's docstring has, each with a fenced example.
BLOCKS = ("**Anti-pattern**", "**Best practice**")


class UnknownCheck(LookupError):
    """There is no such check; ``close`` are the ids most like it."""

    def __init__(self, identifier: str) -> None:
        self.close = tuple(difflib.get_close_matches(identifier, identifiers()))
        super().__init__(f"there is no check '{identifier}'")


@dataclass(frozen=True)
class Explanation:
    """A check in words: its docstring's first line, the rest of it, and its constants."""

    id: str
    file: Path
    title: str
    text: str
    severity: str
    engines: tuple[str, ...]
    needs: tuple[str, ...]
    subjects: str
    proves: str


def identifiers() -> tuple[str, ...]:
    """The ids of all checks, in alphabetical order."""
    return tuple(sorted(_files()))


def explanation(identifier: str) -> Explanation:
    """What a check says of itself; raises :class:`UnknownCheck`."""
    file = _files().get(identifier)
    if file is None:
        raise UnknownCheck(identifier)
    module = ast.parse(file.read_text(encoding="utf-8"))
    title, _, text = inspect.cleandoc(ast.get_docstring(module) or "").partition("\n")
    said = {name: _words(value) for name, value in _assigned(module).items()}
    return Explanation(
        id=identifier,
        file=file,
        title=title,
        text=text.strip(),
        severity="".join(said["SEVERITY"]),
        engines=said["ENGINES"],
        needs=said["NEEDS"],
        subjects="".join(said["SUBJECTS"]),
        proves="".join(said["PROVES"]),
    )


def explain(identifier: str) -> str:
    """The section of the documentation about a check, in Markdown; raises :class:`UnknownCheck`."""
    said = explanation(identifier)
    needs = ", ".join(said.needs) or "nothing but the catalogue"
    facts = f"Severity {said.severity} · {', '.join(said.engines)} · needs {needs} · judges {said.subjects}: they {said.proves}."
    return f"## {said.id}\n\n{said.title}\n\n{facts}\n\n{said.text}\n"


def page() -> str:
    """The whole page about the checks, one section each, in Markdown."""
    listed = "\n".join(f"- [{name}](#{name}): {explanation(name).title}" for name in identifiers())
    return f"{_OPENING}\n{listed}\n\n" + "\n".join(explain(name) for name in identifiers())


_OPENING = """\
# Checks

<!-- Made from the checks' docstrings by `python docs/generate.py`; change those. -->

Each check judges its subjects one at a time and says of each whether it holds, does not hold, or could not be judged and why.
`dbproof explain ID` shows a section of this page. `[severity]` in the settings changes how much a check's findings weigh, and
`off` switches it off.
"""


def _files() -> dict[str, Path]:
    """Each check's file by its id: the modules of the families that say what they prove."""
    found = (file for file in _PACKAGE.glob("*/*.py") if not file.name.startswith("_"))
    return {file.stem.replace("_", "-"): file for file in found if _is_check(file)}


def _is_check(file: Path) -> bool:
    return "\nPROVES = " in file.read_text(encoding="utf-8")


def _assigned(module: ast.Module) -> dict[str, ast.expr]:
    """The values of the constants, with a type or without one."""
    found: dict[str, ast.expr] = {}
    for node in module.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target if isinstance(node, ast.AnnAssign) else None
        if (
            isinstance(target, ast.Name)
            and target.id in _CONSTANTS
            and isinstance(node, ast.Assign | ast.AnnAssign)
            and node.value
        ):
            found[target.id] = node.value
    return found


def _words(value: ast.expr) -> tuple[str, ...]:
    """The members of enumerations in an expression (``Need.APP_ROLE`` is ``app-role``), or its text."""
    members = [node.attr for node in ast.walk(value) if isinstance(node, ast.Attribute)]
    texts = [node.value for node in ast.walk(value) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return tuple(sorted(member.lower().replace("_", "-") for member in members)) or tuple(texts)
