"""Base is found as each CI system says it, its files are laid out, and the repository stays as it was."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from repositories import Repository, repository

from runner.errors import Exit, ToolFailed, UsageError
from runner.git import Base, NoBase, changed_lines, files_of, find_base, place_in_repository

GITHUB = {"GITHUB_ACTIONS": "true"}
GITLAB = {"GITLAB_CI": "true"}
JENKINS = {"JENKINS_URL": "https://ci.example.org/"}
NO_COMMIT = "0" * 40


@pytest.fixture(autouse=True)
def _no_git_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine's git is told must not decide."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return repository(tmp_path / "repo")


def event(tmp_path: Path, body: object) -> dict[str, str]:
    path = tmp_path / "event.json"
    path.write_text(body if isinstance(body, str) else json.dumps(body))
    return {"GITHUB_EVENT_PATH": str(path)}


def base_of(root: Path, environment: Mapping[str, str], compare: str | None = None) -> Base:
    found = find_base(root, compare, environment)
    assert isinstance(found, Base), found
    return found


def no_base(root: Path, environment: Mapping[str, str], compare: str | None = None) -> NoBase:
    found = find_base(root, compare, environment)
    assert isinstance(found, NoBase), found
    return found


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


# Base's files --------------------------------------------------------------------------------------------------------


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


def base(repo: Repository, revision: str = "HEAD") -> Base:
    return Base(repo.git("rev-parse", revision), revision)


def test_files_are_base_s_and_gone_at_the_end(repo: Repository) -> None:
    old = repo.commit({"db/1.sql": "old", "db/2.sql": "goes"})
    (repo.root / "db" / "2.sql").unlink()
    repo.commit({"db/1.sql": "new", "db/3.sql": "comes"})
    with files_of(repo.root, Base(old, "main")) as folder:
        assert names(folder) == {"README", "db/1.sql", "db/2.sql"}
        assert (folder / "db" / "1.sql").read_text() == "old"
    assert not folder.parent.exists()


def test_the_work_tree_and_the_index_stay_as_they_were(repo: Repository) -> None:
    old = repo.commit({"a": "1", "b": "1", "c": "1"})
    repo.commit({"a": "2"})
    repo.write({"a": "not added", "b": "added", "untracked": "x"})
    repo.git("add", "b")
    (repo.root / "c").unlink()
    index = (repo.root / ".git" / "index").read_bytes()
    status = repo.git("status", "--porcelain=v2")
    before = {path: path.read_bytes() for path in (repo.root / ".git").rglob("*") if path.is_file() and path.name != "index"}
    (repo.root / ".git" / "index").write_bytes(index)
    find_base(repo.root, None, {})
    find_base(repo.root, "HEAD~1", {})
    with files_of(repo.root, Base(old, "main")):
        pass
    assert (repo.root / ".git" / "index").read_bytes() == index
    after = {path: path.read_bytes() for path in (repo.root / ".git").rglob("*") if path.is_file() and path.name != "index"}
    assert after == before
    assert repo.git("status", "--porcelain=v2") == status
    assert not (repo.root / "c").exists()


def test_a_root_within_the_repository_gets_its_own_folder(repo: Repository) -> None:
    repo.commit({"services/shop/a.sql": "shop", "services/bank/a.sql": "bank"})
    with files_of(repo.root / "services" / "shop", base(repo)) as folder:
        assert names(folder) == {"a.sql"}
        assert (folder / "a.sql").read_text() == "shop"


def test_a_folder_that_base_does_not_have_is_empty(repo: Repository) -> None:
    old = base(repo)
    repo.commit({"services/shop/a.sql": "shop"})
    with files_of(repo.root / "services" / "shop", old) as folder:
        assert folder.is_dir()
        assert names(folder) == set()


def test_any_file_name_comes_through(repo: Repository) -> None:
    odd = {
        "new\nline.sql": "1",
        "größe 日本.sql": "2",
        'quo"te.sql': "3",
        " lead.sql": "4",
        "-dash": "5",
        "tab\t.sql": "6",
        "*": "7",
    }
    repo.commit(odd)
    with files_of(repo.root, base(repo)) as folder:
        assert names(folder) == {"README", *odd}
        assert {name: (folder / name).read_text() for name in odd} == odd


def test_a_name_that_is_no_unicode_comes_through(repo: Repository) -> None:
    name = os.fsdecode(b"latin-\xe9.sql")
    repo.commit({name: "1"})
    with files_of(repo.root, base(repo)) as folder:
        assert (folder / name).read_text() == "1"


@pytest.mark.parametrize("name", ["brackets [a]", "star *", ":(top)", ":!x", "größe", "trailing "])
def test_a_root_with_an_odd_name_gets_its_own_folder(repo: Repository, name: str) -> None:
    repo.commit({f"{name}/a.sql": "mine", "brackets a/a.sql": "other", "star b/a.sql": "other"})
    with files_of(repo.root / name, base(repo)) as folder:
        assert names(folder) == {"a.sql"}
        assert (folder / "a.sql").read_text() == "mine"
    repo.write({"star b/changed": "x"})
    assert isinstance(find_base(repo.root / name, None, {}), NoBase)


def test_a_symlink_lets_nothing_be_written_outside(repo: Repository, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (repo.root / "link").symlink_to(outside)
    repo.commit()
    linked = base(repo)
    (repo.root / "link").unlink()
    old = repo.commit({"link/inside.sql": "x"})
    with files_of(repo.root, linked) as folder:
        assert (folder / "link").is_symlink()
    with files_of(repo.root, Base(old, "x")) as folder:
        assert (folder / "link" / "inside.sql").read_text() == "x"
    assert list(outside.iterdir()) == []


def test_a_root_that_was_a_symlink_at_base_is_not_followed(repo: Repository, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.sql").write_text("drop everything")
    (repo.root / "shop").symlink_to(outside)
    repo.commit()
    linked = base(repo)
    (repo.root / "shop").unlink()
    repo.commit({"shop/a.sql": "x"})
    with files_of(repo.root / "shop", linked) as folder:
        assert folder.resolve().is_relative_to(folder.parent.resolve())
        assert names(folder) == set()


def test_submodules_and_filters_do_not_break_it(repo: Repository, tmp_path: Path) -> None:
    other = repository(tmp_path / "other", {"lib.sql": "select 1"})
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other.root.as_uri(), "vendor/lib")
    repo.commit({"a.sql": "x"})
    with files_of(repo.root, base(repo)) as folder:
        assert names(folder) >= {"a.sql", ".gitmodules"}
        assert "vendor/lib/lib.sql" not in names(folder)
    assert isinstance(find_base(repo.root, "main", {}), Base)


def test_a_submodule_is_a_repository_of_its_own(repo: Repository, tmp_path: Path) -> None:
    other = repository(tmp_path / "other", {"lib.sql": "select 1"})
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other.root.as_uri(), "lib")
    repo.commit()
    commit = other.git("rev-parse", "HEAD")
    with files_of(repo.root / "lib", base_of(repo.root / "lib", {}, "HEAD")) as folder:
        assert names(folder) == {"lib.sql"}
    assert base_of(repo.root / "lib", {}, commit).commit == commit


def test_hooks_of_the_repository_are_not_run(repo: Repository, tmp_path: Path) -> None:
    for name in ("post-checkout", "post-index-change", "reference-transaction"):
        hook = repo.root / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        hook.chmod(0o755)
    with files_of(repo.root, base_of(repo.root, {}, "main")):
        pass
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a folder to somebody else")
def test_a_repository_of_another_user_is_read(repo: Repository) -> None:
    """As in a container, where the checkout belongs to the host's user."""
    old = base(repo)
    repo.commit({"a": "1"})
    for path in (repo.root, *repo.root.rglob("*")):
        os.lchown(path, 65534, 65534)
    assert base_of(repo.root, {}, old.commit).commit == old.commit
    with files_of(repo.root, old) as folder:
        assert names(folder) == {"README"}


