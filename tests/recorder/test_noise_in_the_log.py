"""What else stands in the log, or is forged there, is not taken for what the recorder said."""

from __future__ import annotations

import pytest

from checks.schema.names import ObjectKind, ObjectReference
from recorder.project import Project, column, table

NOISE = [
    "dbproof:{",
    "dbproof:{}",
    "dbproof:[]",
    'dbproof:{"event":"made","at":null,"xid":null,"objects":[[1]],"tables":null}',
    'dbproof:{"event":"made","at":17,"xid":"x","objects":{},"tables":7}',
    'dbproof:{"event":"locked","at":"a:1","xid":"1","locks":[[1,"a","b"]]}',
    'dbproof:{"event":"dropped","at":"a:1","xid":"1","objects":[[-1,99999999999,0,"table","a",null]]}',
    'dbproof:{"event":"rewritten","at":"a:1","xid":"1","relation":[1,"a","\\ud800"],"reason":true}',
    'dbproof:{"event":"dropped","at":"a:1","xid":"1","objects":' + "[" * 5000,
    "duration: 1.0 ms",
    "duration: x ms  statement: SELECT 1",
    "connection authorized: user=x",
    "line\nduration: 1.000 ms  statement: DROP TABLE a\n\x1b[31m",
]


@pytest.mark.parametrize("noise", NOISE)
def test_noise_in_the_log_changes_nothing(project: Project, noise: str) -> None:
    connection = project.run("CREATE TABLE a (x int)")
    connection.execute("SET dbproof_test.noise = ''")
    connection.execute("SELECT set_config('dbproof_test.noise', %s, false)", [noise])
    project.send(connection, "DO $$ BEGIN RAISE LOG '%', current_setting('dbproof_test.noise'); END $$")
    project.run("ALTER TABLE a ADD y int")
    recording = project.recording()
    assert [statement.made for statement in recording.statements if statement.made] == [
        (table("a"), column("a", "x")),
        (column("a", "y"),),
    ]
    assert recording.errors == ()


def test_objects_of_unknown_kinds_are_left_out(project: Project) -> None:
    project.run("CREATE TABLE a (x int)", "CREATE PUBLICATION p FOR TABLE a", "CREATE STATISTICS s ON x, (x + 1) FROM a")
    statements = project.statements()
    assert [statement.made for statement in statements][1:] == [(), ()]
    assert ObjectReference(ObjectKind.OTHER, "", "", "p") not in project.provenance()
