"""Settings that are refused: how tests load them, and what they begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.settings.load import Loaded, load

CHECKS = ("orphaned-rows", "unindexed-foreign-key")
SHOP = "databases.shop"
#: The beginning of a document database, to be ended with a brace.
DOCS = "databases.docs = { engine = 'mongodb'"


def loaded(root: Path, text: str | None = None, **arguments: object) -> Loaded:
    if text is not None:
        (root / "dbproof.toml").write_text(text, "utf-8")
    return load(root, arguments, {}, checks=CHECKS, detecting=False)


def refusal(root: Path, text: str | None = None, **arguments: object) -> UsageError:
    with pytest.raises(UsageError) as wrong:
        loaded(root, text, **arguments)
    return wrong.value
