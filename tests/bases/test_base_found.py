"""Base is found as each CI system says it, and as it was asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from repositories import Repository

from bases.found import base_of, no_base
from runner.errors import Exit, UsageError
from runner.git import Base, NoBase, find_base

GITHUB = {"GITHUB_ACTIONS": "true"}
GITLAB = {"GITLAB_CI": "true"}
JENKINS = {"JENKINS_URL": "https://ci.example.org/"}
NO_COMMIT = "0" * 40


def event(tmp_path: Path, body: object) -> dict[str, str]:
    path = tmp_path / "event.json"
    path.write_text(body if isinstance(body, str) else json.dumps(body))
    return {"GITHUB_EVENT_PATH": str(path)}


# Asked for by name ---------------------------------------------------------------------------------------------------


def test_a_revision_that_was_asked_for_is_where_the_change_left_it(repo: Repository) -> None:
    left = repo.commit({"a": "1"})
    repo.branch("feature")
    repo.commit({"b": "1"})
    repo.git("checkout", "--quiet", "main")
    repo.commit({"c": "1"})
    repo.git("checkout", "--quiet", "feature")
    assert base_of(repo.root, {}, "main") == Base(left, "main")
    assert base_of(repo.root, {}, "HEAD~1") == Base(left, "HEAD~1")
    assert str(base_of(repo.root, {}, "main")) == f"main {left[:7]}"


def test_a_commit_is_said_once(repo: Repository) -> None:
    commit = repo.git("rev-parse", "HEAD")
    assert str(base_of(repo.root, {}, commit[:10])) == commit[:7]


def test_a_branch_of_origin_needs_no_prefix(repo: Repository, tmp_path: Path) -> None:
    repo.branch("release")
    commit = repo.commit({"a": "1"})
    repo.git("checkout", "--quiet", "main")
    clone = repo.clone(tmp_path / "clone")
    assert base_of(clone.root, {}, "origin/release").commit == base_of(clone.root, {}, "release").commit
    assert clone.git("rev-parse", "origin/release") == commit


def test_an_asked_revision_goes_before_what_ci_says(repo: Repository) -> None:
    first = repo.git("rev-parse", "HEAD")
    repo.commit({"a": "1"})
    second = repo.commit({"a": "2"})
    gitlab = {**GITLAB, "CI_COMMIT_BEFORE_SHA": second}
    assert base_of(repo.root, gitlab, "HEAD~2").commit == first


@pytest.mark.parametrize("name", ["nowhere", "--output=/tmp/x", "main:README", "a b", ""])
def test_an_unknown_revision_is_a_usage_error(repo: Repository, name: str) -> None:
    with pytest.raises(UsageError) as wrong:
        find_base(repo.root, name, {})
    assert wrong.value.exit is Exit.USAGE
    assert f"--base {name}" in wrong.value.message
    assert "fetch" in wrong.value.remedy


@pytest.mark.parametrize(
    ("name", "command"), [("origin/main", "`git fetch origin main`"), ("HEAD~7", None), ("v1.2", "origin v1.2")]
)
def test_what_would_fetch_it_is_said_where_it_has_a_name(repo: Repository, name: str, command: str | None) -> None:
    with pytest.raises(UsageError) as wrong:
        find_base(repo.root, name, {})
    assert (command or "fetch it, or check out") in wrong.value.remedy


def test_nothing_is_nothing_on_purpose(repo: Repository, tmp_path: Path) -> None:
    for root in (repo.root, tmp_path):
        assert no_base(root, GITHUB, "nothing") == NoBase("compared with nothing, as asked")


def test_without_git_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    assert "not a git repository" in no_base(tmp_path, {}).reason
    with pytest.raises(UsageError, match="not inside a git repository"):
        find_base(tmp_path, "main", {})


def test_a_machine_without_git_still_runs(repo: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert isinstance(find_base(repo.root, None, {}), NoBase)


# On a laptop ---------------------------------------------------------------------------------------------------------


def test_a_branch_is_compared_with_the_default_branch(repo: Repository) -> None:
    left = repo.git("rev-parse", "HEAD")
    repo.branch("feature")
    repo.commit({"a": "1"})
    assert base_of(repo.root, {}) == Base(left, "main")


def test_what_is_not_committed_is_a_change_too(repo: Repository) -> None:
    assert no_base(repo.root, {}).reason == "nothing here differs from main"
    repo.write({"new.sql": "select 1"})
    assert base_of(repo.root, {}).name == "main"


def test_the_default_branch_is_the_one_of_origin(repo: Repository, tmp_path: Path) -> None:
    repo.git("branch", "--move", "trunk")
    clone = repo.clone(tmp_path / "clone")
    clone.commit({"a": "1"})
    assert base_of(clone.root, {}) == Base(repo.git("rev-parse", "HEAD"), "trunk")


def test_a_repository_without_a_commit_has_no_base(tmp_path: Path) -> None:
    Repository(tmp_path).git("init", "--quiet")
    assert no_base(tmp_path, {}).reason == "the repository has no commit yet"


def test_no_default_branch_says_what_to_do(repo: Repository) -> None:
    repo.git("branch", "--move", "work")
    assert "--base" in no_base(repo.root, {}).remedy


def test_only_changes_below_the_root_count(repo: Repository) -> None:
    repo.commit({"services/shop/a.sql": "select 1"})
    repo.write({"elsewhere": "changed"})
    assert isinstance(find_base(repo.root / "services" / "shop", None, {}), NoBase)
    assert isinstance(find_base(repo.root, None, {}), Base)


# GitHub --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def merged(repo: Repository) -> tuple[Repository, str]:
    """A pull request's merge commit on a branch of its own, with the tip of main."""
    repo.branch("feature")
    repo.commit({"b": "1"})
    repo.git("checkout", "--quiet", "main")
    tip = repo.commit({"a": "1"})
    repo.branch("merged")
    repo.git("merge", "--quiet", "--no-ff", "--no-edit", "feature")
    return repo, tip


