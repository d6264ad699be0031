"""One table: file key = environment = flag = input, and who wins."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from runner.cli.application import parse
from runner.cli.session import Session
from runner.errors import Exit, UsageError
from runner.redaction import Redactor
from runner.settings.given import given, refuse_strangers
from runner.settings.model import Settings
from runner.settings.surface import SURFACE, URL_ENV, FailOn, Kind, Row, markdown_table

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))

FILED = [row for row in SURFACE if row.key]


def shown_help(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert parse([*arguments, "--help"])(Session({}, Redactor())) is Exit.HELD
    return " ".join(capsys.readouterr().out.split())


def test_every_file_key_is_a_setting_and_has_the_same_default() -> None:
    assert {row.key for row in FILED} == Settings.model_fields.keys() - {"severity", "allow", "references", "databases"}
    for row in FILED:
        default = Settings.model_fields[row.name].default
        assert row.default == (
            {False: "false", None: "what the CI system says"}[default] if default in (False, None) else str(default)
        )


def test_choices_are_the_model_s() -> None:
    assert next(row for row in SURFACE if row.name == "fail_on").choices == tuple(FailOn)


def test_examples_load() -> None:
    for row in FILED:
        assert Settings.model_validate({row.name: row.example == "true" if row.kind is Kind.SWITCH else row.example})


def test_run_offers_exactly_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown_help(capsys, "run")
    for row in SURFACE:
        assert row.help in text
        for name in (row.flag, *row.aliases):
            assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text), name
    flags = {flag for row in SURFACE for flag in (row.flag, *row.aliases)}
    assert set(re.findall(r"(?<![\w-])--[a-z-]+", text)) == (flags - {"PATH"}) | {"--no-show-values", "--help"}


@pytest.mark.parametrize("command", ["check", "up", "init"])
def test_other_commands_say_the_same_of_the_same_option(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = shown_help(capsys, command)
    offered = [row for row in SURFACE if re.search(rf"(?<![\w-]){re.escape(row.flag)}(?![\w-])", text)]
    assert offered
    for row in offered:
        assert row.help in text


def test_inputs_of_the_action_are_the_table() -> None:
    inputs = ACTION["inputs"]
    rows = (*SURFACE, URL_ENV)
    assert {name: entry["description"] for name, entry in inputs.items()} == {row.input: row.help for row in rows if row.input}
    assert len(inputs) <= 12
    for name, entry in inputs.items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name)
        assert "default" not in entry
    assert ACTION["runs"] == {"using": "docker", "image": "Dockerfile"}


def test_readme_holds_the_table_between_its_markers() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    between = re.findall(r"<!-- surface -->\n(.*?)<!-- /surface -->", readme, re.DOTALL)
    assert between, "README.md needs the markers <!-- surface --> and <!-- /surface -->"
    assert [text.strip() for text in between] == [markdown_table().strip()]


def test_the_table_has_a_line_for_each_setting() -> None:
    lines = markdown_table().splitlines()
    assert len(lines) == len(SURFACE) + 2
    assert len({line.count(" | ") for line in lines}) == 1
    assert "| `fail_on` | `DBPROOF_FAIL_ON` | `--fail-on` | `fail-on` | `error` |" in markdown_table()


def values(arguments: dict[str, object], environment: dict[str, str]) -> dict[str, tuple[object, str]]:
    return {name: (value.value, value.origin) for name, value in given(arguments, environment).items()}


@pytest.mark.parametrize("row", [row for row in SURFACE if row.variable], ids=lambda row: row.name)
def test_flag_before_input_before_environment(row: Row) -> None:
    texts = ("true", "false", "false") if row.kind is Kind.SWITCH else ("one", "two", "three")
    flag, fed, exported = ((text == "true", text) if row.kind is Kind.SWITCH else (text, text) for text in texts)
    environment = {str(row.variable): exported[1]}
    assert values({}, environment) == {row.name: (exported[0], row.variable)}
    if row.input:
        environment |= {str(row.input_variable): fed[1], "GITHUB_ACTIONS": "true"}
        assert values({}, environment) == {row.name: (fed[0], f"input {row.input}")}
    assert values({row.name: flag[0]}, environment) == {row.name: (flag[0], row.flag)}


def test_empty_values_and_inputs_elsewhere_count_for_nothing() -> None:
    assert values({"fail_on": None}, {"DBPROOF_FAIL_ON": " "}) == {}
    assert values({}, {"INPUT_FAIL-ON": "never", "INPUT_WHATEVER": "1"}) == {}
    assert values({}, {"GITHUB_ACTIONS": "true", "INPUT_FAIL-ON": "", "INPUT_ARGS": "run", "DBPROOF_CACHE": "/c"}) == {}


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"DBPROOF_FAILON": "x"}, "DBPROOF_FAILON: no such setting; did you mean 'DBPROOF_FAIL_ON'?"),
        ({"GITHUB_ACTIONS": "true", "INPUT_FAIL_ON": "x"}, "input fail_on: no such input; did you mean 'fail-on'?"),
        ({"DBPROOF_SHOW_VALUES": "maybe"}, "DBPROOF_SHOW_VALUES: expected 'true' or 'false', found something else"),
        (
            {"GITHUB_ACTIONS": "true", "INPUT_ALL": "perhaps", "DBPROOF_COMPAR": "main"},
            "DBPROOF_COMPAR: no such setting; did you mean 'DBPROOF_COMPARE'?\n"
            "input all: expected 'true' or 'false', found something else",
        ),
    ],
)
def test_what_is_wrong_outside_the_file(environment: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as wrong:
        given({}, environment)
    assert wrong.value.message == message


def test_an_empty_argument_is_no_argument_that_was_left_out() -> None:
    with pytest.raises(UsageError, match=r"^--compare: is empty; expected something like 'main'$"):
        given({"compare": ""}, {})


TARGET = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request_target"}


def test_code_of_strangers_is_refused_where_secrets_are_in_reach() -> None:
    with pytest.raises(UsageError, match=r"^the event is pull_request_target: ") as refused:
        refuse_strangers({}, TARGET)
    assert "on: pull_request" in refused.value.remedy
    with pytest.raises(UsageError):
        refuse_strangers({}, {**TARGET, "INPUT_ALLOW-PULL-REQUEST-TARGET": "false"})


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        ({}, {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request"}),
        ({}, {"GITHUB_EVENT_NAME": "pull_request_target"}),
        ({}, {**TARGET, "INPUT_ALLOW-PULL-REQUEST-TARGET": "true"}),
        ({}, {**TARGET, "DBPROOF_ALLOW_PULL_REQUEST_TARGET": "1"}),
        ({"allow_pull_request_target": True}, TARGET),
    ],
)
def test_elsewhere_and_where_it_is_allowed_nothing_is_refused(arguments: dict[str, object], environment: dict[str, str]) -> None:
    refuse_strangers(arguments, environment)


def test_the_settings_file_of_the_change_cannot_allow_it() -> None:
    (row,) = (row for row in SURFACE if row.name == "allow_pull_request_target")
    assert row.key is None
