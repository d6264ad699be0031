"""What a change touched, as git tells it."""

from __future__ import annotations

from repositories import Repository

from runner.git import Base, changed_lines, place_in_repository


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
