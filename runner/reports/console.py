"""The end of a run on the console: findings, then what was proven and what was not, and the verdict last.

It gives finished lines, laid out for a width, so that nothing is left to be wrapped, interpreted or coloured later on. Foreign
text is only ever put into ``Text``, never into markup.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from checks.interface import Severity
from runner.errors import DbproofError
from runner.report import Problem, Report, ReportedDatabase, ReportedFinding, Verdict
from runner.reports import accounts, made, measured, migrated, wording
from runner.reports.selfproof import self_proof
from runner.reports.wording import Part

#: How wide findings and columns are drawn where there is room.
WIDTH = 80
WIDE = 100
#: How many findings of one check are shown, and how much of a statement: a first run that fails nothing is to fit a screen.
MOST_OF_A_CHECK = 20
MOST_THAT_FAIL_NOTHING = 3

_LABEL = 12
_STATEMENT_LINES = 8
_LINES_WHERE_NOTHING_FAILS = 1
_REASONS = 8
#: Characters of a remedy.
_REMEDY = 240
_SENTENCES = 10
_ALLOWS = 3
_SEVERITY_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTICE: "bold blue"}
_VERDICT_STYLES = {Verdict.GO: "bold white on green", Verdict.NO_GO: "bold white on red", Verdict.BROKEN: "bold white on red"}
_PART_STYLES = {Part.PLACE: "cyan", Part.STATEMENT: "dim", Part.DETAIL: "dim", Part.VALUES: "dim"}


@dataclass(frozen=True)
class _Line:
    """A line of text, and the column that its continuation hangs at where it has to be folded."""

    text: Text
    hang: int


def lines(report: Report, show_all: bool, quiet: bool, width: int | None) -> Iterator[Text]:
    """The report as lines without line breaks; ``width`` is a terminal's columns, or ``None`` where nothing is to be folded."""
    for block in _blocks(report, show_all, quiet, width or WIDE):
        for line in block:
            yield from folded(line.text, line.hang, width)
        yield Text()
    verdict = _verdict(report)
    yield from folded(verdict.text, verdict.hang, width)


def error_lines(error: DbproofError, width: int | None) -> Iterator[Text]:
    """An error that ends the run, in the look of a finding."""
    for line in _problem(Problem(error.message, error.remedy, error.exit)):
        yield from folded(line.text, line.hang, width)


def _blocks(report: Report, show_all: bool, quiet: bool, width: int) -> Iterator[list[_Line]]:
    yield from (_problem(problem) for problem in report.problems)
    for database, check in wording.errored(report):
        name = wording.with_database(report, database, check.id)
        yield _problem(Problem(f"{name} could not run\n{check.reason}", "", report.exit_code))
    yield from _findings(report, show_all, min(width, WIDTH))
    below = [] if quiet else list(_below(report, show_all, width))
    if below:
        yield below


def _problem(problem: Problem) -> list[_Line]:
    first, *rest = problem.message.strip().splitlines() or [""]
    block = [_Line(Text.assemble(("ERROR", "bold red"), "  ", (first, "bold")), 2)]
    block += [_indented(line, 2) for line in rest]
    if problem.remedy:
        block += _part(Part.REMEDY, f"Remedy: {problem.remedy}")
    return block


def _findings(report: Report, show_all: bool, edge: int) -> Iterator[list[_Line]]:
    met: Counter[tuple[str, str, bool]] = Counter()
    for database, check, finding in wording.located(report):
        if not show_all and not wording.is_prominent(finding):
            continue
        met[database.name, check.id, finding.fails] += 1
        if show_all or met[database.name, check.id, finding.fails] <= _most(finding.fails):
            yield _finding(report, database, finding, edge, show_all)
    if show_all:
        return
    for (_, check_id, fails), count in met.items():
        if count > _most(fails):
            more = f"… {wording.thousands(count - _most(fails))} more of {check_id}, see report.json or `--all`"
            yield [_Line(Text(more, "dim"), 2)]


