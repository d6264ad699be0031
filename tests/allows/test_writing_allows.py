from __future__ import annotations

import json
import os
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from reports.sample import TYPICAL

from runner.allows.patterns import matches
from runner.allows.reading import Found, found_in
from runner.allows.writing import Wanted, Written, write
from runner.errors import UsageError
from runner.reports import json_report
from runner.settings.load import Loaded, load
from runner.text import single_line

CHECKS = ("orphaned-rows", "unindexed-foreign-key", "migration-failed")
ORPHANS = Found("orphaned-rows", "payments.order_id -> orders.id", "error")
INDEX = Found("unindexed-foreign-key", "order_items.order_id", "warning")
NOTICE = Found("unindexed-foreign-key", "audit_log.user_id", "notice")
WHY = Wanted(reason="old rows", until=date(2027, 6, 30))
SETTINGS = '# Ours.\nfail_on = "warning"   # for now\n\n[databases.shop]\nversion = "16"  # as in production'


def loaded(root: Path) -> Loaded:
    return load(root, {}, {}, checks=CHECKS, detecting=False)


def allowed(root: Path, *found: Found, wanted: Wanted = WHY) -> Written:
    return write(found, wanted, loaded(root))


def laid(root: Path, text: str, name: str = "dbproof.toml") -> Path:
    file = root / name
    file.write_bytes(text.encode("utf-8"))
    return file


def test_entries_come_behind_all_that_stands_there(tmp_path: Path) -> None:
    file = laid(tmp_path, SETTINGS)
    written = allowed(tmp_path, ORPHANS, INDEX, ORPHANS, NOTICE)
    assert file.read_text() == SETTINGS + (
        '\n\n[[allow]]\ncheck = "orphaned-rows"\nsubject = "payments.order_id -> orders.id"\nreason = "old rows"\n'
        'until = 2027-06-30\n\n[[allow]]\ncheck = "unindexed-foreign-key"\nsubject = "order_items.order_id"\n'
        'reason = "old rows"\nuntil = 2027-06-30\n'
    )
    assert (written.file, written.line, len(written.entries), written.already) == ("dbproof.toml", 7, 2, 0)
    assert file.read_text().splitlines()[written.line - 1] == "[[allow]]"
    assert list(tmp_path.iterdir()) == [file]


def test_a_second_call_changes_nothing(tmp_path: Path) -> None:
    file = laid(tmp_path, SETTINGS)
    allowed(tmp_path, ORPHANS)
    once = file.read_bytes(), file.stat().st_mtime_ns
    assert allowed(tmp_path, ORPHANS) == Written("dbproof.toml", already=1)
    assert (file.read_bytes(), file.stat().st_mtime_ns) == once
    assert len(allowed(tmp_path, ORPHANS, INDEX).entries) == 1


def test_what_a_pattern_allows_is_not_written_again(tmp_path: Path) -> None:
    laid(tmp_path, '[[allow]]\ncheck = "orphaned-rows"\nsubject = "payments.*"\nreason = "x"\nuntil = 2020-01-01\n')
    assert allowed(tmp_path, ORPHANS) == Written("dbproof.toml", already=1)


def test_a_notice_only_where_its_check_is_named(tmp_path: Path) -> None:
    laid(tmp_path, "")
    assert allowed(tmp_path, NOTICE).entries == ()
    (entry,) = allowed(tmp_path, NOTICE, ORPHANS, wanted=Wanted((NOTICE.check,), "x")).entries
    assert (entry.check, entry.until) == (NOTICE.check, None)


def test_pyproject_holds_them_too(tmp_path: Path) -> None:
    text = '[project]\nname = "shop"  # ours\n\n[tool.dbproof]\nfail_on = "warning"\n\n[tool.ruff]\nline-length = 100\n'
    file = laid(tmp_path, text, "pyproject.toml")
    allowed(tmp_path, ORPHANS)
    assert file.read_text().startswith(text + "\n[[tool.dbproof.allow]]\n")
    assert [one.subject for one in loaded(tmp_path).settings.allow] == [ORPHANS.subject]
    assert tomllib.loads(file.read_text())["tool"]["ruff"] == {"line-length": 100}


