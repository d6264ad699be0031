"""``summary.md``: the step summary. The verdict, a row a database, what is new and what to do; collapsed, all the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from checks.interface import Severity
from runner.report import (
    Report,
    ReportedCheck,
    ReportedDatabase,
    ReportedFinding,
    ReportedMigration,
    Standing,
    Verdict,
)
from runner.reports import accounts, made, measured, migrated, wording
from runner.reports import summary_rows as rows
from runner.reports.markdown import code, fence, head, prose, row
from runner.reports.selfproof import not_found, proofs, sentence_of
from runner.reports.wording import Part

FILE = "summary.md"

#: GitHub drops a summary above 1 048 576 bytes whole.
MOST_BYTES = 900_000

_MARKS = {Verdict.GO: "✅", Verdict.NO_GO: "❌", Verdict.NOTHING_CHECKED: "⚪", Verdict.BROKEN: "⚠️", Verdict.CANCELLED: "⚪"}
_SEVERITY_MARKS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️"}
_TITLES = ("Database", "Compared", "New migrations", "Proven", "New", "Known", "Allowed", "Time")
#: How many sentences of what was proven stand in a database's row.
_SENTENCES = 8
_LISTED = ("Check", "Subject", "Where", "What")


@dataclass(frozen=True)
class _Section:
    """A part of the page, cut at a block where room runs out; ``noun`` names a block."""

    noun: str
    opening: str
    blocks: tuple[str, ...]
    closing: str = "\n"


def render(report: Report, most: int | None = None) -> str:
    """The summary as GitHub's Markdown. What is beyond ``most`` bytes is left out, least important first, and counted.

    ``most`` is :data:`MOST_BYTES` or less, where a part of what GitHub takes is used up already.
    """
    opening = _opening(report)
    room = min(MOST_BYTES, MOST_BYTES if most is None else most) - _size(opening) - 1_000
    left_out: Counter[str] = Counter()
    shown = []
    for section in _sections(report):
        text, missing = _fit(section, room)
        room -= _size(text)
        left_out[section.noun] += missing
        shown.append(text)
    return opening + _left_out(left_out) + "".join(shown)


def _fit(section: _Section, room: int) -> tuple[str, int]:
    """As many blocks of a section as there is room for, and how many are missing."""
    room -= _size(section.opening) + _size(section.closing)
    kept: list[str] = []
    for block in section.blocks:
        room -= _size(block)
        if room < 0:
            break
        kept.append(block)
    text = f"{section.opening}{''.join(kept)}{section.closing}" if kept else ""
    return text, len(section.blocks) - len(kept)


def _left_out(missing: Counter[str]) -> str:
    counted = [wording.plural(count, noun) for noun, count in missing.items() if count]
    if not counted:
        return ""
    return f"Left out here, because GitHub drops a summary above 1 MiB: {', '.join(counted)}. `report.json` has all.\n\n"


def _opening(report: Report) -> str:
    title = f"## {_MARKS[report.verdict]} {wording.verdict(report)}: {prose(wording.reckoning(report))}\n\n"
    table = head(_TITLES) + "".join(_database_row(database) for database in report.databases) + "\n"
    about = f"dbproof {prose(report.version)} · {wording.duration(report.seconds)} · exit {int(report.exit_code)}\n\n"
    return title + (table if report.databases else "") + about


def _database_row(database: ReportedDatabase) -> str:
    findings = [finding for check in database.checks for finding in check.findings]
    new = [migration for migration in database.migrations if migration.new]
    proven = wording.proven([database], _SENTENCES)
    engine = f"{wording.engine_name(database.engine)} {database.version}"
    cells = [
        f"**{code(database.name, in_table=True)}**<br>{prose(engine, in_table=True)}",
        prose(database.compared, in_table=True),
        f"{len(new)} of {len(database.migrations)}",
        "<br>".join(prose(sentence, in_table=True) for sentence in proven),
        wording.thousands(sum(finding.state is Standing.NEW for finding in findings)),
        wording.thousands(sum(finding.state is Standing.KNOWN for finding in findings)),
        wording.thousands(sum(finding.state is Standing.ALLOWED for finding in findings)),
        wording.duration(database.seconds),
    ]
    return row(cells)


def _sections(report: Report) -> Iterator[_Section]:
    """The parts of the page in their order, which is also their importance."""
    yield _Section("problem", "", tuple(_problems(report)), "")
    found = tuple(_finding(report, *at) for at in wording.located(report) if wording.is_prominent(at[2]))
    yield _Section("finding", "", found, "")
    for database in report.databases:
        for migration in database.migrations:
            if migration.new:
                yield _migration(report, database, migration)
    yield _Section("row on the verdict", head(rows.CRITERIA), tuple(rows.criteria(report)))
    yield from _inventories(report)
    yield _Section("note", "### Notes\n\n", tuple(f"- {prose(note)}\n" for note in _notes(report)))
    yield _folded("proof", "Proven", rows.PROVEN, tuple(rows.proven(report)))
    yield _folded("figure", "Declared queries", measured.QUERIES, tuple(measured.query_rows(report)))
    yield _folded("figure", "What writes cost", measured.WRITES, tuple(measured.write_rows(report)))
    yield from _made_rows(report)
    yield _folded("table", "Tables with fewer rows than were to be made", made.SHORT, tuple(made.rows(report)))
    gaps = tuple(row([prose(reason, True), migrated.names(names)]) for reason, names in accounts.gaps(report).items())
    yield from _self_proofs(report)
    yield _folded("gap", "Not proven", ("Why", "What"), gaps)
    yield _folded("notice", "Notices", _LISTED, _rows(report, Standing.NEW))
    yield _folded("gone finding", "Gone: on the base revision only", rows.GONE, tuple(rows.gone(report)))
    yield _folded("allowed finding", "Allowed, with a reason", rows.ALLOWED, tuple(rows.allowed(report)))
    yield _folded("known finding", "Known: on the base revision too", _LISTED, _rows(report, Standing.KNOWN))


def _made_rows(report: Report) -> Iterator[_Section]:
    """Of each database how many rows were made."""
    for database in report.databases:
        if database.made_rows is None:
            continue
        said = made.sentence(database.made_rows, bool(database.measured.queries))
        yield _Section("note", "", (f"{prose(wording.with_database(report, database, said))}.\n",))
        if database.made_rows.milder is not None:
            milder = wording.with_database(report, database, made.mildly(database.made_rows.milder))
            yield _Section("note", "", (f"{prose(milder[:1].upper() + milder[1:])}.\n",))


def _self_proofs(report: Report) -> Iterator[_Section]:
    """Of each database what was not found of the faults that were planted."""
    for database, proof in proofs(report):
        said = prose(wording.with_database(report, database, sentence_of(proof)))
        rows = tuple(row([code(check, True), *(prose(cell, True) for cell in cells)]) for check, *cells in not_found(proof))
        if proof.planted or rows:
            yield _Section("self-proof", "", (f"Self-proof: {said}.\n",))
        yield _folded("fault", "Faults that were not found", ("Check", "Fault", "State", "Why"), rows)


def _inventories(report: Report) -> Iterator[_Section]:
    """How many rules of each kind each database had and has."""
    for database in report.databases:
        rows = tuple(row([kinds, *_figures(was, has)]) for kinds, was, has in wording.inventory_rows(database))
        titles = ("Inventory", "Number") if database.before is None else ("Inventory", "Before", "After")
        name = f"{code(database.name)}\n\n" if len(report.databases) > 1 else ""
        yield _Section("kind of rule", name + head(titles), rows)


def _figures(before: int | None, after: int) -> Iterator[str]:
    if before is not None:
        yield wording.thousands(before)
    changed = before is not None and before != after
    yield f"**{wording.thousands(after)}**" if changed else wording.thousands(after)


def _problems(report: Report) -> Iterator[str]:
    for problem in report.problems:
        title, _, rest = problem.message.strip().partition("\n")
        remedy = f"**Remedy:** {prose(problem.remedy)}\n\n" if problem.remedy else ""
        yield f"### ⚠️ {prose(title)}\n\n" + (fence(rest) + "\n" if rest.strip() else "") + remedy
    for database, check in wording.errored(report):
        name = code(wording.with_database(report, database, check.id))
        yield f"### ⚠️ {name} could not run\n\n{fence(check.reason)}\n"


def _finding(report: Report, database: ReportedDatabase, _check: ReportedCheck, finding: ReportedFinding) -> str:
    subject = code(wording.with_database(report, database, finding.subject))
    mark = _SEVERITY_MARKS.get(finding.severity, "•")
    title = f"### {mark} {prose(finding.check)} · {subject}\n\n"
    return title + "".join(_part(part, text) for part, text in wording.parts(finding, database.engine))


def _part(part: Part, text: str) -> str:
    if part is Part.PLACE:
        return f"{code(text)}\n\n"
    if part in (Part.MESSAGE, Part.VALUES, Part.ALLOWED):
        return f"{prose(text)}\n\n"
    if part is Part.REMEDY:
        return f"**Remedy:** {prose(text.removeprefix('Remedy: '))}\n\n"
    return f"{fence(text)}\n"


def _migration(report: Report, database: ReportedDatabase, migration: ReportedMigration) -> _Section:
    name = wording.with_database(report, database, migration.revision)
    table = migrated.table(migration, name)
    return _Section("statement" if migration.statements else "migration", table.opening, table.rows, table.closing)


def _notes(report: Report) -> Iterator[str]:
    yield from report.notes
    yield from accounts.allow_notices(report)
    for database in report.databases:
        yield from (wording.with_database(report, database, note) for note in database.notes)


def _rows(report: Report, standing: Standing) -> tuple[str, ...]:
    """One row for each finding that is not shown in full."""
    return tuple(
        row(
            [
                code(finding.check, True),
                code(wording.with_database(report, database, finding.subject), True),
                "" if finding.provenance is None else code(str(finding.provenance.place), True),
                prose(finding.message, True),
            ]
        )
        for database, _, finding in wording.located(report)
        if finding.state is standing and not wording.is_prominent(finding)
    )


def _folded(noun: str, title: str, titles: Sequence[str], rows: tuple[str, ...]) -> _Section:
    summary = f"<details><summary>{title} ({wording.thousands(len(rows))})</summary>\n\n"
    return _Section(noun, summary + head(titles), rows, "\n</details>\n\n")


def _size(text: str) -> int:
    return len(text.encode("utf-8"))
