"""Base's files are laid out, and the repository stays as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from repositories import Repository, repository

from bases.found import base_of
from runner.errors import ToolFailed
from runner.git import Base, NoBase, files_of, find_base


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
