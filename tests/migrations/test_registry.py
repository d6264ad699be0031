"""Every migration tool has an adapter, a word in the settings and a line in the README."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.migrations.registry import ADAPTERS
from runner.settings.model import TOOLS

README = Path(__file__).parents[2] / "README.md"


def test_the_words_of_the_settings_are_the_adapters() -> None:
    assert sorted(ADAPTERS) == sorted(TOOLS), "ADAPTERS in runner/migrations/registry.py, Tool in runner/settings/model.py"


@pytest.mark.parametrize("tool", sorted(set(TOOLS) - {"declared"}))
def test_each_undoes_migrations_or_says_why_it_cannot(tool: str) -> None:
    adapter = ADAPTERS[tool]
    assert hasattr(adapter, "rehearse") or hasattr(adapter, "NO_WAY_BACK")


@pytest.mark.parametrize("tool", TOOLS)
def test_the_readme_says_what_is_run(tool: str) -> None:
    assert f"| `{tool}` | " in README.read_text("utf-8"), "add a line to the README's table of tools"
