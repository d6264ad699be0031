"""Each migration tool beside dbproof, as a table: ``make tools``, or ``make tools TOOLS="goose atlas"`` for some of them.

Fetches every tool from its registry, applies one small, mean project with the tool itself and with dbproof's adapter on empty
databases, and compares both through the server's own dump, with rows and the tool's books; then the same after the last
migration was undone. Exits 1 where anything differs. Not part of CI: it builds programs and takes some minutes the first time.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from checks.interface import Engine
from runner.servers.interface import Wanted
from runner.servers.registry import provision
from tools.comparing import Compared, compared
from tools.of_files import SAMPLES as OF_FILES
from tools.of_go import SAMPLES as OF_GO
from tools.of_java import SAMPLES as OF_JAVA
from tools.of_node import SAMPLES as OF_NODE
from tools.of_python import SAMPLES as OF_PYTHON
from tools.samples import Sample

SAMPLES: list[Sample] = [*OF_GO, *OF_FILES, *OF_JAVA, *OF_NODE, *OF_PYTHON]


def main() -> int:
    """Compare the tools that are named, or all of them."""
    parser = argparse.ArgumentParser(prog="make tools", description="Compare migration tools with dbproof's adapters.")
    parser.add_argument("tool", nargs="*", help="its word in the settings")
    named = parser.parse_args().tool
    if strange := set(named) - {sample.tool for sample in SAMPLES}:
        parser.error(f"no such tool: {', '.join(sorted(strange))}")
    results = list[Compared]()
    with provision(Wanted(Engine.POSTGRESQL)) as server:
        print(f"{'tool':34} {'version':12} {'applied':14} undone")
        for sample in SAMPLES:
            if not named or sample.tool in named:
                results.append(compared(sample, server, _cache()))
                _print(results[-1], sample.note)
    return 0 if all(one.well for one in results) else 1


def _print(one: Compared, note: str) -> None:
    print(f"{one.name:34} {one.version:12} {one.outcome:14} {one.undone}{f'   ({note})' if note else ''}", flush=True)
    for line in one.why.splitlines():
        print(f"    {line}", flush=True)


def _cache() -> Path:
    named = os.environ.get("DBPROOF_CACHE")
    root = Path(named) if named else Path(__file__).parents[2] / ".pytest_cache" / "d" / "dbproof"
    return root.resolve() / "published"


if __name__ == "__main__":
    sys.exit(main())