def test_a_pull_request_of_depth_2_has_its_base_in_the_merge_commit(merged: tuple[Repository, str], tmp_path: Path) -> None:
    repo, tip = merged
    clone = repo.clone(tmp_path / "clone", "--depth", "2", "--branch", "merged")
    assert base_of(clone.root, {**GITHUB, "GITHUB_BASE_REF": "main"}) == Base(tip, "main")


def test_a_pull_request_of_depth_1_says_how_to_get_a_base(merged: tuple[Repository, str], tmp_path: Path) -> None:
    clone = merged[0].clone(tmp_path / "clone", "--depth", "1", "--branch", "merged")
    found = no_base(clone.root, {**GITHUB, "GITHUB_BASE_REF": "main"})
    assert "depth 1" in found.reason
    assert "fetch-depth: 2" in found.remedy


def test_a_pull_request_whose_head_is_checked_out_goes_by_the_branch(repo: Repository, tmp_path: Path) -> None:
    left = repo.git("rev-parse", "HEAD")
    repo.branch("feature")
    repo.commit({"b": "1"})
    clone = repo.clone(tmp_path / "clone", "--branch", "feature")
    assert base_of(clone.root, {**GITHUB, "GITHUB_BASE_REF": "main"}) == Base(left, "main")


def test_a_merge_group_names_its_base(repo: Repository, tmp_path: Path) -> None:
    base = repo.git("rev-parse", "HEAD")
    repo.commit({"a": "1"})
    group = {"merge_group": {"base_sha": base, "base_ref": "refs/heads/main"}}
    environment = {**GITHUB, "GITHUB_EVENT_NAME": "merge_group", **event(tmp_path, group)}
    assert base_of(repo.root, environment) == Base(base, "main")


def test_a_merge_group_in_a_shallow_clone_says_how_to_get_a_base(repo: Repository, tmp_path: Path) -> None:
    base = repo.git("rev-parse", "HEAD")
    repo.commit({"a": "1"})
    clone = repo.clone(tmp_path / "clone", "--depth", "1")
    group = {"merge_group": {"base_sha": base, "base_ref": "refs/heads/main"}}
    found = no_base(clone.root, {**GITHUB, **event(tmp_path, group)})
    assert "the merge group names main" in found.reason
    assert "fetch-depth: 2" in found.remedy