def test_line_ends_byte_order_mark_and_mode_stay(tmp_path: Path) -> None:
    file = laid(tmp_path, "\ufefffail_on = 'error'\r\n")
    file.chmod(0o640)
    allowed(tmp_path, ORPHANS)
    content = file.read_bytes().decode("utf-8")
    assert content.startswith("\ufefffail_on = 'error'\r\n\r\n[[allow]]\r\n")
    assert content.count("\n") == content.count("\r\n")
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real = laid(tmp_path, "", "real.toml")
    (tmp_path / "dbproof.toml").symlink_to(real)
    allowed(tmp_path, ORPHANS)
    assert (tmp_path / "dbproof.toml").is_symlink()
    assert "[[allow]]" in real.read_text()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dbproof.toml", 'allow = [{ check = "orphaned-rows", subject = "a", reason = "b" }]\n'),
        ("pyproject.toml", 'tool.dbproof = { fail_on = "error" }\n'),
        ("pyproject.toml", '[tool]\ndbproof = { fail_on = "error" }\n'),
    ],
)
def test_what_nothing_can_be_added_to_stays_as_it_is(name: str, text: str, tmp_path: Path) -> None:
    file = laid(tmp_path, text, name)
    with pytest.raises(UsageError, match="cannot be added to") as refused:
        allowed(tmp_path, ORPHANS)
    assert 'subject = "payments.order_id -> orders.id"' in refused.value.remedy
    assert file.read_text() == text


def test_without_a_settings_file_there_is_nothing_to_write_to(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no settings file"):
        allowed(tmp_path, ORPHANS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_where_nothing_may_be_written_that_is_said(tmp_path: Path) -> None:
    laid(tmp_path, "")
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="cannot be written"):
        allowed(tmp_path, ORPHANS)


HOSTILE = some.text(some.one_of(some.characters(), some.sampled_from("\"'\\\n\r\x00\x1b\x7f\u2028\ud800*?[]#=")), max_size=40)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(subject=HOSTILE, reason=HOSTILE.filter(str.strip))
def test_any_subject_and_reason_come_back(subject: str, reason: str, tmp_path: Path) -> None:
    """As the reports spell them: a finding whose own subject is spelt otherwise is allowed by that as well."""
    laid(tmp_path, SETTINGS)
    spelt = single_line(f"t.{subject}")
    allowed(tmp_path, Found("orphaned-rows", spelt, "error"), wanted=Wanted(reason=single_line(reason)))
    (back,) = loaded(tmp_path).settings.allow
    assert matches(back.subject, spelt)
    assert not matches(back.subject, spelt + "x")
    assert back.reason == single_line(reason)
    assert loaded(tmp_path).settings.fail_on == "warning"


def report(tmp_path: Path, document: Any) -> Path:
    file = tmp_path / "report.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
    return file


def test_the_new_findings_of_a_report(tmp_path: Path) -> None:
    found = found_in(report(tmp_path, json_report.render(TYPICAL)))
    assert ORPHANS in found
    assert NOTICE in found
    assert {one.subject for one in found}.isdisjoint({"orders_total_check", "audit_log.order_id"})


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("schema_version",), "2.0", "schema_version"),
        (("databases",), None, "databases"),
        (("databases", 0, "checks"), {}, "databases.0.checks"),
        (("databases", 0, "checks", 0, "findings", 0, "check"), "a]\nb = 1", "findings.0.check"),
        (("databases", 0, "checks", 0, "findings", 0, "state"), "mine", "findings.0.state"),
        (("databases", 0, "checks", 0, "findings", 0, "subject"), 7, "findings.0.subject"),
    ],
)
def test_what_is_no_report_is_refused(path: tuple[str | int, ...], value: object, said: str, tmp_path: Path) -> None:
    document: Any = json.loads(json_report.render(TYPICAL))
    part = document
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    with pytest.raises(UsageError, match=f"is no report of dbproof's: .*{said}"):
        found_in(report(tmp_path, document))


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, "\ud800".encode("utf-16", "surrogatepass").decode("latin-1")])
def test_what_is_no_json_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no report of dbproof's"):
        found_in(report(tmp_path, text))


def test_a_report_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        found_in(tmp_path / "report.json")
