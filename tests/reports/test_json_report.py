from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reports.golden_files import assert_golden
from reports.sample import APP, CHECKS, HOSTILE, ORPHANS, TYPICAL, everything, small
from runner.errors import Exit
from runner.redaction import Redactor
from runner.report import SCHEMA_VERSION, Report, Verdict
from runner.reports import json_report
from runner.text import clean

VALIDATOR = Draft202012Validator(json_report.schema())


def rendered(report: Report) -> Any:
    return json.loads(json_report.render(clean(report, Redactor())))


def objects(schema: Any) -> list[dict[str, Any]]:
    """Every object that a schema describes, at any depth."""
    if isinstance(schema, list):
        return [found for item in schema for found in objects(item)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if "properties" in schema and isinstance(schema.get("type"), str) else []
    return own + [found for item in schema.values() for found in objects(item)]


def test_golden() -> None:
    assert_golden("typical.report.json", json_report.render(TYPICAL))
    assert_golden("hostile.report.json", json_report.render(clean(small(HOSTILE), Redactor())))


@pytest.mark.parametrize(
    "report",
    [TYPICAL, everything(HOSTILE), everything(""), replace(TYPICAL, databases=(), verdict=Verdict.BROKEN)]
    + [replace(TYPICAL, exit_code=code) for code in Exit]
    + [replace(TYPICAL, verdict=verdict) for verdict in Verdict],
)
def test_every_report_satisfies_the_published_schema(report: Report) -> None:
    VALIDATOR.validate(rendered(report))


def test_the_schema_is_one_and_takes_no_other_key() -> None:
    schema = json_report.schema()
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:dbproof:report:{SCHEMA_VERSION}"
    found = objects(schema)
    assert len(found) == 33
    for described in found:
        assert described["additionalProperties"] is False
        assert described["required"] == list(described["properties"])
        assert all(value.get("description") or "$ref" in value for value in described["properties"].values())


@pytest.mark.parametrize("path", [(), ("databases", 0), ("databases", 0, "checks", 0, "findings", 0)])
def test_the_schema_can_tell(path: tuple[str | int, ...]) -> None:
    for change in ("more", "less"):
        document = json.loads(json_report.render(TYPICAL))
        part = document
        for step in path:
            part = part[step]
        if change == "more":
            part["surprise"] = 1
        else:
            del part[next(iter(part))]
        assert not VALIDATOR.is_valid(document)


def test_the_keys_that_programs_rely_on() -> None:
    document = rendered(TYPICAL)
    assert (document["verdict"], document["exit_code"]) == ("no-go", 1)
    database = document["databases"][0]
    assert {"name", "engine", "version", "migrations", "checks"} <= set(database)
    check = database["checks"][1]
    assert [check[key] for key in ("id", "outcome", "reason", "seconds")] == ["orphaned-rows", "failed", "", 0.412]
    finding = check["findings"][0]
    assert [finding[key] for key in ("subject", "severity", "state")] == ["payments.order_id -> orders.id", "error", "new"]
    assert finding["provenance"]["file"] == "backend/alembic/versions/7c20_payments.py"
    assert finding["provenance"]["line"] == 31
    assert finding["evidence"]["count"] == 1240
    assert finding["evidence"]["facts"] == ORPHANS.evidence
    assert {"message", "fingerprint", "remedy"} <= set(finding)


def test_what_json_cannot_say_becomes_text() -> None:
    facts: Any = {"nan": float("nan"), "inf": float("-inf"), "deep": [{"a": (1, 2.5)}], "other": {1: complex(1, 2)}}
    finding = replace(ORPHANS, evidence=facts)
    checks = (replace(CHECKS[1], seconds=float("inf"), findings=(finding,)),)
    check = rendered(replace(TYPICAL, databases=(replace(APP, checks=checks),)))["databases"][0]["checks"][0]
    assert check["seconds"] == 0.0
    assert check["findings"][0]["evidence"]["facts"] == {
        "nan": "nan",
        "inf": "-inf",
        "deep": [{"a": [1, 2.5]}],
        "other": {"1": "(1+2j)"},
    }
