"""The words that all formats share: counts, verdicts, what was proven and what was not, and the parts of a finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum

from checks.interface import Engine, Severity, State
from runner.errors import Exit
from runner.report import Allowance, Report, ReportedCheck, ReportedDatabase, ReportedFinding, Standing, Verdict

_ENGINES = {
    Engine.POSTGRESQL: "PostgreSQL",
    Engine.SQLITE: "SQLite",
    Engine.MARIADB: "MariaDB",
    Engine.MYSQL: "MySQL",
    Engine.MONGODB: "MongoDB",
}
VERDICTS = {
    Verdict.GO: "GO",
    Verdict.NO_GO: "NO GO",
    Verdict.NOTHING_CHECKED: "NOTHING CHECKED",
    Verdict.BROKEN: "BROKEN",
    Verdict.CANCELLED: "CANCELLED",
}
_COUNTED = (Severity.ERROR, Severity.WARNING, Severity.NOTICE)


#: What a look at a database says, which lets no change through and stops none.
_SEEN = {Verdict.GO: "SOUND", Verdict.NO_GO: "NOT SOUND"}


def verdict(report: Report) -> str:
    """The verdict in capitals: GO or NO GO for a change, SOUND or NOT SOUND for databases as they stand."""
    looked = bool(report.databases) and all(database.standing for database in report.databases)
    return (_SEEN if looked else VERDICTS).get(report.verdict, VERDICTS[report.verdict])


class Part(StrEnum):
    """The parts of a finding, in the order in which they are shown."""

    PLACE = "place"
    STATEMENT = "statement"
    SAID = "said"
    DETAIL = "detail"
    MESSAGE = "message"
    VALUES = "values"
    ALLOWED = "allowed"
    REMEDY = "remedy"


def parts(finding: ReportedFinding, engine: str) -> Iterator[tuple[Part, str]]:
    """What there is to say of a finding, below its title."""
    if finding.provenance is not None:
        yield Part.PLACE, str(finding.provenance.place)
        if finding.provenance.statement.strip():
            yield Part.STATEMENT, finding.provenance.statement.strip("\n")
    said = server_words(finding, engine)
    if said:
        yield Part.SAID, said
    if finding.detail:
        yield Part.DETAIL, finding.detail
    if finding.message and finding.message not in said:
        yield Part.MESSAGE, finding.message
    if finding.values:
        yield Part.VALUES, "Values: " + ", ".join(finding.values)
    if finding.allowed is not None:
        yield Part.ALLOWED, allowance(finding.allowed)
    if finding.remedy:
        yield Part.REMEDY, f"Remedy: {finding.remedy}"


def allowance(given: Allowance) -> str:
    """Why a finding is accepted, or was: ``Allowed until 2027-06-30 by dbproof.toml:12: append only``."""
    if given.expired:
        return f"Was allowed until {given.until} by {given.place}: {given.reason}"
    until = f" until {given.until}" if given.until else ""
    return f"Allowed{until} by {given.place}: {given.reason}"


def server_words(finding: ReportedFinding, engine: str) -> str:
    """``PostgreSQL 23502: column "currency" … contains null values``; empty where nobody spoke.

    Without a code the words are those of the project's program, except for SQLite, which does not always give one.
    """
    if not finding.said and not finding.code:
        return ""
    spoke = finding.code or engine == Engine.SQLITE
    return f"{engine_name(engine)} {finding.code}".rstrip() + f": {finding.said}" if spoke else finding.said


def engine_name(engine: str) -> str:
    """An engine as its makers write it."""
    return _ENGINES.get(Engine(engine), engine) if engine in set(Engine) else engine


def plural(count: int, noun: str) -> str:
    """``1 error``, ``12 errors``, ``1 240 errors``."""
    return f"{thousands(count)} {noun}" + ("" if count == 1 else "s")


def thousands(count: int) -> str:
    """A whole number with spaces between thousands."""
    return f"{count:,}".replace(",", " ")


def duration(seconds: float) -> str:
    """``0.4 s``, or ``2 m 05 s`` from a hundred seconds on."""
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} m {rest:02d} s"


def size(count: int) -> str:
    """Bytes as PostgreSQL says them: ``512 B``, ``72 kB``, ``1.5 MB``; a kB is 1 024 of them."""
    if count < 1024:
        return f"{count} B"
    for unit, power in (("kB", 1024), ("MB", 1024**2)):
        if count < 1000 * power or unit == "MB":
            number = count / power
            return f"{number:.1f} {unit}" if unit == "MB" and number < 100 else f"{thousands(round(number))} {unit}"
    raise AssertionError


def with_database(report: Report, database: ReportedDatabase, text: str) -> str:
    """Put the database's name before a subject where there is more than one."""
    return text if len(report.databases) == 1 else f"{database.name}: {text}"


def located(report: Report) -> Iterator[tuple[ReportedDatabase, ReportedCheck, ReportedFinding]]:
    """Every finding with where it was found: those that fail the run first, then by weight."""
    found = [(d, c, f) for d in report.databases for c in d.checks for f in c.findings]
    states = list(Standing)
    return iter(sorted(found, key=lambda at: (not at[2].fails, states.index(at[2].state), -at[2].severity.weight)))


def is_prominent(finding: ReportedFinding) -> bool:
    """Whether a finding is shown in full: it fails the run, or it is new and more than a notice."""
    return finding.fails or (finding.state is Standing.NEW and finding.severity.weight > Severity.NOTICE.weight)


def known(report: Report) -> int:
    """How many findings the base revision has too."""
    return sum(1 for database in report.databases for _ in known_of(database))


def known_of(database: ReportedDatabase) -> Iterator[ReportedFinding]:
    """The findings of one database that its base revision has too."""
    return (finding for check in database.checks for finding in check.findings if finding.state is Standing.KNOWN)


