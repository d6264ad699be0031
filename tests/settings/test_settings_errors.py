"""What is wrong with settings and with their file: its place, what was expected, the nearest name."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from refused_settings import loaded, refusal

from runner.errors import UsageError
from runner.settings.faults import settings_from
from runner.settings.model import Settings

FAULTS = {
    "fail_on = 'eror'": "fail_on: 'eror' is not a severity to fail on; did you mean 'error'?",
    "selftest = 'fulll'": "selftest: 'fulll' is not an extent of the self-proof; did you mean 'full'?",
    "fail_on = 'x'": "fail_on: 'x' is not a severity to fail on; there are: error, never, notice, warning",
    "fail_on = 3": "fail_on: expected 'error' or 'warning' or 'notice' or 'never', found a number",
    "compar = 'main'": "compar: unknown key; did you mean 'compare'?",
    "'[key]' = 1": (
        '"[key]": unknown key; '
        "there are: allow, compare, databases, fail_on, references, report_dir, selftest, severity, show_values"
    ),
    "zzz = 1": (
        "zzz: unknown key; there are: allow, compare, databases, fail_on, references, report_dir, selftest, severity, show_values"
    ),
    "show_values = 'true'": "show_values: expected true or false, found text",
    "show_values = 1": "show_values: expected true or false, found a number",
    "report_dir = ''": "report_dir: is empty",
    "report_dir = true": "report_dir: expected text, found true or false",
    "compare = 2027-06-30": "compare: expected text, found a date or time",
    "severity.orphaned-row = 'error'": "severity.orphaned-row: no such check; did you mean 'orphaned-rows'?",
    "allow = 'x'": "allow: expected a list, found text",
    "allow = [3]": "allow[0]: expected a table, found a number",
    "[[allow]]\nsubject = 'a'\nreason = 'x'": "allow[0].check: is missing",
    "[[allow]]\ncheck = 'orphaned-rows'\nreason = 'x'": "allow[0].subject: is missing",
    "[[allow]]\ncheck = 'orphaned-row'\nsubject = '*'\nreason = 'x'": (
        "allow[0].check: no such check; did you mean 'orphaned-rows'?"
    ),
    "[[allow]]\ncheck = 'orphaned-rows'\nsubject = ''\nreason = 'x'": "allow[0].subject: is empty",
    "[[allow]]\ncheck = 'orphaned-rows'\nsubject = 'a'\nreason = ' '": "allow[0].reason: is empty",
    "[[allow]]\ncheck = 'orphaned-rows'\nsubject = 'a'": "allow[0].reason: is missing",
    "[[allow]]\ncheck = 'orphaned-rows'\nsubject = 'a'\nreason = 'x'\nunitl = 1": (
        "allow[0].unitl: unknown key; did you mean 'until'?"
    ),
    "[[allow]]\ncheck = 'orphaned-rows'\nsubject = 'a'\nreason = 'x'\nuntil = '2027-06-30'": (
        "allow[0].until: expected a date such as 2027-06-30, without quotes and time, found text"
    ),
    "[[allow]]\ncheck = 'orphaned-rows'\nsubject = 'a'\nreason = 'x'\nuntil = 2027-06-30T10:00:00": (
        "allow[0].until: expected a date such as 2027-06-30, without quotes and time, found a date or time"
    ),
    "severity.orphaned-rows = 'warn'": "severity.orphaned-rows: 'warn' is not a severity; did you mean 'warning'?",
}


@pytest.mark.parametrize(("text", "message"), FAULTS.items(), ids=range(len(FAULTS)))
def test_each_fault_has_its_place_and_its_sentence(text: str, message: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, text).message == f"dbproof.toml: {message}"


def test_all_faults_are_told_at_once_those_of_flags_too(tmp_path: Path) -> None:
    error = refusal(tmp_path, "compar = 'x'\nshow_values = 'yes'\n[databases.shop]\nversion = 16\n", fail_on="eror")
    assert error.message.splitlines() == [
        "dbproof.toml: show_values: expected true or false, found text",
        "dbproof.toml: databases.shop.version: expected text, found a number; put it in quotes",
        "dbproof.toml: compar: unknown key; did you mean 'compare'?",
        "--fail-on: 'eror' is not a severity to fail on; did you mean 'error'?",
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("fail_on = \n", "1:11"),
        ("a = 1\nb = = 2\n", "2:5"),
        ("a = 1\n\n[x", "3:3"),
        ('a = """x', "1:9"),
        ("a = 1\na = 2\n", "2:6"),
    ],
)
def test_what_is_no_toml_has_a_line_and_a_column(text: str, place: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, text).message.startswith(f"dbproof.toml:{place}: not TOML: ")


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "dbproof.toml").write_bytes("compare = 'für'".encode("latin-1"))
    assert refusal(tmp_path).message == "dbproof.toml: is not UTF-8 (byte 12)"


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "dbproof.toml").write_bytes(b"\xef\xbb\xbffail_on = 'never'\r\n")
    assert loaded(tmp_path).settings.fail_on == "never"


