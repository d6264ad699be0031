"""Two reports to render: one as a run of the shop would give it, and one with hostile text in every field."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from checks.evidence import Lock, MigrationState, Place, Rewrite
from checks.interface import Severity, State, fingerprint
from checks.rulebook.inventory import Inventory
from checks.work import TableWork, Work
from runner.errors import Exit
from runner.report import (
    Allowance,
    AllowState,
    FaultState,
    MadeRows,
    Measured,
    MilderRows,
    PlantedFault,
    Problem,
    Provenance,
    Report,
    ReportedAllow,
    ReportedCheck,
    ReportedDatabase,
    ReportedFinding,
    ReportedGain,
    ReportedGap,
    ReportedGone,
    ReportedMigration,
    ReportedQuery,
    ReportedStatement,
    ReportedWait,
    ReportedWrite,
    SelfProof,
    ShortTable,
    Sorting,
    Standing,
    Verdict,
    Writing,
)
from runner.settings.surface import FailOn
from runner.verdict import coverage, criteria, quality

#: Every attack in one text: commands, escapes, markup, mentions, links, controls, surrogates, direction marks, separators.
HOSTILE = (
    "::error file=a.py,line=1::owned\r\n"
    "  ::set-output name=x::y\n"
    "say ##[error]owned and ##vso[task.setvariable]x\r"
    "::add-mask::everything\r"
    "\x1b[31mred\x1b[0m \x1b]8;;http://evil.example\x07click\x1b]8;;\x07 \x00\x07\x9b1m\n"
    "\u202egnp.exe\u2066 \u200b::warning::hidden \u2028::error::line\u2029end \ud800 \ufffe \U0001fffe \ufeff\n"
    "<script>alert(1)</script> <img src=x onerror=y> </details> <!-- ]]> &amp; &#64;\n"
    "# heading\n- item\n1. one\n> quote\n| cell | cell |\n| --- | --- |\n===\n    indented\n"
    "`tick` ``` fence ````\n~~~\n"
    "[link](http://evil.example) ![image](http://evil.example/x.png) https://evil.example www.evil.example\n"
    "@octocat #1 GH-2 user@example.org 7fd1a60b01f91b314f59955a4e4d4e80d8edf11d $x^2$ \\| \\\\| [bold red]markup[/] :smile:"
)

ORDERS = Place("backend/alembic/versions/9a41_add_currency.py", 24)
STATEMENT = 'op.add_column("orders", sa.Column("currency", sa.String(3), nullable=False))'


def finding(check: str, subject: str, **changes: Any) -> ReportedFinding:
    """A new error that fails the run, unless changed."""
    plain = ReportedFinding(
        check=check,
        subject=subject,
        severity=Severity.ERROR,
        state=Standing.NEW,
        message=f"{subject} does not hold.",
        fingerprint=fingerprint(check, subject),
        fails=True,
    )
    return replace(plain, **changes)


REFUSED = finding(
    "migration-failed",
    "9a41",
    provenance=Provenance(ORDERS, STATEMENT, "9a41"),
    code="23502",
    said='column "currency" of relation "orders" contains null values',
    message="Green on an empty table, red on any row. The checks went on, on an empty copy.",
    remedy="server_default, or add it nullable, backfill, then SET NOT NULL.",
)
ORPHANS = finding(
    "orphaned-rows",
    "payments.order_id -> orders.id",
    provenance=Provenance(Place("backend/alembic/versions/7c20_payments.py", 31), "", "7c20"),
    count=1240,
    message="1 240 of 8 000 rows of payments name an order that does not exist.",
    remedy="Delete them or give them an order, then VALIDATE CONSTRAINT payments_order_id_fkey.",
    values=("41", "97"),
    evidence={"share": 0.155, "validated": False, "sample": [41, 97], "at": {"query": "select 1"}},
)
UNINDEXED = finding(
    "unindexed-foreign-key",
    "order_items.order_id",
    severity=Severity.WARNING,
    fails=False,
    provenance=Provenance(Place("backend/alembic/versions/9a41_add_currency.py", 30)),
    message="Deleting an order scans all of order_items, for the rule is CASCADE and no index begins with order_id.",
    remedy="create index concurrently on order_items (order_id);",
)
NOTICE = finding("unindexed-foreign-key", "audit_log.user_id", severity=Severity.NOTICE, fails=False)
KNOWN = finding("unvalidated-constraint", "orders_total_check", state=Standing.KNOWN, fails=False)
SETTINGS = Place("dbproof.toml", 41)
ALLOWED = finding(
    "unindexed-foreign-key",
    "audit_log.order_id",
    severity=Severity.NOTICE,
    state=Standing.ALLOWED,
    fails=False,
    allowed=Allowance(SETTINGS, "append only, parents are never deleted", "2027-06-30"),
)
EXPIRED = finding(
    "unindexed-foreign-key",
    "carts.order_id",
    severity=Severity.NOTICE,
    fails=False,
    allowed=Allowance(Place("dbproof.toml", 47), "carts are emptied every night", "2026-06-30", expired=True),
)
GONE = ReportedGone("users_email_check", Severity.WARNING, "old rows were never looked at", fingerprint("x", "y"), holds=True)

CHECKS = (
    ReportedCheck("migration-failed", State.FAILED, "", 0.001, "new migrations", "apply", 0, (), (REFUSED,), "migrations"),
    ReportedCheck("orphaned-rows", State.FAILED, "", 0.412, "references", "have no orphan", 56, (), (ORPHANS,), "references"),
    ReportedCheck(
        "reference-probe", State.PASSED, "", 1.2, "references", "refuse an orphan", 57, (), (), "references", probe=True
    ),
    ReportedCheck("delete-rule", State.PASSED, "", 0.02, "delete rules", "are as declared", 8, (), (), "references"),
    ReportedCheck(
        "unindexed-foreign-key",
        State.FAILED,
        "",
        0.03,
        "foreign keys",
        "have an index",
        55,
        (ReportedGap("documents.owner_id -> users.id", "no rows"), ReportedGap("chunks.document_id -> documents.id", "no rows")),
        (UNINDEXED, NOTICE, ALLOWED, EXPIRED),
        "performance",
    ),
    ReportedCheck(
        id="unvalidated-constraint",
        outcome=State.FAILED,
        reason="",
        seconds=0.01,
        subjects="constraints",
        proves="are validated",
        proven=33,
        findings=(KNOWN,),
        area="constraints",
        severity=Severity.WARNING,
        gone=(GONE,),
    ),
    ReportedCheck("no-rows", State.SKIPPED, "nothing is declared", 0.0, "queries", "return no row", 0, (), (), "rules"),
)

MIGRATIONS = (
    ReportedMigration("7c20", "payments", Place("backend/alembic/versions/7c20_payments.py", 1), MigrationState.APPLIED, False),
    ReportedMigration(
        "9a41",
        "add currency",
        ORDERS,
        MigrationState.FAILED,
        True,
        1.1,
        (
            ReportedStatement(
                Place(ORDERS.file, 22),
                "ALTER TABLE orders ALTER COLUMN total TYPE numeric(12,2)",
                0.214,
                (Lock("orders", "AccessExclusiveLock"), Lock("order_items", "ShareLock")),
                (Rewrite("orders", "column type changed"),),
                work=Work((TableWork("orders", 0, 0, 0, 8000, 606208, 16384),), 1_290_240),
                changed=("table orders",),
                waits=(ReportedWait("orders", "writes", 0.198),),
            ),
            ReportedStatement(
                Place(ORDERS.file, 23),
                "INSERT INTO currencies (code) VALUES ($1)",
                0.004,
                times=3,
                work=Work((TableWork("currencies", 3, 0, 0, 0, 8192, 0),), 412),
            ),
            ReportedStatement(ORDERS, "ALTER TABLE orders ADD COLUMN currency VARCHAR(3) NOT NULL", None),
        ),
        Work((TableWork("orders", 0, 0, 0, 8000, 606208, 16384), TableWork("currencies", 3, 0, 0, 0, 8192, 0)), 1_290_652, 4),
    ),
)

APP = ReportedDatabase(
    name="app",
    engine="postgresql",
    version="16.4",
    origin="docker postgres:16",
    compared="main 3f9c2ab",
    seconds=18.4,
    migrations=MIGRATIONS,
    checks=CHECKS,
    notes=("backend/alembic/versions/7c20_payments.py:12 was refused to the owner (42501), so migrations ran as superuser.",),
    before=Inventory(foreign_keys=56, checks=33, primary_keys=38, uniques=12, not_nulls=1240, triggers=2),
    after=Inventory(foreign_keys=57, checks=33, primary_keys=38, uniques=11, partial_uniques=1, not_nulls=1240, triggers=2),
    selftest=SelfProof(
        faults=(
            PlantedFault("orphan", "orphaned-rows", "orders.buyer_id", FaultState.FOUND),
            PlantedFault("unenforced-reference", "reference-probe", "orders.buyer_id", FaultState.FOUND),
            PlantedFault(
                "dropped-index", "unindexed-foreign-key", "orders.buyer_id", FaultState.MISSED, "the check found nothing"
            ),
            PlantedFault("sequence-back", "sequence-behind", "", FaultState.NOT_PLANTED, "there is nothing of that kind here"),
        ),
        vacuous=(
            ReportedGap("unindexed-foreign-key", "missed"),
            ReportedGap("sequence-behind", "there is nothing of that kind here"),
        ),
        seconds=0.31,
        allowance=0.9,
        left_out=1,
    ),
    measured=Measured(
        queries=(
            ReportedQuery("open_orders", "simple", 0.2, 0.0031, 0.0048, 12, 12, 12, indexes=("orders.status_idx",)),
            ReportedQuery(
                "orders_of_a_buyer",
                "simple",
                0.1,
                0.0021,
                0.0024,
                3,
                documents=3,
                keys=4,
                scanned=("buyers",),
                indexes=("orders.buyer_idx",),
                sorting=Sorting.MEMORY,
                gain=ReportedGain(("orders.buyer_idx",), 22.4, 20.1, 24.0, 0.0021, 0.045),
            ),
            ReportedQuery("everything", "batch", 2.0, None, None, 0),
        ),
        writes=(ReportedWrite("orders", Writing.INSERT, 0.0042, 0.0011, 0.0031, 0.0004, 0.0027),),
    ),
    made_rows=MadeRows(
        1_200,
        12,
        (ShortTable("coupons", 0, 100, "no value of code (text) was found that ck_code allows"),),
        MilderRows(1_100, 11, ("orders",)),
    ),
)

ALLOWS = (
    ReportedAllow(
        ALLOWED.check, "audit_log.*", "append only, parents are never deleted", SETTINGS, AllowState.USED, "2027-06-30", 1
    ),
    ReportedAllow(
        EXPIRED.check,
        "carts.*",
        "carts are emptied every night",
        Place("dbproof.toml", 47),
        AllowState.EXPIRED,
        "2026-06-30",
        1,
    ),
    ReportedAllow("orphaned-rows", "carts.*", "old carts", Place("dbproof.toml", 53), AllowState.UNUSED),
    ReportedAllow(
        "orphaned-rows", "", "", ORDERS, AllowState.NOT_HEEDED, fault="it says no reason; write `dbproof: allow CHECK, why`"
    ),
)

FILES = ("dbproof-report/junit.xml", "dbproof-report/report.json", "dbproof-report/summary.md", "dbproof-report/metrics.prom")

TYPICAL = Report(
    version="0.1.0",
    started="2026-11-21T09:30:00",
    seconds=20.04,
    verdict=Verdict.NO_GO,
    exit_code=Exit.FINDINGS,
    fail_on="error",
    databases=(APP,),
    files=FILES,
    allows=ALLOWS,
    criteria=criteria((APP,), (), FailOn.ERROR),
    quality=quality((APP,)),
    coverage=coverage((APP,)),
)

ERRORED = ReportedCheck("query-limit", State.ERRORED, "statement timeout\nafter 30 s", 30.0, "queries", "keep their limit", 0)


#: One of everything, small, for the golden files.
_SMALL = replace(
    TYPICAL,
    databases=(
        replace(
            APP,
            migrations=(replace(MIGRATIONS[1], statements=MIGRATIONS[1].statements[:1]),),
            checks=(
                replace(CHECKS[0], findings=(replace(ORPHANS, code="23503", said="words", detail="row"),)),
                replace(CHECKS[4], findings=(NOTICE,), not_proven=CHECKS[4].not_proven[:1]),
                replace(CHECKS[5], proven=0),
                ERRORED,
            ),
        ),
    ),
    problems=(Problem("the server did not start", "read its log", Exit.ENVIRONMENT),),
    notes=("a note",),
    verdict=Verdict.BROKEN,
    exit_code=Exit.ENVIRONMENT,
)


def filled(value: Any, text: str) -> Any:
    """The same value with a text in every field that takes any text; enumerations, numbers and the time stay."""
    if isinstance(value, tuple | list):
        return type(value)(filled(item, text) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: filled(getattr(value, field.name), text) for field in fields(value)})
    if isinstance(value, dict):
        return {f"{key}{text}": filled(item, text) for key, item in value.items()}
    return text if type(value) is str else value


def small(text: str) -> Report:
    """A small report with a text in every field of text."""
    report: Report = filled(_SMALL, text)
    return replace(report, started=TYPICAL.started)


def everything(text: str) -> Report:
    """A large one: two databases, every kind of finding, a text in every field of text."""
    shown = replace(REFUSED, detail="row", values=("a",), evidence={"key": "value", "list": ["value"]})
    errored = replace(ERRORED, findings=(shown, replace(UNINDEXED, detail="row"), NOTICE, KNOWN))
    other = replace(APP, name="docs", checks=(*CHECKS, errored))
    report: Report = filled(replace(_SMALL, databases=(APP, other)), text)
    return replace(report, started=TYPICAL.started)
