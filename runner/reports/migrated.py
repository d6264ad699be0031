"""What new migrations did, statement by statement, as each format shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

from checks.evidence import MigrationState
from checks.interface import Json
from runner.report import Log, Report, ReportedDatabase, ReportedMigration, ReportedStatement, TableWork, Work
from runner.reports import wording
from runner.reports.markdown import code, head, prose, row

#: A migration of more statements than this is folded.
FOLDED_ABOVE = 25
#: How many characters of a statement stand on a line of the console.
_EXCERPT = 60
#: What an engine's log is called in ``report.json``.
_LOGS = {Log.WAL: "wal", Log.REDO: "redo"}


@dataclass(frozen=True)
class Table:
    """One migration's table in Markdown."""

    opening: str
    rows: tuple[str, ...]
    closing: str


def table(migration: ReportedMigration, name: str) -> Table:
    """A row for each statement, with a column for what is known of any of them; ``name`` is the revision's."""
    title = f"#### New migration {code(name)} {prose(_title(migration))}".rstrip()
    state = "" if migration.state is MigrationState.APPLIED else f", **{migration.state.value}**"
    facts = ", ".join(prose(fact) for fact in totals(migration))
    opening = f"{title}\n\n{code(str(migration.place))}{state}{', ' if facts else ''}{facts}\n\n"
    statements = migration.statements
    if not statements:
        return Table(opening, ("No statement of it was seen.\n",), "\n")
    columns = ((_heading(heading, migration), cell, always) for heading, cell, always in _COLUMNS)
    shown = [(heading, cell) for heading, cell, always in columns if always or any(cell(each) for each in statements)]
    rows = tuple(row([cell(each) for _, cell in shown]) for each in statements)
    titles = head([heading for heading, _ in shown])
    if len(statements) <= FOLDED_ABOVE:
        return Table(opening + titles, rows, "\n")
    folded = f"<details><summary>{wording.plural(len(statements), 'statement')}</summary>\n\n"
    return Table(opening + folded + titles, rows, "\n</details>\n\n")


def _heading(heading: str, migration: ReportedMigration) -> str:
    """The log is called as the engine calls it."""
    name = heading if heading != Log.WAL or migration.work is None else migration.work.log
    return f"{name[:1].upper()}{name[1:]}"


def totals(migration: ReportedMigration) -> Iterator[str]:
    """What a migration comes to: its time, its strongest lock, tables rewritten, rows changed, the write-ahead log."""
    if migration.seconds is not None:
        yield wording.duration(migration.seconds)
    if migration.strongest is not None:
        yield f"at most {migration.strongest.mode} on {migration.strongest.relation}"
    if migration.rewritten:
        yield f"{wording.plural(len(migration.rewritten), 'table')} rewritten"
    if migration.work is not None:
        if migration.work.rows:
            yield f"{wording.plural(migration.work.rows, 'row')} changed"
        if migration.work.wal is not None:
            yield f"{wording.size(migration.work.wal)} of {migration.work.log}"


def sentences(report: Report) -> Iterator[str]:
    """For the console: each new migration on a line, and below it each statement that locked, rewrote or wrote something."""
    for database in report.databases:
        for migration in (one for one in database.migrations if one.new):
            yield _sentence(report, database, migration)
            yield from (f"  {line}" for line in map(_line, migration.statements) if line)


def _sentence(report: Report, database: ReportedDatabase, migration: ReportedMigration) -> str:
    name = wording.with_database(report, database, f"{migration.revision} {_title(migration)}".rstrip())
    facts = ", ".join(totals(migration))
    return f"{name}: {facts}" if facts else f"{name}: {migration.state.value}"


def _title(migration: ReportedMigration) -> str:
    """What it is called beside its revision: nothing more where its file is only a number."""
    return "" if migration.title == migration.revision and migration.title.isdecimal() else migration.title


def _line(said: ReportedStatement) -> str:
    """``line 22, 214 ms: AccessExclusiveLock on orders; orders rewritten (type changed); 40 kB of WAL``."""
    modes = (f"{mode} on {wording.listing(relations)}" for mode, relations in _by_mode(said).items())
    rewrites = (f"{each.relation} rewritten ({each.reason})" for each in said.rewrites)
    changed = (_where(_counted(each), each) for each in (said.work.tables if said.work else ()) if _counted(each))
    facts = [*modes, *rewrites, *changed, *(f"{one} is left invalid" for one in said.invalid)]
    if said.work is not None and said.work.wal and facts:
        facts.append(f"{wording.size(said.work.wal)} of {said.work.log}")
    if not facts:
        return ""
    line = "" if said.place is None or said.place.line is None else f"line {said.place.line}, "
    return f"{line}{_time(said)}: ".removeprefix(": ") + f"{_excerpt(said.text)}: {'; '.join(facts)}"


