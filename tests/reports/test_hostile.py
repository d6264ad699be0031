"""Whatever text comes, every format stays what it is, no line is a command, and no secret is seen."""

from __future__ import annotations

import base64
import html
import io
import json
import re
from dataclasses import replace
from urllib.parse import quote
from xml.etree import ElementTree

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reports.commands import commands
from reports.pages import OWN_HTML, page
from reports.sample import HOSTILE, everything
from reports.schemas import JUNIT, junit_schema
from runner.errors import DbproofError
from runner.output import Output
from runner.redaction import Redactor
from runner.report import Report
from runner.reports import json_report, junit, summary
from runner.text import clean

FRAGMENTS = [
    *HOSTILE.split(" "),
    *HOSTILE.split("\n"),
    "\n",
    "\r",
    "\t",
    " ",
    "::",
    "##[",
    "]",
    "`",
    "|",
    "\\",
    "<",
    "&",
    "%0A",
    ":",
    "#",
]
TEXT = st.lists(st.text(st.characters(), max_size=20) | st.sampled_from(FRAGMENTS), max_size=12).map("".join)
SECRET = st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=20).map(lambda text: f"Zq7{text}vX9")
CONTROL = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
VALIDATOR = Draft202012Validator(json_report.schema())


def printed(report: Report, redactor: Redactor, text: str) -> str:
    """All that a run prints on both streams when nobody watches."""
    out, err = io.StringIO(), io.StringIO()
    output = Output(redactor, stdout=out, stderr=err, environment={})
    output.header(text)
    output.progress.note(text, text, text)
    with output.progress.stage(text) as stage:
        stage.say(text)
    with output.progress.stage(text) as stage:
        stage.failed(text)
    output.report(report, show_all=True)
    output.error(DbproofError(text, text))
    output.line(text)
    return out.getvalue() + err.getvalue()


@SETTINGS
@given(TEXT)
def test_junit_stays_valid(text: str) -> None:
    document = junit.render(clean(everything(text), Redactor()))
    for name in JUNIT:
        junit_schema(name).validate(document)
    assert not commands(document)


@SETTINGS
@given(TEXT)
def test_json_stays_valid_and_plain(text: str) -> None:
    document = json_report.render(clean(everything(text), Redactor()))
    VALIDATOR.validate(json.loads(document))
    assert not CONTROL.search(document)


@SETTINGS
@given(TEXT)
def test_the_summary_has_no_markup_of_others(text: str) -> None:
    document = summary.render(clean(everything(text), Redactor()))
    found = page(document)
    assert not {"a", "img", "script", "blockquote", "em", "s", "ol", "hr", "h1"} & set(found.tags)
    for piece in found.html:
        for own in OWN_HTML:
            piece = piece.replace(own, "")
        assert not re.search(r"[<>]", piece)
    assert not commands(document)
    assert not CONTROL.search(document.replace("\t", ""))


@SETTINGS
@given(TEXT)
def test_the_console_has_no_control_characters_and_no_commands(text: str) -> None:
    log = printed(everything(text), Redactor(), text)
    assert not commands(log)
    assert not CONTROL.search(log.replace("\t", ""))


@SETTINGS
@given(TEXT)
def test_cleaning_again_changes_nothing(text: str) -> None:
    redactor = Redactor()
    redactor.add("Zq7secretvX9")
    once = clean(everything(f"{text}Zq7secretvX9"), redactor)
    assert clean(once, redactor) == once


@SETTINGS
@given(SECRET, TEXT)
def test_a_registered_secret_is_in_no_format(secret: str, text: str) -> None:
    redactor = Redactor()
    redactor.add(secret)
    forms = [
        secret,
        quote(secret),
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
        html.escape(secret),
        base64.b64encode(secret.encode()).decode(),
        base64.b64encode(f"user:{secret}".encode()).decode(),
    ]
    spread = " ".join([text, *forms, f"postgresql://user:{secret}@host/db", f"password={secret} x", f'"{secret}"'])
    report = everything(spread)
    safe = clean(report, redactor)
    shown = [junit.render(safe), json_report.render(safe), summary.render(safe), printed(report, redactor, spread)]
    seen = [
        shown[0],
        *ElementTree.fromstring(shown[0]).itertext(),
        *shown[1:],
        shown[2].replace("\\", ""),
        html.unescape(shown[2]),
    ]
    for document in seen:
        for form in forms[:-1]:
            assert form not in document
        assert "Zq7" not in document


def test_evidence_under_any_key_is_redacted() -> None:
    redactor = Redactor()
    redactor.add("hunter2hunter2")
    report = everything("x")
    database = report.databases[1]
    check = database.checks[-1]
    finding = replace(check.findings[0], evidence={"hunter2hunter2": {"deep": [["a hunter2hunter2"]]}})
    told = replace(report, databases=(replace(database, checks=(replace(check, findings=(finding,)),)),))
    assert "hunter2" not in json_report.render(clean(told, redactor))
