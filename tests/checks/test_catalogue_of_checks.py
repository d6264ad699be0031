"""A check's id is its file's name, its anchor, its test; and its documentation is complete and up to date."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from checks.documentation import AREAS, BLOCKS, area_of, page
from checks.interface import Check, Engine, Need, Severity
from checks.registries.every import CHECKS, modules

ROOT = Path(__file__).parents[2]
#: Packages that hold no checks but what checks are made with.
OTHERS = {
    "declared", "faults", "jsonschema", "pipelines", "probing", "registries", "rows", "rulebook", "schema", "sql", "tenants",
}  # fmt: skip
MODULES = [(identifier, check) for identifier in CHECKS for check in modules(identifier)]
GENERATE = [sys.executable, "docs/generate.py"]


def test_every_file_of_a_check_is_registered_under_its_name() -> None:
    families = [folder for folder in (ROOT / "checks").iterdir() if folder.is_dir() and folder.name not in OTHERS]
    files = [file for folder in families for file in folder.glob("*.py") if file.name != "__init__.py"]
    assert sorted(file.stem.replace("_", "-") for file in files) == sorted(identifier for identifier, _ in MODULES)


@pytest.mark.parametrize(("identifier", "check"), MODULES)
def test_an_id_stands_for_its_module_and_has_a_test(identifier: str, check: object) -> None:
    assert isinstance(check, ModuleType)
    assert check.__name__.rpartition(".")[2] == identifier.replace("-", "_")
    shared = len(modules(identifier)) > 1 and check.__name__.startswith("checks.documents.")
    test = f"test_{identifier.replace('-', '_')}{'_of_documents' if shared else ''}.py"
    assert list((ROOT / "tests" / "checks").rglob(test)), f"write {test} in the folder of tests/checks/ that its package has"


@pytest.mark.parametrize("identifier", CHECKS)
def test_the_readme_names_every_check_once(identifier: str) -> None:
    link = f"[{identifier}](docs/checks.md#{identifier})"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.count(link) == 1, "add it to its area in the README's table of checks"


@pytest.mark.parametrize(("identifier", "check"), MODULES)
def test_the_page_lists_every_check_in_its_area_and_describes_it(identifier: str, check: Check[Any]) -> None:
    assert area_of(check) in AREAS, "add the package to AREAS in checks/documentation.py"
    listed, _, described = page().partition("## Each check")
    assert f"| [{identifier}](#{identifier}) | {check.SEVERITY}" in listed
    assert f"### {identifier}\n" in described


@pytest.mark.parametrize(("identifier", "check"), MODULES)
def test_a_docstring_has_both_blocks_with_an_example_each(identifier: str, check: Check[Any]) -> None:
    text = check.__doc__ or ""
    for block in BLOCKS:
        assert re.search(rf"^{re.escape(block)}\n\n```\w+\n.+?\n```$", text, re.MULTILINE | re.DOTALL), f"{identifier}: {block}"
    assert re.match(r"[A-Z][^\n]*\.\n\nProves\b", text), f"{identifier}: one sentence, then what it proves"


@pytest.mark.parametrize(("identifier", "check"), MODULES)
def test_constants_are_what_they_are_called(identifier: str, check: Check[Any]) -> None:
    assert check.SEVERITY is CHECKS[identifier].SEVERITY, "an id weighs the same whatever it judges"
    assert isinstance(check.SEVERITY, Severity)
    assert check.ENGINES
    assert all(isinstance(engine, Engine) for engine in check.ENGINES)
    assert all(isinstance(need, Need) for need in check.NEEDS)
    assert check.SUBJECTS
    assert check.PROVES


def test_the_page_is_up_to_date_and_has_an_anchor_for_each_check() -> None:
    assert (ROOT / "docs" / "checks.md").read_text(encoding="utf-8") == page(), "run `make docs`"
    assert re.findall(r"^### (.+)$", page(), re.MULTILINE) == sorted(CHECKS)


def test_the_generator_tells_a_stale_page_from_a_current_one(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "generate.py").write_bytes((ROOT / "docs" / "generate.py").read_bytes())
    assert subprocess.run([*GENERATE, "--check"], cwd=tmp_path, timeout=60, check=False, capture_output=True).returncode == 1
    subprocess.run(GENERATE, cwd=tmp_path, timeout=60, check=True)
    subprocess.run([*GENERATE, "--check"], cwd=tmp_path, timeout=60, check=True)


def test_the_command_line_imports_no_check() -> None:
    heavy = ("checks.registries.relational", "checks.registries.documents", "sqlalchemy")
    code = f"import sys, runner.cli; sys.exit(any(name.startswith({heavy!r}) for name in sys.modules))"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60, check=True)
