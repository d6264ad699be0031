"""The pass that asks squawk about the text of what new migrations sent, where the settings say so.

It is shown the statements that the server executed, so it need not know the migration tool, and each is traced to its file and
line.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from checks.advice import Advice, Hint
from checks.evidence import Migration, Statement
from checks.interface import Engine
from runner import children
from runner.child_environment import clean_environment
from runner.children import Command
from runner.errors import ToolFailed
from runner.gathering import counted
from runner.plan import Built
from runner.recorder.reading import LONGEST
from runner.steps import Building

#: The check that judges it.
CHECK = "static-advice"
_TOOL = "squawk"
_REMEDY = "pip install 'dbproof[squawk]', or squawk itself on PATH"
_TIMEOUT = 60.0
#: So many bytes are more than it says of any history.
_MOST = 16 * 1024 * 1024
#: What a migration fails of when it is applied, which a run sees; and the tool's own matters of taste.
_NOT_UNDERSTOOD = "syntax-error"
_SEEN = (_NOT_UNDERSTOOD, "ban-concurrent-index-creation-in-transaction", "transaction-nesting", "ban-uncommitted-transaction")
_STYLE = re.compile(r"prefer-|ban-char-field$")
_IGNORE = re.compile(r"--\s*squawk-ignore(?P<file>-file)?\b[ \t]*(?P<rules>[^\n]*)")


def advised(building: Building, head: Built, base: Built | None, applied: frozenset[str]) -> Built:
    """Head with what squawk says of its new migrations; the same where it is not asked, or where nothing is new."""
    told = building.migrations
    if CHECK not in building.plan.checks or told is None or not told.squawk or head.server.engine is not Engine.POSTGRESQL:
        return head
    new = [one for one in head.evidence.migrations if base is not None and one.revision not in applied]
    if not new:
        return head
    sent = {one.revision: _sent(head, one) for one in new}
    with building.plan.progress.stage("advice") as stage:
        try:
            advice = _advice(building.plan.root, head.server.version, sent)
            stage.say(f"{_TOOL}: {counted(len(advice.hints), 'hint') if advice.hints else 'nothing'}")
        except ToolFailed as failed:
            advice = Advice(_TOOL, gap=failed.message)
            stage.skipped(failed.message)
    return replace(head, evidence=replace(head.evidence, advice=advice))


def _sent(head: Built, migration: Migration) -> list[Statement]:
    """The statements of a migration, in their order, of which it is known where they stand."""
    return [one for one in head.evidence.statements if one.place is not None and one.place.file == migration.place.file]


def _advice(root: Path, version: str, sent: Mapping[str, Sequence[Statement]]) -> Advice:
    """What squawk says, and of which revisions it says nothing because it could not read them. Raises ToolFailed."""
    whole = {name: all(len(one.text) < LONGEST for one in statements) for name, statements in sent.items() if statements}
    unread = {name: "no statement of it could be traced to its file" for name in sent if name not in whole}
    unread |= {name: f"a statement of it is longer than {LONGEST} characters" for name, told in whole.items() if not told}
    found = list(_hints(root, version, {name: sent[name] for name, told in whole.items() if told}))
    unread |= {
        one.revision or "": f"{_TOOL} does not understand it: {one.message}" for one in found if one.rule == _NOT_UNDERSTOOD
    }
    hints = [one for one in found if not (_STYLE.match(one.rule) or one.rule in _SEEN or _is_ignored(root, one))]
    return Advice(_TOOL, tuple(sent), tuple(hints), tuple(unread.items()))


def _hints(root: Path, version: str, sent: Mapping[str, Sequence[Statement]]) -> Iterator[Hint]:
    if not sent:
        return
    with tempfile.TemporaryDirectory(prefix="dbproof-squawk-") as folder:
        files = {f"{number}.sql": revision for number, revision in enumerate(sent)}
        for name, revision in files.items():
            # What ends a statement stands on a line of its own: its last one may end in a comment.
            text = "".join(f"{one.text.rstrip().rstrip(';')}\n;\n" for one in sent[revision])
            (Path(folder) / name).write_text(text, "utf-8", "replace")
        for said in _said(root, version, Path(folder), list(files)):
            revision = files[Path(str(said["file"])).name]
            yield _hint(said, revision, _at(sent[revision], int(said["line"])))


def _at(statements: Sequence[Statement], line: int) -> Statement:
    """The statement on a line (from 0) of the file that squawk was shown; it may name the end of the file."""
    starts = list(accumulate((one.text.rstrip().rstrip(";").count("\n") + 2 for one in statements), initial=0))
    return statements[min(bisect_right(starts, line), len(statements)) - 1]


def _said(root: Path, version: str, folder: Path, names: list[str]) -> list[dict[str, Any]]:
    """What squawk prints. Raises ToolFailed."""
    beside = Path(sys.executable).with_name(_TOOL)
    program = str(beside) if beside.is_file() else shutil.which(_TOOL)
    if program is None:
        raise ToolFailed(f"{_TOOL} is not installed: {_REMEDY}", _REMEDY)
    config = root / ".squawk.toml"
    options = ["--config", str(config)] if config.is_file() else []
    arguments = (program, "--reporter", "json", "--pg-version", version.split()[0], "--assume-in-transaction", *options, *names)
    finished, said = children.captured(Command(arguments, folder, clean_environment(()), _TIMEOUT), _MOST)
    try:
        listed = json.loads(said)
    except ValueError:  # it prints a list also where it has nothing to say
        how = "did not come to an end" if finished.timed_out else f"ended with status {finished.status}"
        raise ToolFailed(f"{_TOOL} {how}: {' '.join(finished.tail[-3:])}", "Run it by hand; look at .squawk.toml.") from None
    return list(listed)


def _hint(said: Mapping[str, Any], revision: str, statement: Statement) -> Hint:
    if statement.place is None:
        raise AssertionError("only statements with a place are shown")
    return Hint(str(said["rule_name"]), str(said["message"]), str(said.get("help") or ""), statement.place, revision)


def _is_ignored(root: Path, hint: Hint) -> bool:
    """Whether a comment on the line before the statement, or one for the whole file, says to leave the rule."""
    try:
        lines = (root / hint.place.file).read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    before = lines[(hint.place.line or 1) - 2] if (hint.place.line or 1) > 1 else ""
    whole = [found for line in lines if (found := _IGNORE.search(line)) and found["file"]]
    above = [found for found in (_IGNORE.search(before),) if found and not found["file"]]
    return any(not _rules(one) or hint.rule in _rules(one) for one in (*whole, *above))


def _rules(found: re.Match[str]) -> list[str]:
    return [rule.strip() for rule in found["rules"].split(",") if rule.strip()]