def test_a_commit_that_is_not_there_is_an_error_with_a_remedy(repo: Repository) -> None:
    with pytest.raises(ToolFailed) as failed, files_of(repo.root, Base("1" * 40, "main")):
        pass
    assert "--base nothing" in failed.value.remedy


def test_files_are_for_nobody_else(repo: Repository) -> None:
    with files_of(repo.root, base(repo)) as folder:
        assert folder.parent.stat().st_mode & 0o077 == 0


def test_what_surrounds_git_does_not_lead_it_elsewhere(repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As inside a hook, where git sets GIT_DIR for its children."""
    other = repository(tmp_path / "other", {"other": "x"})
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.root / ".git" / "index"))
    with files_of(repo.root, base_of(repo.root, {}, "HEAD")) as folder:
        assert names(folder) == {"README"}


# What a change touched -----------------------------------------------------------------------------------------------


def test_the_lines_that_differ_from_base(repo: Repository) -> None:
    before = repo.commit({"a/kept.sql": "1\n", "a/edited.sql": "1\n2\n3\n4\n5\n", "cut.sql": "1\n2\n", "gone.sql": "1\n"})
    (repo.root / "gone.sql").unlink()
    repo.commit({"a/edited.sql": "1\nzwei\n3\n4\n5\n6\n7\n", "a/new.sql": "1\n2\n", "cut.sql": "1\n"})
    assert changed_lines(repo.root / "a", Base(before, "main")) == {
        "a/edited.sql": [range(2, 3), range(6, 8)],
        "a/new.sql": [range(1, 3)],
        "cut.sql": [],
    }


def test_names_and_contents_of_any_kind(repo: Repository) -> None:
    before = repo.commit()
    names = ["a b.sql", 'quo"te.sql', "täble.sql", "-x.sql", "new\nline.sql", "*.sql"]
    repo.commit(dict.fromkeys(names, "@@ -1,9 +1,9 @@\n-- binary \x00\n") | {".gitattributes": "*.sql -diff\n"})
    changed = changed_lines(repo.root, Base(before, "main"))
    assert {name: changed.get(name) for name in names} == {name: [range(1, 3)] for name in names}


def test_settings_of_git_change_nothing(repo: Repository) -> None:
    before = repo.commit({"a.sql": "1\n"})
    for name, value in {"diff.external": "false", "diff.noprefix": "true", "color.ui": "always", "diff.renames": "true"}.items():
        repo.git("config", name, value)
    repo.git("mv", "a.sql", "b.sql")
    repo.commit()
    assert changed_lines(repo.root, Base(before, "main")) == {"b.sql": [range(1, 2)]}


def test_where_a_folder_lies_in_its_repository(repo: Repository) -> None:
    repo.commit({"services/shop/a": ""})
    assert place_in_repository(repo.root) == ""
    assert place_in_repository(repo.root / "services" / "shop") == "services/shop/"