def test_a_directory_in_the_file_s_place(tmp_path: Path) -> None:
    (tmp_path / "dbproof.toml").mkdir()
    assert refusal(tmp_path).message == "dbproof.toml: is a directory, expected a file"


def test_a_dangling_link_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "dbproof.toml").symlink_to(tmp_path / "gone")
    assert refusal(tmp_path).message == "dbproof.toml: cannot be read: no such file or directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "dbproof.toml").touch(stat.S_IWUSR)
    assert refusal(tmp_path).message == "dbproof.toml: cannot be read: permission denied"


def test_a_config_file_that_is_not_there(tmp_path: Path) -> None:
    missing = tmp_path / "ci.toml"
    assert refusal(tmp_path, config=str(missing)).message == f"{missing}: no such settings file"


def test_a_root_that_is_not_there_or_no_directory(tmp_path: Path) -> None:
    missing, file = tmp_path / "gone", tmp_path / "file"
    file.touch()
    assert refusal(missing).message == f"{missing}: no such file or directory; expected the repository's root"
    assert refusal(file).message == f"{file}: is a file; expected the repository's root"
    assert "file name too long" in refusal(tmp_path / ("x" * 5000)).message


def test_two_files_contradict_each_other(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.dbproof]\n")
    error = refusal(tmp_path, "")
    assert error.message == "dbproof.toml and [tool.dbproof] in pyproject.toml: both hold settings"
    assert "--config" in error.remedy


def test_faults_of_pyproject_have_its_key_path(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.dbproof]\nfail_on = 'eror'\n")
    assert refusal(tmp_path).message == (
        "pyproject.toml: tool.dbproof.fail_on: 'eror' is not a severity to fail on; did you mean 'error'?"
    )
    (tmp_path / "pyproject.toml").write_text("[tool]\ndbproof = 1\n")
    assert refusal(tmp_path).message == "pyproject.toml: tool.dbproof: expected a table"


def test_a_named_pyproject_without_our_section(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    file = tmp_path / "pyproject.toml"
    assert refusal(tmp_path, config=str(file)).message == f"{file}: has no [tool.dbproof]"


WORDS = (
    "fail_on severity databases shop migrations tool command env expect references no_rows queries sql limit category data load"
)
MORE = "url_env disposable version image transaction preload before pass_env timeout compare report_dir show_values"
KEYS = some.text(max_size=10) | some.sampled_from([*WORDS.split(), *MORE.split()])
TOML = some.recursive(
    some.none().map(lambda _: 0)
    | some.booleans()
    | some.integers()
    | some.floats()
    | some.text(max_size=20)
    | some.sampled_from([date(2027, 6, 30), datetime(2027, 6, 30, 12), time(12)])
    | some.sampled_from(["alembic", "command", "200ms", "a.b -> c.d", "error", "{url}", "postgres:16", "16"]),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=300, deadline=None)
@given(some.dictionaries(KEYS, TOML, max_size=6))
def test_no_document_breaks_validation(document: dict[str, Any]) -> None:
    value, faults = settings_from(document)
    assert (value is None) <= bool(faults)
    for fault in faults:
        assert str(fault)
        assert "pydantic" not in str(fault)
    if not faults:
        assert isinstance(value, Settings)


@settings(max_examples=200, deadline=None)
@given(some.binary(max_size=60) | some.text(max_size=60).map(lambda text: text.encode()))
def test_no_bytes_break_loading(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    root = tmp_path_factory.mktemp("root")
    (root / "dbproof.toml").write_bytes(data)
    with suppress(UsageError):
        loaded(root)


def test_a_deeply_nested_file(tmp_path: Path) -> None:
    assert refusal(tmp_path, f"a = {'[' * 50_000}").message.startswith("dbproof.toml: nested too deeply")
