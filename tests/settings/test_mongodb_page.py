"""The page about MongoDB says nothing that the settings would not take: every snippet of it is loaded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from checks.registries.documents import DOCUMENTS
from runner.across.gathering import declared
from runner.migrations import python_files
from runner.migrations.interface import Project
from runner.planning import expectations
from runner.settings.load import load
from runner.settings.model import MigrationSettings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "mongodb.md").read_text("utf-8")


def snippets(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def lay(root: Path) -> None:
    """The files that the snippets name: the page's own collections, and the program to copy with a model to print."""
    (collections,) = (text for text in snippets("yaml") if text.startswith("# db/collections/billing.yaml"))
    files = {
        "db/collections/billing.yaml": collections,
        "scripts/print_models.py": (ROOT / "docs" / "models" / "print_models.py").read_text("utf-8"),
        "shop/models.py": "from pydantic import BaseModel\n\n\nclass Company(BaseModel):\n    name: str\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text(text, "utf-8")


@pytest.mark.parametrize("number", range(len(snippets("toml"))))
def test_each_settings_snippet_loads(number: int, tmp_path: Path) -> None:
    (tmp_path / "dbproof.toml").write_text(snippets("toml")[number], "utf-8")
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "companies.json").write_text('{"required": ["company_name"]}')
    lay(tmp_path)
    loaded = load(tmp_path, {}, {}, detecting=False)
    settings = loaded.settings.databases["docs"]
    found = expectations(settings, loaded.source("docs")).documents
    in_files, in_models = (bool(settings.expect.files), bool(settings.expect.models))
    assert len(found.validators) == len(settings.expect.schemas) + in_files + in_models
    assert len(found.references) == len(settings.expect.references) + 2 * in_files
    assert len(declared(loaded)) == len(loaded.settings.references)
    assert len(found.queries) == len(settings.queries)


def test_the_page_shows_every_key_of_a_document_database() -> None:
    together = "\n".join(snippets("toml"))
    keys = ("schemas", "references", "indexes", "unique", "sparse", "partial", "expire_after", "collation", "hidden", "find")
    more = ("files", "models", "deletes", "on delete restrict", "pipeline", "examined", "load", "version")
    assert [key for key in (*keys, *more) if key not in together] == []


def test_the_migration_is_one(tmp_path: Path) -> None:
    (text,) = snippets("python")
    (tmp_path / "0001_companies.py").write_text(text, "utf-8")
    project = Project(tmp_path, tmp_path, MigrationSettings(tool="python"), tmp_path)
    assert [one.title for one in python_files.revisions(project)] == ["Companies, each under a name of its own."]


def test_the_page_names_every_check() -> None:
    assert [check for check in DOCUMENTS if f"[{check}](checks.md#{check})" not in PAGE] == []
