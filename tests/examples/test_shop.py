"""The shop comes out clean, and each of its faults is found at its file and line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from checks.relational import RELATIONAL

SHOP = Path(__file__).parents[2] / "examples" / "shop"
FAULTS = sorted(path.name for path in (SHOP / "faults").iterdir())
#: Checks that have no fault here: their own tests show what they find.
WITHOUT_FAULT = {"superuser-migration", "load-refused"}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A copy outside of every git repository: nothing to compare with, so all is judged."""
    return Path(shutil.copytree(SHOP, tmp_path / "shop", ignore=shutil.ignore_patterns("faults", "__pycache__")))


def run(shop: Path) -> tuple[int, dict[str, Any], str]:
    """The exit code, the report and the output of ``dbproof run`` as a user starts it."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("DBPROOF_", "GITHUB_", "INPUT_", "CI_"))
    }
    if cache := os.environ.get("DBPROOF_CACHE"):
        environment["DBPROOF_CACHE"] = cache
    command = [str(Path(sys.executable).with_name("dbproof")), "run", str(shop), "--report-dir", str(shop.parent / "report")]
    ended = subprocess.run(command, env=environment, cwd=shop.parent, check=False, capture_output=True, text=True, timeout=300)
    said = ended.stdout + ended.stderr
    report = shop.parent / "report" / "report.json"
    assert report.is_file(), said
    return ended.returncode, json.loads(report.read_text("utf-8")), said


def findings(report: dict[str, Any], *severities: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (check["id"], finding)
        for database in report["databases"]
        for check in database["checks"]
        for finding in check["findings"]
        if finding["severity"] in severities
    ]


def failing(shop: Path) -> list[str]:
    """The severities that fail this run."""
    levels = ["error", "warning", "notice"]
    fail_on = tomllib.loads((shop / "dbproof.toml").read_text("utf-8")).get("fail_on", "error")
    return levels[: levels.index(fail_on) + 1]


def expected_line(shop: Path, expect: dict[str, Any]) -> int:
    lines = (shop / expect["file"]).read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if expect["marker"] in line)


def test_the_shop_is_clean(shop: Path) -> None:
    code, report, said = run(shop)
    assert code == 0, said
    assert report["verdict"] == "go"
    assert findings(report, "error", "warning") == []
    outcomes = {check["id"]: check["outcome"] for check in report["databases"][0]["checks"]}
    assert {check: outcome for check, outcome in outcomes.items() if outcome != "passed"} == {"unindexed-foreign-key": "failed"}
    assert len(report["databases"][0]["migrations"]) == 10


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_at_its_line(fault: str, shop: Path) -> None:
    shutil.copytree(SHOP / "faults" / fault, shop, dirs_exist_ok=True)
    expect = tomllib.loads((shop / "expect.toml").read_text("utf-8"))
    code, report, said = run(shop)
    assert code == expect["exit"], said
    assert report["verdict"] == "no-go"
    found = [finding for check, finding in findings(report, *failing(shop)) if check == expect["check"]]
    assert [finding["subject"] for finding in found] == [expect["subject"]]
    place = found[0]["provenance"]
    assert (place["file"], place["line"]) == (expect["file"], expected_line(shop, expect))
    assert expect["subject"] in said
    assert f"{place['file']}:{place['line']}" in said
    others = {check for check, _ in findings(report, "error")} - {expect["check"]}
    assert not others, said


def test_every_check_has_a_fault() -> None:
    expects = [tomllib.loads((SHOP / "faults" / fault / "expect.toml").read_text("utf-8")) for fault in FAULTS]
    without = RELATIONAL.keys() - {expect["check"] for expect in expects}
    assert without == WITHOUT_FAULT, "add a folder to examples/shop/faults/, or the check to WITHOUT_FAULT"
    assert all(set(expect) == {"say", "check", "subject", "file", "marker", "exit"} for expect in expects)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_changes_no_setting_but_when_to_fail(fault: str) -> None:
    settings = SHOP / "faults" / fault / "dbproof.toml"
    if settings.is_file():
        clean = (SHOP / "dbproof.toml").read_text("utf-8")
        lowered = [f'fail_on = "{severity}"\n\n{clean}' for severity in ("warning", "notice")]
        assert settings.read_text("utf-8") in lowered, 'shop/dbproof.toml with fail_on = "…" and an empty line before it'


def test_the_readme_names_every_fault() -> None:
    readme = (SHOP.parent / "README.md").read_text("utf-8")
    assert [fault for fault in FAULTS if f"| `{fault}`" not in readme] == [], "add a line to the table in examples/README.md"
