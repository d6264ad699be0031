"""What docs/references.md shows is accepted as it stands there, and means what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from checks.declared.candidates import CheckCandidate, NotNullCandidate, UniqueCandidate
from checks.declared.expectations import Expectations
from checks.declared.references import ExpectedReference
from runner.across.gathering import declared
from runner.planning import expectations
from runner.settings.load import Loaded, load

PAGE = (Path(__file__).parents[2] / "docs" / "references.md").read_text("utf-8")
SNIPPETS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def loaded(root: Path, snippet: str) -> Loaded:
    (root / "dbproof.toml").write_text(snippet, "utf-8")
    return load(root, {}, {}, checks=("undeclared-reference",), detecting=False)


def expected(root: Path, snippet: str) -> Expectations:
    found = loaded(root, snippet)
    return expectations(found.settings.databases["shop"], found.source("shop"))


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_a_snippet_is_accepted(snippet: str, tmp_path: Path) -> None:
    assert loaded(tmp_path, snippet)


def test_the_forms_of_references_are_what_the_page_says(tmp_path: Path) -> None:
    found = expected(tmp_path, SNIPPETS[0])
    assert [(bool(one.on_delete), len(one.columns), one.undeclared, one.where) for one in found.references] == [
        (True, 1, False, ""),
        (False, 2, False, ""),
        (False, 1, True, ""),
        (False, 1, False, "users.deleted_at is null"),
    ]
    assert [kind.label for kind in found.polymorphic[0].kinds] == ["Post: posts.id", "Photo: photos.id"]


def test_references_between_databases_know_their_line(tmp_path: Path) -> None:
    found = declared(loaded(tmp_path, SNIPPETS[2]))
    assert [one.label for one in found] == re.findall(r'"(\w+:.*?)"', SNIPPETS[2])
    assert {str(one.place) for one in found} == {"dbproof.toml:1"}


def test_candidates_are_what_the_page_says(tmp_path: Path) -> None:
    kinds = (CheckCandidate, NotNullCandidate, UniqueCandidate, UniqueCandidate, ExpectedReference)
    assert [type(one) for one in expected(tmp_path, SNIPPETS[3]).audit] == list(kinds)