def _most(fails: bool) -> int:
    return MOST_OF_A_CHECK if fails else MOST_THAT_FAIL_NOTHING


def _finding(report: Report, database: ReportedDatabase, finding: ReportedFinding, edge: int, show_all: bool) -> list[_Line]:
    title = Text.assemble(
        (finding.severity.upper(), _SEVERITY_STYLES.get(finding.severity, "bold")),
        "  ",
        (finding.check, "bold"),
        " · ",
        (wording.with_database(report, database, finding.subject), "bold"),
    )
    if wording.is_compared(report):
        title.append(" " * max(2, edge - title.cell_len - len(finding.state)))
        title.append(finding.state.value, "dim")
    most = _STATEMENT_LINES if finding.fails else _LINES_WHERE_NOTHING_FAILS
    parts = wording.parts(finding, database.engine)
    return [_Line(title, 2), *(line for part, text in parts for line in _part(part, _short(part, text, show_all), most))]


#: Comments before a statement, which Prisma writes of what it fears; few lines are shown, and these say nothing of what was sent.
_COMMENTS = re.compile(r"\A(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)


def _short(part: Part, text: str, whole: bool) -> str:
    """A remedy that fills the screen with a query is in the other reports."""
    if part is not Part.REMEDY or whole or len(text) <= _REMEDY:
        return text
    return f"{text[:_REMEDY].rpartition(' ')[0] or text[:_REMEDY]} … (summary.md has all of it)"


def _part(part: Part, text: str, most: int = _STATEMENT_LINES) -> list[_Line]:
    shown = _COMMENTS.sub("", text, count=1) or text if part is Part.STATEMENT else text
    rows = shown.expandtabs(4).splitlines()
    indent = 4 if part in (Part.STATEMENT, Part.DETAIL) else 2
    if part is Part.STATEMENT and len(rows) > most:
        rows = [*rows[:most], f"… {wording.plural(len(rows) - most, 'more line')}"]
    block = [_indented(line, indent, _PART_STYLES.get(part, "")) for line in rows]
    if part is Part.REMEDY:
        block[0].text.stylize("bold green", indent, indent + len("Remedy:"))
    return block


def _indented(line: str, by: int, style: str = "") -> _Line:
    return _Line(Text(" " * by).append(line, style or None), by)


def _below(report: Report, show_all: bool, width: int) -> Iterator[_Line]:
    """The lines below the findings, each under its label."""
    yield from _labelled("Notes", list(_notes(report)))
    yield from _labelled("Migrations", list(migrated.sentences(report)) if show_all else [])
    yield from _labelled("Inventory", wording.inventories(report))
    yield from _labelled("Proven", _columns(wording.proven(report.databases, None if show_all else _SENTENCES), width), "green")
    yield from _labelled("Tried", [", ".join(accounts.coverage(report))] if report.coverage else [], "green")
    yield from _labelled("Self-proof", self_proof(report), "green")
    yield from _labelled("Measured", measured.sentences(report))
    yield from _labelled("Rows", made.sentences(report, show_all))
    yield from _labelled("Not proven", _gaps(report), "yellow")
    yield from _labelled("Notices", _notices(report, show_all))
    yield from _labelled("Known", _known(report, show_all))
    yield from _labelled("Gone", _gone(report, show_all), "green")
    yield from _labelled("Allowed", _allowed(report, show_all))
    yield from _labelled("Quality", [text for text in [accounts.score(report)] if text])
    yield from _labelled("Rests on", accounts.criteria(report))
    yield from _labelled("Reports", _reports(report.files))
    yield from _labelled("Next", report.next)


def _labelled(label: str, rows: Sequence[str], style: str = "") -> Iterator[_Line]:
    for number, line in enumerate(rows):
        shown = label if number == 0 else ""
        yield _Line(Text.assemble((f"{shown:<{_LABEL}}", f"bold {style}".strip()), line), _LABEL)


def _columns(sentences: Sequence[str], width: int) -> list[str]:
    """Two sentences a line where two of them fit."""
    left = max((cell_len(text) for text in sentences[::2]), default=0)
    right = max((cell_len(text) for text in sentences[1::2]), default=0)
    if not right or _LABEL + left + 4 + right > min(width, WIDE):
        return list(sentences)
    pairs = zip(sentences[::2], [*sentences[1::2], ""], strict=False)
    return [f"{one}{' ' * (left + 4 - cell_len(one))}{two}".rstrip() for one, two in pairs]


def _gaps(report: Report) -> list[str]:
    rows = [
        f"{wording.listing(names)}: {reason.strip().partition(chr(10))[0]}" for reason, names in accounts.gaps(report).items()
    ]
    if len(rows) <= _REASONS:
        return rows
    return [*rows[:_REASONS], f"and for {wording.plural(len(rows) - _REASONS, 'more reason')}, see report.json"]


def _notes(report: Report) -> Iterator[str]:
    yield from report.notes
    for database in report.databases:
        yield from (wording.with_database(report, database, note) for note in database.notes)


def _notices(report: Report, show_all: bool) -> list[str]:
    count = wording.new_notices(report)
    if show_all or not count:
        return []
    noun = "new notice" if wording.is_compared(report) else "notice"
    return [f"{wording.plural(count, noun)} that {'fails' if count == 1 else 'fail'} nothing (`--all` lists them)"]


def _known(report: Report, show_all: bool) -> list[str]:
    count = wording.known(report)
    if not count:
        return []
    base = accounts.bases([database for database in report.databases if any(wording.known_of(database))])
    verbs = ("is", "does") if count == 1 else ("are", "do")
    how = "" if show_all else " (`--all` lists them)"
    return [f"{wording.plural(count, 'finding')} {verbs[0]} on {base} too and {verbs[1]} not count{how}"]


def _gone(report: Report, show_all: bool) -> list[str]:
    found = list(accounts.gone(report))
    if not found:
        return []
    names = [f"{check.id} · {wording.with_database(report, database, one.subject)}" for database, check, one in found]
    verb = "is" if len(found) == 1 else "are"
    said = f"{wording.plural(len(found), 'finding')} of {accounts.bases([at[0] for at in found])} {verb} gone"
    return [f"{said}:", *names] if show_all else [f"{said}: {wording.listing(names)}"]


def _allowed(report: Report, show_all: bool) -> list[str]:
    count, told = accounts.allowed(report), accounts.allow_notices(report)
    how = "" if show_all else " (`--all` lists them)"
    said = [f"{wording.plural(count, 'finding')} {'is' if count == 1 else 'are'} allowed, with a reason{how}"] if count else []
    if len(told) > _ALLOWS and not show_all:
        told = [*told[:_ALLOWS], f"and {wording.plural(len(told) - _ALLOWS, 'more word')} on allows, see report.json"]
    return [*said, *told]


def _reports(files: Sequence[str]) -> list[str]:
    by_directory: dict[str, list[str]] = {}
    for file in files:
        path = PurePosixPath(file)
        by_directory.setdefault(str(path.parent), []).append(path.name)
    return [f"{directory}/: {wording.listing(names)}" for directory, names in by_directory.items()]


def _verdict(report: Report) -> _Line:
    style = _VERDICT_STYLES.get(report.verdict, "bold yellow")
    rest = f"{wording.reckoning(report)} · {wording.duration(report.seconds)} · exit {int(report.exit_code)}"
    return _Line(Text.assemble((wording.verdict(report), style), "  ", rest), 2)


def folded(text: Text, hang: int, width: int | None) -> Iterator[Text]:
    """Fold a line at a terminal's width; what follows hangs below the column ``hang``. Without a width it stays as it is."""
    if width is None or text.cell_len <= width:
        yield text
        return
    hang = min(hang, width // 2)
    body = text[hang:].wrap(Console(width=width), width - hang, overflow="fold")
    for number, row in enumerate(body):
        yield (text[:hang] if number == 0 else Text(" " * hang)) + row
