"""The page about MongoDB says nothing that the settings would not take: every snippet of it is loaded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from checks.registries.documents import DOCUMENTS
from runner.migrations import python_files
from runner.migrations.interface import Project
from runner.planning import expectations
from runner.settings.load import load
from runner.settings.model import MigrationSettings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "mongodb.md").read_text("utf-8")


def snippets(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("number", range(len(snippets("toml"))))
def test_each_settings_snippet_loads(number: int, tmp_path: Path) -> None:
    (tmp_path / "dbproof.toml").write_text(snippets("toml")[number], "utf-8")
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "companies.json").write_text('{"required": ["company_name"]}')
    loaded = load(tmp_path, {}, {}, detecting=False)
    settings = loaded.settings.databases["docs"]
    found = expectations(settings, loaded.source("docs")).documents
    assert len(found.validators) == len(settings.expect.schemas)
    assert len(found.references) == len(settings.expect.references)
    assert len(found.queries) == len(settings.queries)


def test_the_page_shows_every_key_of_a_document_database() -> None:
    together = "\n".join(snippets("toml"))
    keys = ("schemas", "references", "indexes", "unique", "sparse", "partial", "expire_after", "collation", "hidden", "find")
    assert [key for key in (*keys, "pipeline", "examined", "load", "version") if key not in together] == []


def test_the_migration_is_one(tmp_path: Path) -> None:
    (text,) = snippets("python")
    (tmp_path / "0001_companies.py").write_text(text, "utf-8")
    project = Project(tmp_path, tmp_path, MigrationSettings(tool="python"), tmp_path)
    assert [one.title for one in python_files.revisions(project)] == ["Companies, each under a name of its own."]


def test_the_page_names_every_check() -> None:
    assert [check for check in DOCUMENTS if f"[{check}](checks.md#{check})" not in PAGE] == []
