"""The example repositories as their tests use them: a copy, a run of dbproof on it, and what a fault must turn red."""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standing import completed

EXAMPLES = Path(__file__).parents[1] / "examples"
_LEVELS = ("error", "warning", "notice")


@dataclass(frozen=True)
class Run:
    """What came of ``dbproof run``: the exit code, the report, and what was said."""

    code: int
    report: dict[str, Any]
    said: str

    @property
    def checks(self) -> list[dict[str, Any]]:
        """The checks of all databases."""
        return [check for database in self.report["databases"] for check in database["checks"]]

    def check(self, name: str) -> dict[str, Any]:
        """The check of that id."""
        return next(check for check in self.checks if check["id"] == name)

    def findings(self, *severities: str) -> list[tuple[str, dict[str, Any]]]:
        """Each finding of one of these severities that the example does not allow, with the id of its check."""
        return [
            (check["id"], finding)
            for check in self.checks
            for finding in check["findings"]
            if finding["severity"] in severities and finding["state"] != "allowed"
        ]

    def prove_that_checks_can_fail(self) -> None:
        """Hold that faults were planted in every database, and that the checks found them all."""
        for database in self.report["databases"]:
            proof = database["selftest"]
            assert proof["planted"] > 0, self.said
            assert [fault for fault in proof["faults"] if fault["state"] == "missed"] == []
            assert proof["score"] == 1


#: Runs dbproof on a copy of an example.
Proving = Callable[[Path], Run]


@dataclass(frozen=True)
class Fault:
    """A folder that is laid over a clean example."""

    folder: Path

    @property
    def expect(self) -> dict[str, Any]:
        """What its ``expect.toml`` says that dbproof must report."""
        return tomllib.loads((self.folder / "expect.toml").read_text("utf-8"))


@dataclass(frozen=True)
class Example:
    """One repository of ``examples/``."""

    name: str

    @property
    def folder(self) -> Path:
        """Where it stands."""
        return EXAMPLES / self.name

    @property
    def faults(self) -> list[str]:
        """The names of its faults."""
        return sorted(path.name for path in (self.folder / "faults").iterdir())

    def fault(self, name: str) -> Fault:
        """The fault of that name."""
        return Fault(self.folder / "faults" / name)

    def lay(self, place: Path, fault: str | None = None) -> Path:
        """A copy outside of every git repository: nothing to compare with, so all is judged."""
        copy = Path(shutil.copytree(self.folder, place / self.name, ignore=shutil.ignore_patterns("faults", "__pycache__")))
        if fault is not None:
            shutil.copytree(self.fault(fault).folder, copy, dirs_exist_ok=True)
        return copy

    def prove_clean(self, place: Path, proving: Proving | None = None) -> Run:
        """Run dbproof on a copy (as ``proving`` does), and hold that it found no error and no warning."""
        run = (proving or run_with_faults)(self.lay(place))
        assert run.code == 0, run.said
        run.prove_that_checks_can_fail()
        assert run.report["verdict"] == "go"
        assert run.findings("error", "warning") == [], run.said
        return run

    def prove_fault(self, name: str, place: Path, proving: Proving | None = None) -> Run:
        """Run dbproof on a copy with a fault, and hold that it is found at its file and line, and nothing else beside."""
        copy, expect = self.lay(place, name), self.fault(name).expect
        run = (proving or run_on)(copy)
        assert run.code == expect["exit"], run.said
        assert run.report["verdict"] == "no-go"
        found = [finding for check, finding in run.findings(*_failing(copy)) if check == expect["check"]]
        # Once in a database: one history may make several (the shop's makes one of each engine).
        databases = [
            one["name"]
            for one in run.report["databases"]
            for check in one["checks"]
            if check["id"] == expect["check"]
            for finding in check["findings"]
            if finding in found
        ]
        assert len(databases) == len(set(databases)), run.said
        assert {finding["subject"] for finding in found} == {expect["subject"]}, run.said
        places = {(finding["provenance"]["file"], finding["provenance"]["line"]) for finding in found}
        assert places == {(expect["file"], _expected_line(copy, expect))}, places
        (place_found,) = places
        assert expect["subject"] in run.said
        assert "{}:{}".format(*place_found) in run.said
        assert {check for check, _ in run.findings("error")} - {expect["check"]} == set(expect.get("also", [])), run.said
        return run


def examples() -> list[Example]:
    """Every example that there is."""
    return [Example(path.parent.name) for path in sorted(EXAMPLES.glob("*/faults"))]


def run_with_faults(copy: Path) -> Run:
    """``dbproof run`` with the self-proof that it has by itself."""
    return run_on(copy, selftest="sample")


def run_on(copy: Path, *, selftest: str = "off") -> Run:
    """``dbproof run`` as a user starts it, with none of the settings that the tests' own surroundings may hold.

    Without a self-proof, which costs time, unless one is asked for.
    """
    environment = {"DBPROOF_SELFTEST": selftest} | {
        name: value for name, value in os.environ.items() if not name.startswith(("DBPROOF_", "GITHUB_", "INPUT_", "CI_"))
    }
    if cache := os.environ.get("DBPROOF_CACHE"):
        environment["DBPROOF_CACHE"] = cache
    arguments = ["run", str(copy), "--report-dir", str(copy.parent / "report")]
    ended = completed(arguments, env=environment, cwd=copy.parent, timeout=300)
    said = ended.stdout + ended.stderr
    report = copy.parent / "report" / "report.json"
    assert report.is_file(), said
    return Run(ended.returncode, json.loads(report.read_text("utf-8")), said)


def _failing(copy: Path) -> tuple[str, ...]:
    """The severities that fail this run."""
    fail_on = tomllib.loads((copy / "dbproof.toml").read_text("utf-8")).get("fail_on", "error")
    return _LEVELS[: _LEVELS.index(fail_on) + 1]


def _expected_line(copy: Path, expect: dict[str, Any]) -> int:
    lines = (copy / expect["file"]).read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if expect["marker"] in line)