def _where(counted: str, each: TableWork) -> str:
    """``3 inserted in books``; of what the engine does not tell the table of the rows alone."""
    return f"{counted} in {each.relation}" if each.relation else f"{wording.plural(each.rows, 'row')} changed"


def _excerpt(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _EXCERPT else f"{line[: _EXCERPT - 2]} …"


def as_json(migration: ReportedMigration) -> dict[str, Json]:
    """What is known of all its statements together."""
    strongest = migration.strongest
    return {
        "strongest_lock": None if strongest is None else {"relation": strongest.relation, "mode": strongest.mode},
        "rewritten": list(migration.rewritten),
        "work": work_as_json(migration.work),
    }


def work_as_json(work: Work | None) -> Json:
    """Rows by table, and bytes of the engine's log, by its name."""
    if work is None:
        return None
    logs: dict[str, Json] = {name: work.wal if work.log is log else None for log, name in _LOGS.items()}
    return {**logs, "tables": [asdict(each) for each in work.tables]}


def names(given: Sequence[str], most: int = 40) -> str:
    """Names as code, of very many the first."""
    shown = ", ".join(code(name, in_table=True) for name in given[:most])
    return shown if len(given) <= most else f"{shown} and {wording.thousands(len(given) - most)} more"


def _by_mode(said: ReportedStatement) -> dict[str, list[str]]:
    modes: dict[str, list[str]] = {}
    for lock in said.locks:
        modes.setdefault(lock.mode, []).append(lock.relation)
    return modes


def _line_number(said: ReportedStatement) -> str:
    return "" if said.place is None or said.place.line is None else str(said.place.line)


def _statement(said: ReportedStatement) -> str:
    left = f"<br>left invalid: {names(said.invalid)}" if said.invalid else ""
    return code(" ".join(said.text.split()), in_table=True) + left


def _locks(said: ReportedStatement) -> str:
    return "<br>".join(f"{prose(mode, True)}: {names(relations)}" for mode, relations in _by_mode(said).items())


def _rewrites(said: ReportedStatement) -> str:
    sizes = {each.relation: each.bytes for each in said.work.tables} if said.work else {}
    shown = []
    for rewrite in said.rewrites:
        size = sizes.get(rewrite.relation)
        told = "" if size is None else f", {wording.size(size)}"
        shown.append(f"{code(rewrite.relation, True)}: {prose(rewrite.reason, True)}{told}")
    return "<br>".join(shown)


def _rows(said: ReportedStatement) -> str:
    counted = ((each.relation, _counted(each)) for each in (said.work.tables if said.work else ()))
    return "<br>".join(f"{code(relation, True)}: {told}" if relation else told for relation, told in counted if told)


def _counted(each: TableWork) -> str:
    changed = (("inserted", each.inserted), ("updated", each.updated), ("deleted", each.deleted), ("changed", each.changed))
    kinds = (*changed, ("read", each.read))
    return ", ".join(f"{wording.thousands(count)} {kind}" for kind, count in kinds if count)


def _wal(said: ReportedStatement) -> str:
    return "" if said.work is None or said.work.wal is None else wording.size(said.work.wal)


def _waited(said: ReportedStatement) -> str:
    return "<br>".join(
        f"{code(each.relation, True)}: {prose(each.access, True)} {_milliseconds(each.seconds)}" for each in said.waits
    )


def _time(said: ReportedStatement) -> str:
    time = "" if said.seconds is None else _milliseconds(said.seconds)
    return time if said.times == 1 else f"{wording.thousands(said.times)} times, {time}".removesuffix(", ")


def _milliseconds(seconds: float) -> str:
    return f"{wording.thousands(round(seconds * 1000))} ms"


#: The columns: heading, cell, and whether it is there with nothing in it too.
_COLUMNS: tuple[tuple[str, Callable[[ReportedStatement], str], bool], ...] = (
    ("Line", _line_number, True),
    ("Statement", _statement, True),
    ("Lock", _locks, True),
    ("Rewrite", _rewrites, True),
    ("Rows", _rows, False),
    ("WAL", _wal, False),
    ("Others waited", _waited, False),
    ("Time", _time, True),
)
