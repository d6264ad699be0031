"""`make demo`: dbproof on a clean example, then on the same example with a fault in it.

Exits 0 only when both verdicts are the expected ones: clean holds, and the fault is found where it was planted.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

EXAMPLES = Path(__file__).parent
EXAMPLE = EXAMPLES / "shop"
FAULT = EXAMPLE / "faults" / "orphaned-rows"
#: Where the reports stay to be looked at, under the current directory.
REPORTS = Path("dbproof-report")


def main() -> int:
    """Run both, show what dbproof shows, and say whether each verdict is the expected one."""
    with tempfile.TemporaryDirectory(prefix="dbproof-demo-") as folder:
        clean, faulty = Path(folder) / "clean", Path(folder) / "faulty"
        lay(clean)
        lay(faulty, FAULT)
        expected = tomllib.loads((FAULT / "expect.toml").read_text(encoding="utf-8"))
        tell("1 of 2", "the shop as it is: everything should hold")
        first = prove(clean) == 0
        tell("2 of 2", expected["say"])
        second = prove(faulty) == expected["exit"] and found(faulty, expected["check"], expected["subject"])
    tell("demo", "both verdicts are the expected ones" if first and second else "a verdict is NOT the expected one")
    return 0 if first and second else 1


def lay(target: Path, fault: Path | None = None) -> None:
    """A copy of the example, with a fault's files laid over it."""
    shutil.copytree(EXAMPLE, target, ignore=shutil.ignore_patterns("faults", "__pycache__", "dbproof-report"))
    if fault is not None:
        shutil.copytree(fault, target, dirs_exist_ok=True)


def prove(project: Path) -> int:
    """Run dbproof as a person would; its exit code."""
    command = [sys.executable, "-m", "runner.cli", "run", str(project), "--base", "nothing"]
    return subprocess.run([*command, "--report-dir", str(REPORTS / project.name)], check=False).returncode


def found(project: Path, check: str, subject: str) -> bool:
    """Whether the report names the planted fault, with a file and a line."""
    report = json.loads((REPORTS / project.name / "report.json").read_text(encoding="utf-8"))
    findings = [
        finding
        for database in report["databases"]
        for judged in database["checks"]
        if judged["id"] == check
        for finding in judged["findings"]
        if finding["subject"] == subject
    ]
    return any(finding["provenance"] and finding["provenance"]["line"] for finding in findings)


def tell(step: str, text: str) -> None:
    """A line between the runs."""
    print(f"\n── {step} ── {text}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