def test_a_push_is_compared_with_what_was_there_before(repo: Repository, tmp_path: Path) -> None:
    before = repo.git("rev-parse", "HEAD")
    repo.commit({"a": "1"})
    assert base_of(repo.root, {**GITHUB, **event(tmp_path, {"before": before})}) == Base(before, before[:7])


@pytest.mark.parametrize("body", [{"before": NO_COMMIT}, {"before": None}, {}, [], "no json", {"merge_group": None}])
def test_an_event_without_a_base_is_said(repo: Repository, tmp_path: Path, body: object) -> None:
    found = no_base(repo.root, {**GITHUB, "GITHUB_EVENT_NAME": "push", **event(tmp_path, body)})
    assert "'push'" in found.reason
    assert "--base" in found.remedy


def test_a_push_that_rewrote_history_is_compared_where_they_parted(repo: Repository, tmp_path: Path) -> None:
    left = repo.git("rev-parse", "HEAD")
    before = repo.commit({"a": "1"})
    repo.git("reset", "--quiet", "--hard", left)
    repo.commit({"b": "1"})
    assert base_of(repo.root, {**GITHUB, **event(tmp_path, {"before": before})}).commit == left


def test_an_event_that_names_a_forged_revision_does_no_harm(repo: Repository, tmp_path: Path) -> None:
    found = no_base(repo.root, {**GITHUB, **event(tmp_path, {"before": "--upload-pack=touch owned"})})
    assert "does not have" in found.reason


# GitLab and Jenkins --------------------------------------------------------------------------------------------------


def test_gitlab_names_the_base_of_a_merge_request(repo: Repository) -> None:
    base = repo.git("rev-parse", "HEAD")
    repo.commit({"a": "1"})
    request = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
    assert base_of(repo.root, {**GITLAB, **request}) == Base(base, "main")
    assert base_of(repo.root, {**GITLAB, "CI_COMMIT_BEFORE_SHA": base}) == Base(base, base[:7])
    assert "GitLab names no base" in no_base(repo.root, {**GITLAB, "CI_COMMIT_BEFORE_SHA": NO_COMMIT}).reason


@pytest.mark.parametrize("length", [40, 64])
def test_zeros_are_no_commit(repo: Repository, tmp_path: Path, length: int) -> None:
    zeros = "0" * length
    assert "no base revision" in no_base(repo.root, {**GITHUB, **event(tmp_path, {"before": zeros})}).reason
    assert "names no base" in no_base(repo.root, {**GITLAB, "CI_COMMIT_BEFORE_SHA": zeros}).reason


def test_gitlab_without_the_commit_says_how_to_get_it(repo: Repository, tmp_path: Path) -> None:
    base = repo.git("rev-parse", "HEAD")
    repo.commit({"a": "1"})
    clone = repo.clone(tmp_path / "clone", "--depth", "1")
    assert "GIT_DEPTH" in no_base(clone.root, {**GITLAB, "CI_COMMIT_BEFORE_SHA": base}).remedy


def test_jenkins_names_a_change_target_or_the_build_before(repo: Repository, tmp_path: Path) -> None:
    left = repo.git("rev-parse", "HEAD")
    clone = repo.clone(tmp_path / "clone")
    clone.branch("feature")
    clone.commit({"a": "1"})
    assert base_of(clone.root, {**JENKINS, "CHANGE_TARGET": "main"}) == Base(left, "main")
    assert base_of(clone.root, {**JENKINS, "GIT_PREVIOUS_SUCCESSFUL_COMMIT": left}).commit == left
    assert base_of(clone.root, {**JENKINS, "GIT_PREVIOUS_COMMIT": left}).commit == left
    assert "Jenkins names no base" in no_base(clone.root, JENKINS).reason
