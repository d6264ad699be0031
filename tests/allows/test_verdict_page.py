"""What docs/verdict.md shows can be used as it stands, and what it names is what the reports name."""

from __future__ import annotations

import re
from pathlib import Path

from checks.interface import Engine
from checks.registries.every import CHECKS
from runner.allows.comments import remarks
from runner.allows.words import allows_of
from runner.settings.initial import text
from runner.settings.load import load
from runner.settings.surface import FailOn
from runner.verdict import criteria

PAGE = (Path(__file__).parents[2] / "docs" / "verdict.md").read_text("utf-8")


def snippets(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_settings_of_the_page_load(tmp_path: Path) -> None:
    (snippet,) = snippets("toml")
    (tmp_path / "dbproof.toml").write_text(snippet)
    (allow,) = load(tmp_path, {}, {}).settings.allow
    assert (allow.check, str(allow.until)) == ("unindexed-foreign-key", "2027-06-30")


def test_the_example_of_the_first_settings_file_loads(tmp_path: Path) -> None:
    example = text(tmp_path).split("# [[allow]]")[1]
    lines = [line.removeprefix("# ") for line in example.splitlines() if " = " in line]
    (tmp_path / "dbproof.toml").write_text("\n".join(["[[allow]]", *lines]))
    (allow,) = load(tmp_path, {}, {}).settings.allow
    assert allow.until is not None


def test_the_comments_of_the_page_are_heeded() -> None:
    for name, (snippet,) in (("a.sql", snippets("sql")), ("a.py", snippets("python"))):
        (remark,) = remarks(name, snippet.encode(), Engine.POSTGRESQL)
        (allow,) = allows_of(remark, name, CHECKS)
        assert (allow.fault, bool(allow.reason)) == ("", True)


def test_the_criteria_of_the_page_are_those_of_the_verdict_in_their_order() -> None:
    assert re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE) == [one.id for one in criteria((), (), FailOn.ERROR)]


def test_the_command_of_the_page_names_options_that_there_are() -> None:
    from runner.cli.application import parse

    (line,) = [line for line in PAGE.splitlines() if line.startswith("$ dbproof allow")]
    words = re.findall(r'"([^"]*)"|(\S+)', line.removeprefix("$ dbproof "))
    assert callable(parse([quoted or word for quoted, word in words]))
