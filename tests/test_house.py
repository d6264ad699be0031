"""The rules that keep the house a house: who may import whom, and who may start programs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(path.relative_to(ROOT).as_posix() for package in ("checks", "runner") for path in (ROOT / package).rglob("*.py"))
#: Who starts programs: servers, the user's programs, git.
STARTERS = ("runner/servers/", "runner/children.py", "runner/git.py")
#: What reports are made from, beside other reports.
REPORTS_MAY = (
    *("runner.report", "runner.reports", "runner.errors", "runner.text", "runner.stream"),
    *("checks.interface", "checks.evidence"),
)


def imported(module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def ours(module: str) -> list[str]:
    return [name for name in imported(module) if name.split(".")[0] in ("checks", "runner")]


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith("checks/")])
def test_checks_know_nothing_of_the_runner(module: str) -> None:
    assert [name for name in imported(module) if within(name, ("runner",))] == []


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith("runner/reports/")])
def test_reports_are_made_from_the_report_alone(module: str) -> None:
    strange = [name for name in ours(module) if not within(name, REPORTS_MAY) and name != "runner.__version__"]
    assert strange == []


@pytest.mark.parametrize("module", [module for module in MODULES if not module.startswith(STARTERS)])
def test_only_servers_children_and_git_start_programs(module: str) -> None:
    assert [name for name in imported(module) if within(name, ("subprocess", "pty", "multiprocessing"))] == []


def test_the_rules_see_what_they_forbid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wrong.py").write_text("import subprocess\nfrom runner.report import Report\n")
    monkeypatch.setattr("test_house.ROOT", tmp_path)
    assert list(imported("wrong.py")) == ["subprocess", "runner.report.Report"]
