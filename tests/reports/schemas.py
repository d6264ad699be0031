"""Finds the published schemas that reports are validated against."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).resolve().parents[2]
JUNIT = ("junit-jenkins-10.xsd", "junit-windyroad.xsd")


def schemas() -> Path:
    """Their directory: ``DBPROOF_SCHEMAS``, or beside the repository. Without it tests are skipped; under CI they fail."""
    directory = Path(os.environ.get("DBPROOF_SCHEMAS") or _ROOT.parent / "shared" / "schemas")
    if not directory.is_dir():
        reason = f"{directory} is missing: name the directory of the JUnit schemas in DBPROOF_SCHEMAS"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return directory


@cache
def junit_schema(name: str) -> Any:
    """A compiled XML Schema."""
    import xmlschema

    return xmlschema.XMLSchema(schemas() / name)
