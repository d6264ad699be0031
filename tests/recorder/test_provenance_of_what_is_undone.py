"""What is undone, by whatever way, made nothing."""

from __future__ import annotations

from recorder.project import Project, column


def test_what_is_rolled_back_made_nothing(project: Project) -> None:
    project.run(
        "CREATE TABLE a (x int)",
        "BEGIN",
        "ALTER TABLE a ADD y int",
        "ROLLBACK",
        "BEGIN",
        "SAVEPOINT one",
        "ALTER TABLE a ADD y int",
        "ROLLBACK TO one",
        "SAVEPOINT two",
        "ALTER TABLE a ADD y int",
        "RELEASE two",
        "ALTER TABLE a ADD z int",
        "COMMIT",
    )
    assert (project.lines()[column("a", "y")], project.lines()[column("a", "z")]) == (10, 12)


def test_a_block_that_catches_its_own_error_made_nothing(project: Project) -> None:
    project.run(
        "CREATE TABLE a (x int)",
        "DO $$ BEGIN ALTER TABLE a ADD y int; RAISE 'no'; EXCEPTION WHEN OTHERS THEN ALTER TABLE a ADD other int; END $$",
        "ALTER TABLE a DROP other, ADD y int",
    )
    assert project.lines()[column("a", "y")] == 3


def test_a_transaction_whose_end_never_came_made_nothing(project: Project) -> None:
    project.run("CREATE TABLE a (x int)", "BEGIN", "ALTER TABLE a ADD y int").close()
    project.run("ALTER TABLE a ADD y int")
    assert project.lines()[column("a", "y")] == 4


def test_a_commit_after_an_error_made_nothing(project: Project) -> None:
    project.run("CREATE TABLE a (x int)", "BEGIN", "ALTER TABLE a ADD y int", "SELECT 1/0", "COMMIT", "ALTER TABLE a ADD y int")
    assert project.lines()[column("a", "y")] == 6
