"""Sqitch's changes ("sqitch" in the settings): ``deploy`` in the order of ``sqitch.plan``, and ``verify`` after each.

Each script has a session of its own and the transactions that it opens itself, as with the ``psql`` that Sqitch starts. Sqitch's
own schema is not made: what a database holds already is told by ``Project.applied`` (Sqitch's manual, "sqitch-rework").
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from checks.evidence import Place
from runner.errors import ToolFailed, UsageError
from runner.migrations import file_steps, versioned
from runner.migrations.folders import detected
from runner.migrations.interface import Began, Broke, Detected, Direction, Ended, Event, Project, Revision, Said, Step
from runner.migrations.scripts import Script, Way
from runner.migrations.simple_query import session
from runner.migrations.sql_files import apply_file, read, refuse_psql
from runner.migrations.sql_folder import current as current
from runner.servers.interface import Address

NAME: Final = "sqitch"
TITLE = "Sqitch"
FILES_ONLY = True
KEEPS_BOOKS = False

_PLAN = "sqitch.plan"
_CHANGE = re.compile(r"\+?\s*(?P<name>[^\s@#%\[\]]+)\s*(?:\[(?P<needs>[^\]]*)\])?\s+\d{4}-")
_TAG = re.compile(r"@(\S+)")
_KEY = re.compile(
    r"^[ \t]*(top_dir|plan_file|deploy_dir|verify_dir|reworked_\w*|extension|engine)[ \t]*=[ \t]*(.*?)[ \t]*$", re.MULTILINE
)
#: What the templates of Sqitch's scripts hold already.
_NOTHING = re.compile(r"\s*(?:BEGIN|COMMIT)\s*", re.IGNORECASE)
_VARIABLES = re.compile(r"^[ \t]*\[(?:core|deploy|target|engine)\b.*variables.*\]", re.MULTILINE)


@dataclass(frozen=True)
class _Change:
    """A line of the plan: ``tag`` is the first that follows it, ``needs`` the names of changes before it."""

    name: str
    line: int
    needs: tuple[str, ...] = ()
    tag: str = ""


def detect(root: Path) -> Detected | None:
    """A plan; none of another engine than PostgreSQL."""
    plans = [path for place in (_PLAN, f"*/{_PLAN}", f"*/*/{_PLAN}") for path in sorted(root.glob(place))]
    ours = [path for path in plans if _conf(path.parent).get("engine", "pg") == "pg"]
    return detected(NAME, root, ours, sure=True)


def revisions(project: Project) -> Sequence[Revision]:
    """The changes in the order of the plan; one that was reworked has its number behind its name."""
    return versioned.revisions(_scripts(project))


def apply(project: Project, on: Address) -> Iterator[Event]:
    """Deploy and verify every change that the database does not hold yet."""
    deadline = time.monotonic() + project.settings.timeout
    for script in [script for script in _scripts(project) if script.id not in project.applied]:
        for event in _sent(on, script.id, _deployed(script), deadline):
            yield event
            if isinstance(event, Broke):
                return


def reversible(project: Project) -> bool:  # noqa: ARG001 - every change may have a script that reverts it
    """By ``sqitch revert``."""
    return True


def rehearse(project: Project, on: Address, steps: Sequence[Step]) -> Iterator[Event]:
    """``deploy`` with ``verify`` of single changes, and ``revert``."""
    of = {script.id: script for script in _scripts(project)}

    def way(step: Step) -> Way:
        script = of[step.revision]
        return _reverted(project, script) if step.direction is Direction.DOWN else _deployed(script)

    return file_steps.rehearse(
        steps, way, lambda revision, way: _sent(on, revision, way, time.monotonic() + project.settings.timeout)
    )


def _deployed(script: Script) -> Way:
    return Way(Place(script.name, 1), script.parts, wrong=script.wrong)


def _reverted(project: Project, script: Script) -> Way:
    """The script in ``revert``; one without a statement reverts nothing."""
    path = script.path.parents[1] / "revert" / script.path.name
    name = project.relative(path)
    if not path.is_file():
        return Way(Place(script.name, 1), missing=f"there is no {name}")
    part = read(path, name, "statement")
    refuse_psql(part)
    empty = any(one.statements for one in script.parts[:1]) and all(_NOTHING.fullmatch(one.text) for one in part.statements)
    return Way(Place(name, 1), (part,), missing=f"{name} has no statement" if empty else "")


def _sent(on: Address, revision: str, way: Way, deadline: float) -> Iterator[Event]:
    began, notices = time.monotonic(), list[str]()
    yield Began(revision)
    broke = Broke(None, Place(_PLAN, way.wrong[0]), "", way.wrong[1]) if way.wrong else None
    for part in way.parts if broke is None else ():
        with session(on, deadline, notices.append) as opened:
            broke = broke or apply_file(opened, part, "statement")
    yield from (Said(text) for text in notices)
    yield replace(broke, revision=revision) if broke is not None else Ended(revision, time.monotonic() - began)


def _conf(home: Path) -> dict[str, str]:
    file = home / "sqitch.conf"
    text = file.read_text("utf-8", "replace") if file.is_file() else ""
    found = {key: value.strip('"') for key, value in _KEY.findall(text)}
    return {**found, **({"variables": "set"} if _VARIABLES.search(text) else {})}


def _scripts(project: Project) -> list[Script]:
    conf = _conf(project.directory)
    if foreign := next((key for key in conf if key not in ("top_dir", "plan_file", "engine")), None):
        raise ToolFailed(
            f"{project.relative(project.directory / 'sqitch.conf')}: '{foreign}' is not understood here: cannot run here",
            'Set migrations.tool to "command" and migrations.command to "sqitch deploy --verify".',
        )
    top = project.directory / conf.get("top_dir", ".")
    plan = project.directory / conf["plan_file"] if "plan_file" in conf else top / _PLAN
    if not plan.is_file():
        raise UsageError(f"there is no {project.relative(plan)}", "Set migrations.directory to the folder with sqitch.conf.")
    changes = _changes(plan.read_text("utf-8", "replace"))
    total, seen, scripts = Counter(change.name for change in changes), Counter[str](), list[Script]()
    for change in changes:
        seen[change.name] += 1
        lost = next((need for need in change.needs if need not in seen or (need == change.name and seen[need] < 2)), None)
        suffix = f"@{change.tag}" if seen[change.name] < total[change.name] else ""
        name = change.name if seen[change.name] == 1 else f"{change.name} ({seen[change.name]})"
        script = _script(project, top, f"{change.name}{suffix}.sql", name)
        scripts.append(replace(script, wrong=(change.line, f"Sqitch: missing required change: {lost}")) if lost else script)
    return scripts


def _changes(text: str) -> list[_Change]:
    """The changes of a plan, each with the first tag that follows it."""
    found = list[_Change]()
    for number, line in enumerate(text.splitlines(), 1):
        if tag := _TAG.match(line.strip()):
            found = [change if change.tag else replace(change, tag=tag[1]) for change in found]
        elif change := _CHANGE.match(line.strip()):
            needs = [word.partition("@")[0] for word in (change["needs"] or "").split() if word[0] != "!" and ":" not in word]
            found.append(_Change(change["name"], number, tuple(need for need in needs if need)))
    return found


def _script(project: Project, top: Path, file: str, name: str) -> Script:
    deploy, verify = top / "deploy" / file, top / "verify" / file
    if not deploy.is_file():
        raise UsageError(f"{_PLAN}: '{name}' has no file {project.relative(deploy)}", "Commit that file.")
    parts = tuple(read(path, project.relative(path), "statement") for path in (deploy, verify) if path.is_file())
    for part in parts:
        refuse_psql(part)
    return Script(name, name, name.replace("_", " "), deploy, project.relative(deploy), parts, "statement")