def new_notices(report: Report) -> int:
    """How many new findings are not shown in full."""
    return sum(finding.state is Standing.NEW and not is_prominent(finding) for finding in report.findings)


def inventories(report: Report) -> list[str]:
    """``foreign keys 1 → 57, CHECKs 283``, one line for each database whose rules were counted, without kinds it never had."""
    counted = [(database, inventory_rows(database)) for database in report.databases]
    return [
        with_database(report, database, ", ".join(f"{kinds} {_changed(before, after)}" for kinds, before, after in rows))
        for database, rows in counted
        if rows
    ]


def inventory_rows(database: ReportedDatabase) -> list[tuple[str, int | None, int]]:
    """Each kind of rule that a database has or had: its name in the plural, how many before (``None``: no base), and after."""
    if database.after is None:
        return []
    before = {} if database.before is None else database.before.counts
    rows = [(f"{kind}s", before.get(kind), after) for kind, after in database.after.counts.items()]
    return [row for row in rows if row[1] or row[2]]


def _changed(before: int | None, after: int) -> str:
    return thousands(after) if before in (None, after) else f"{thousands(before or 0)} → {thousands(after)}"


def errored(report: Report) -> Iterator[tuple[ReportedDatabase, ReportedCheck]]:
    """The checks that could not run."""
    return ((d, c) for d in report.databases for c in d.checks if c.outcome is State.ERRORED)


def proven(databases: Sequence[ReportedDatabase], most: int | None = None) -> list[str]:
    """``58 of 58 declared references refuse an orphan``, one sentence a check, added up over databases.

    Where there are more than ``most``, what weighs most goes before the rest, which is counted.
    """
    checks = _by_check(databases)
    if most is None or len(checks) <= most:
        return [_proven(same) for same in checks]
    kept = sorted(checks, key=lambda same: -same[0].severity.weight)
    rest = [check for same in kept[most - 1 :] for check in same]
    held, judged = sum(check.proven for check in rest), sum(check.judged for check in rest)
    more = plural(len(checks) - most + 1, "more check")
    said = f"and {more}, by which {thousands(held)} of {thousands(judged)} hold"
    return [*(_proven(same) for same in checks if same in kept[: most - 1]), said]


def _by_check(databases: Sequence[ReportedDatabase]) -> list[list[ReportedCheck]]:
    """The checks that proved something, each with all its databases."""
    same: dict[tuple[str, str, str], list[ReportedCheck]] = {}
    for check in (check for database in databases for check in database.checks):
        same.setdefault((check.id, check.subjects, check.proves), []).append(check)
    return [checks for checks in same.values() if any(check.proven for check in checks)]


def _proven(same: Sequence[ReportedCheck]) -> str:
    held, judged = sum(check.proven for check in same), sum(check.judged for check in same)
    return proven_sentence(held, judged, same[0].subjects, same[0].proves)


def proven_sentence(held: int, judged: int, subjects: str, proves: str) -> str:
    """One sentence of what was proven."""
    return f"{thousands(held)} of {thousands(judged)} {subjects} {proves}".strip()


def listing(names: Sequence[str], most: int = 4) -> str:
    """``a, b, c and 12 more``."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 1])} and {thousands(len(names) - most + 1)} more"


def counts(report: Report) -> str:
    """``1 error, 2 warnings`` of what is new; empty where there is nothing."""
    found = Counter(finding.severity for finding in report.findings if finding.state is Standing.NEW)
    fails = {finding.severity for finding in report.findings if finding.fails}
    counted = [severity for severity in _COUNTED if severity is not Severity.NOTICE or severity in fails]
    return ", ".join(plural(found[severity], severity.value) for severity in counted if found[severity])


def reckoning(report: Report) -> str:
    """What the verdict rests on, in a few words."""
    said = [text for text in (_broken(report), _found(report)) if text]
    return ", ".join(said) or (
        "what does not hold is known or allowed" if _is_put_up_with(report) else "all that was checked holds"
    )


def _is_put_up_with(report: Report) -> bool:
    """Whether there is more than notices that the run does not count."""
    put_up_with = (finding for finding in report.findings if finding.state is not Standing.NEW)
    return any(finding.severity.weight > Severity.NOTICE.weight for finding in put_up_with)


def _found(report: Report) -> str:
    found = counts(report)
    if report.verdict is Verdict.NO_GO:
        return f"{found}{_from_this_change(report)}"
    if report.verdict is Verdict.GO and found:
        return f"{found}, none of which fails the run (fail-on: {report.fail_on})"
    return found


def _broken(report: Report) -> str:
    could_not = sum(1 for _ in errored(report))
    said = [f"{plural(could_not, 'check')} could not run"] if could_not else []
    if report.verdict is Verdict.NOTHING_CHECKED:
        skipped = any(database.checks for database in report.databases)
        said.append("every check was skipped" if skipped else "there was nothing to check")
    if report.verdict is Verdict.CANCELLED:
        said.append("stopped before the end")
    if report.verdict is Verdict.BROKEN and not could_not:
        usage = report.exit_code is Exit.USAGE
        said.append("the settings or the address are wrong" if usage else "the run could not be completed")
    return ", ".join(said)


def is_compared(report: Report) -> bool:
    """Whether a base revision shows in the report, so that "new" says something."""
    return bool(known(report)) or any(migration.new for database in report.databases for migration in database.migrations)


def _from_this_change(report: Report) -> str:
    """Only a comparison with the base revision lets this be said."""
    found = sum(is_prominent(finding) for finding in report.findings)
    if not is_compared(report) or not found:
        return ""
    return {1: ", from this change", 2: ", both from this change"}.get(found, ", all from this change")
