"""``report.json``: everything that a run found, for programs. Its JSON Schema is ``report.schema.json``, beside this module."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path

from checks.evidence import Place
from checks.interface import Json
from runner.report import (
    SCHEMA_VERSION,
    Allowance,
    Criterion,
    Provenance,
    Quality,
    Report,
    ReportedAllow,
    ReportedCheck,
    ReportedDatabase,
    ReportedFinding,
    ReportedGone,
    ReportedMigration,
    ReportedStatement,
)
from runner.reports import made, measured, migrated, selfproof

FILE = "report.json"

_Object = dict[str, Json]


def render(report: Report) -> str:
    """The report as JSON. Keys are only ever added within a version of the schema."""
    return json.dumps(as_json(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


@cache
def schema() -> _Object:
    """The published JSON Schema that every ``report.json`` satisfies."""
    loaded: _Object = json.loads(Path(__file__).with_name("report.schema.json").read_text(encoding="utf-8"))
    return loaded


def as_json(report: Report) -> _Object:
    """The report as values that JSON can say."""
    return {
        "schema_version": SCHEMA_VERSION,
        "dbproof": report.version,
        "started": report.started,
        "seconds": _rounded(report.seconds),
        "verdict": report.verdict.value,
        "exit_code": int(report.exit_code),
        "fail_on": report.fail_on,
        "criteria": [_criterion(one) for one in report.criteria],
        "quality": _quality(report.quality),
        "coverage": [{"kind": one.kind, "exercised": one.exercised, "of": one.of} for one in report.coverage],
        "allows": [_allow(one) for one in report.allows],
        "databases": [_database(database) for database in report.databases],
        "problems": [
            {"message": problem.message, "remedy": problem.remedy, "exit_code": int(problem.exit_code)}
            for problem in report.problems
        ],
        "notes": list(report.notes),
        "files": list(report.files),
    }


def _criterion(one: Criterion) -> _Object:
    return {
        "id": one.id,
        "says": one.says,
        "state": one.state.value,
        "held": one.held,
        "of": one.of,
        "why": one.why,
        "exit_code": None if one.exit_code is None else int(one.exit_code),
    }


def _quality(quality: Quality) -> _Object:
    return {
        "score": quality.score,
        "held": quality.held,
        "broken": quality.broken,
        "not_proven": quality.not_proven,
        "weight_held": quality.weight_held,
        "weight": quality.weight,
    }


def _allow(allow: ReportedAllow) -> _Object:
    return {
        "check": allow.check,
        "subject": allow.subject,
        "reason": allow.reason,
        "until": allow.until or None,
        "place": _place(allow.place),
        "state": allow.state.value,
        "findings": allow.findings,
        "fault": allow.fault,
    }


def _database(database: ReportedDatabase) -> _Object:
    return {
        "name": database.name,
        "engine": database.engine,
        "version": database.version,
        "origin": database.origin,
        "compared": database.compared,
        "seconds": _rounded(database.seconds),
        "migrations": [_migration(migration) for migration in database.migrations],
        "checks": [_check(check) for check in database.checks],
        "notes": list(database.notes),
        "before": None if database.before is None else asdict(database.before),
        "after": None if database.after is None else asdict(database.after),
        "selftest": selfproof.as_json(database.selftest),
        "measured": measured.as_json(database.measured),
        "made_rows": made.as_json(database.made_rows),
    }


def _migration(migration: ReportedMigration) -> _Object:
    return {
        "revision": migration.revision,
        "title": migration.title,
        "place": _place(migration.place),
        "state": migration.state.value,
        "new": migration.new,
        "seconds": _rounded(migration.seconds),
        "statements": [_statement(statement) for statement in migration.statements],
        **migrated.as_json(migration),
    }


def _statement(statement: ReportedStatement) -> _Object:
    return {
        "place": None if statement.place is None else _place(statement.place),
        "text": statement.text,
        "seconds": _rounded(statement.seconds),
        "times": statement.times,
        "locks": [{"relation": lock.relation, "mode": lock.mode} for lock in statement.locks],
        "rewrites": [{"relation": rewrite.relation, "reason": rewrite.reason} for rewrite in statement.rewrites],
        "work": migrated.work_as_json(statement.work),
        "made": list(statement.made),
        "changed": list(statement.changed),
        "dropped": list(statement.dropped),
        "invalid": list(statement.invalid),
        "waits": [
            {"relation": wait.relation, "access": wait.access, "seconds": _rounded(wait.seconds)} for wait in statement.waits
        ],
    }


def _check(check: ReportedCheck) -> _Object:
    return {
        "id": check.id,
        "area": check.area,
        "severity": check.severity.value,
        "probe": check.probe,
        "outcome": check.outcome.value,
        "reason": check.reason,
        "seconds": _rounded(check.seconds),
        "subjects": check.subjects,
        "proves": check.proves,
        "proven": check.proven,
        "not_proven": [{"subject": gap.subject, "reason": gap.reason} for gap in check.not_proven],
        "findings": [_finding(finding) for finding in check.findings],
        "gone": [_gone(one) for one in check.gone],
    }


def _finding(finding: ReportedFinding) -> _Object:
    return {
        "check": finding.check,
        "subject": finding.subject,
        "severity": finding.severity.value,
        "state": finding.state.value,
        "fails": finding.fails,
        "allowed": None if finding.allowed is None else _allowance(finding.allowed),
        "message": finding.message,
        "fingerprint": finding.fingerprint,
        "provenance": None if finding.provenance is None else _provenance(finding.provenance),
        "evidence": {
            "count": finding.count,
            "code": finding.code,
            "said": finding.said,
            "detail": finding.detail,
            "values": list(finding.values),
            "facts": dict(finding.evidence),
        },
        "remedy": finding.remedy,
    }


def _gone(one: ReportedGone) -> _Object:
    return {
        "subject": one.subject,
        "severity": one.severity.value,
        "message": one.message,
        "fingerprint": one.fingerprint,
        "holds": one.holds,
    }


def _allowance(given: Allowance) -> _Object:
    return {"place": _place(given.place), "reason": given.reason, "until": given.until or None, "expired": given.expired}


def _provenance(provenance: Provenance) -> _Object:
    return {**_place(provenance.place), "statement": provenance.statement, "revision": provenance.revision}


def _place(place: Place) -> _Object:
    return {"file": place.file, "line": place.line}


def _rounded(seconds: float | None) -> float | None:
    """To microseconds: more digits are noise."""
    return None if seconds is None else round(seconds, 6)
