"""Writes docs/checks.md from the checks' docstrings; with ``--check`` only says whether it is up to date (exit 1 if not)."""

from __future__ import annotations

import sys
from pathlib import Path

from checks.documentation import page

PAGE = Path(__file__).with_name("checks.md")


def main() -> None:
    """Write or check the page."""
    wanted = page()
    if sys.argv[1:] == ["--check"]:
        if not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != wanted:
            sys.exit("docs/checks.md is not what the checks say: run `make docs`")
    else:
        PAGE.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
