"""The whole verdict on examples/shop, warm, against its limit of 6 s; and ``dbproof --help`` against its limit of 0.3 s.

`python bench/verdict.py [--runs N]` prints the median of each and its share of the limit, and exits 1 where one is over it. The
first run of each fills caches and is not counted. Python may keep compiled code, which an installed dbproof brings along.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

SHOP = Path(__file__).parents[1] / "examples" / "shop"
VERDICT_LIMIT = 6.0
HELP_LIMIT = 0.3


def seconds(arguments: Sequence[str]) -> float:
    """Wall time of one whole process of dbproof, in seconds; it must end well."""
    command = [str(Path(sys.executable).with_name("dbproof")), *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.perf_counter() - began


def measured(name: str, arguments: Sequence[str], limit: float, runs: int) -> bool:
    """Print the median over ``runs`` and its share of the limit; whether it is within."""
    seconds(arguments)
    median = statistics.median(seconds(arguments) for _ in range(runs))
    print(f"{name}: median {median:.2f} s of {runs} runs, limit {limit:g} s, {median / limit:.2f}x the limit")
    return median <= limit


def main() -> int:
    """Measure both; 1 where a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as reports:
        verdict = ["run", str(SHOP), "--base", "nothing", "--quiet", "--report-dir", reports]
        held = [measured("verdict", verdict, VERDICT_LIMIT, runs), measured("help", ["--help"], HELP_LIMIT, runs)]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
