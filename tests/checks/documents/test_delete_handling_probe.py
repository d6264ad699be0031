"""What an application's command does to the children of what it deletes, tried on a real server and judged."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from bson import DBRef, ObjectId
from document_judging import JudgeDocuments
from pymongo.database import Database as Documents

from checks.declared.documents import DocumentExpectations, parse_document_reference
from checks.declared.expectations import Expectations
from checks.documents import delete_handling_probe
from checks.evidence import DeleteAttempt, Evidence, MigrationFailure, Place
from checks.interface import Finding, Judgement, NotProven, Proven
from runner import git
from runner.backends.registry import backend_of
from runner.deleting import deleted
from runner.output import Output
from runner.plan import Built, Plan
from runner.redaction import Redactor
from runner.servers.interface import Database
from runner.servers.mongodb.server import MongoServer
from runner.servers.mongodb.sessions import session
from runner.settings.model import DatabaseSettings
from runner.targets.mongodb import MongoTarget

HOSTILE = 'O\'Neil "& sons" {password} {{url}} $(id) %s\nünï'

#: How an application deletes; ``db`` is its database, ``key`` the argument.
APPLICATION = """
import os, sys

how, key = sys.argv[1:]


def refuse():
    sys.exit("it has children")


if how == "broken":
    import no_such_module_of_ours_here
elif how == "idle":
    sys.exit()
elif how == "kept_back":
    refuse()

from bson import ObjectId
from pymongo import MongoClient

db = MongoClient(os.environ["MONGODB_URI"]).get_default_database()
if how == "kept":
    db.kept_children.count_documents({"of": key}) and refuse()
    db.kept.delete_one({"name": key})
elif how == "forgotten":
    db.forgotten.delete_one({"name": key})
elif how == "halfway":
    db.halfway_children.delete_many({"of": key})
    refuse()
elif how == "swept":
    db.swept_children.count_documents({"held_by": key}) and refuse()
    db.swept_children.delete_many({"of": key})
    db.swept.delete_one({"name": key})
elif how == "left":
    db.left.delete_one({"name": key})
elif how == "shallow":
    db.shallow_children.delete_many({"of": key})
    db.shallow.delete_one({"name": key})
elif how == "emptied":
    db.emptied_children.update_many({}, {"$pull": {"lines": {"of": key}}})
    db.emptied.delete_one({"name": key})
elif how == "nulled":
    db.nulled_children.delete_many({"of": key})
    db.nulled.delete_one({"name": key})
elif how == "moved":
    db.moved_children.update_many({"of": key}, {"$set": {"of": "other"}})
    db.moved.delete_one({"name": key})
elif how == "linked":
    db.linked_children.delete_many({"of.$id": ObjectId(key)})
    db.linked.delete_one({"_id": ObjectId(key)})
elif how == "several":
    tenant, name = key.split("/")
    db.several_children.update_many({"tenant": tenant, "of": name}, {"$unset": {"of": ""}})
    db.several.delete_one({"tenant": tenant, "name": name})
"""

REFERENCES = (
    "kept_children.of -> kept.name on delete restrict",
    "forgotten_children.of -> forgotten.name on delete restrict",
    "halfway_children.of -> halfway.name on delete restrict",
    "broken_children.of -> broken.name on delete restrict",
    "idle_children.of -> idle.name on delete restrict",
    "swept_children.of -> swept.name on delete cascade",
    "swept_children.held_by -> swept.name on delete restrict",
    "left_children.of -> left.name on delete cascade",
    "kept_back_children.of -> kept_back.name on delete cascade",
    "shallow_children.of -> shallow.name on delete cascade",
    "grandchildren.of -> shallow_children._id",
    "emptied_children.lines[].of -> emptied.name on delete set null",
    "nulled_children.of -> nulled.name on delete set null",
    "moved_children.of -> moved.name on delete set null",
    "linked_children.of.$id -> linked._id on delete cascade",
    "several_children.(tenant, of) -> several.(tenant, name) on delete set null",
    "open_children.of -> open.name on delete cascade",
    "lonely_children.of -> lonely.name on delete cascade",
    "absent_children.of -> absent.name on delete cascade",
    "a_view.of -> idle.name on delete cascade",
)
PARENTS = tuple(dict.fromkeys(text.split("-> ")[1].split(".")[0] for text in REFERENCES if "on delete" in text))


def fill(db: Documents[dict[str, Any]]) -> None:
    for name in PARENTS:
        key = HOSTILE if name == "kept" else "a"
        parents = [{"_id": ObjectId(), "name": key, "tenant": "t"}, {"_id": ObjectId(), "name": "other", "tenant": "t"}]
        db[name].insert_many(parents)
        of: dict[str, Any] = {"of": key, "tenant": "t"}
        if name == "linked":
            of = {"of": DBRef("linked", parents[0]["_id"])}
        if name == "emptied":
            of = {"lines": [{"of": "a"}, {"of": "other"}]}
        if name != "lonely":
            db[f"{name}_children"].insert_many([{"_id": f"{name} {number}", **of} for number in range(3)])
    db.create_collection("a_view", viewOn="idle_children", pipeline=[])
    db.swept_children.insert_one({"held_by": "a"})
    db.grandchildren.insert_many([{"of": "shallow 0"}, {"of": "no such child"}])


@pytest.fixture
def judged(mongo_server: MongoServer, mongo_database: Database, tmp_path: Path) -> dict[str, Judgement]:
    (tmp_path / "application.py").write_text(APPLICATION, "utf-8")
    with session(mongo_database.private) as client:
        fill(client[mongo_database.name])
    commands = {name: f"{sys.executable} application.py {name} {{name}}" for name in PARENTS}
    commands |= {"linked": commands["linked"].replace("{name}", "{_id}")}
    commands |= {"several": commands["several"].replace("{name}", "{tenant}/{name}"), "absent": "no-such-program {name}"}
    del commands["open"]
    references = tuple(parse_document_reference(text, Place("dbproof.toml", 9)) for text in REFERENCES)
    expect = Expectations(documents=DocumentExpectations(references=references, deletes=commands))
    output = Output(Redactor(), environment={})
    plan = Plan(
        name=mongo_database.name,
        settings=DatabaseSettings.model_validate({"engine": "mongodb"}),
        root=tmp_path,
        base=git.NoBase("none"),
        adapter=None,
        backend=backend_of(mongo_server.engine),
        provision=lambda: pytest.fail("no server is started"),
        hide=output.redactor.add,
        progress=output.progress,
    )
    built = Built(mongo_server, mongo_server.seal(mongo_database), Evidence())
    after = deleted(plan, expect, built)
    assert shlex.split(commands["kept"])[-1] == "{name}"
    with MongoTarget(mongo_server, built.golden, mongo_database, expect, after.evidence) as target:
        found = list(delete_handling_probe.run(target))
    return {one.subject.partition(" -> ")[0]: one for one in found}


def test_what_each_command_does(judged: dict[str, Judgement]) -> None:
    told = {name: one for name, one in judged.items() if not isinstance(one, Proven)}
    proven = {"kept_children.of", "swept_children.of", "swept_children.held_by", "emptied_children.lines[].of"}
    assert judged.keys() - told.keys() == proven | {"linked_children.of.$id", "several_children.(tenant, of)"}
    messages = {name: one.message.rpartition("; declared is")[0] for name, one in told.items() if isinstance(one, Finding)}
    deleting = "deleting a document of"
    assert messages == {
        "forgotten_children.of": f"{deleting} forgotten that has 3 children in forgotten_children is not refused: it is gone;"
        " children: 3 still naming it",
        "halfway_children.of": f"{deleting} halfway that has 3 children in halfway_children is refused, and yet it changes"
        " halfway_children",
        "idle_children.of": f"{deleting} idle that has 3 children in idle_children is not refused: it is there still, though the"
        " command ended well; children: 3 still naming it",
        "left_children.of": f"{deleting} left that has 3 children in left_children leaves its children otherwise:"
        " 3 still naming it",
        "kept_back_children.of": f"{deleting} kept_back that has 3 children in kept_back_children is refused",
        "shallow_children.of": f"{deleting} shallow that has 3 children in shallow_children leaves references that dangle:"
        " grandchildren.of -> shallow_children._id (1)",
        "nulled_children.of": f"{deleting} nulled that has 3 children in nulled_children leaves its children otherwise: 3 gone",
        "moved_children.of": f"{deleting} moved that has 3 children in moved_children leaves its children otherwise:"
        " 3 naming another",
    }
    assert {name: one.reason for name, one in told.items() if isinstance(one, NotProven)} == {
        "broken_children.of": "the command deletes no such document without children either:"
        " ModuleNotFoundError: No module named 'no_such_module_of_ours_here'",
        "open_children.of": "no command under `deletes`",
        "lonely_children.of": "no document of lonely has children here and a value of name",
        "a_view.of": "a_view is a view",
        "absent_children.of": "'no-such-program' was not found, neither on PATH nor as a file",
    }
    refused = judged["kept_back_children.of"]
    assert isinstance(refused, Finding)
    assert refused.said == "it has children"
    assert refused.place == Place("dbproof.toml", 9)
    assert refused.values == ('name="a"',)
    assert refused.remedy.startswith("Let `")


def one(evidence: Evidence, **more: Any) -> tuple[DocumentExpectations, Evidence]:
    reference = parse_document_reference("a.b -> c.d on delete cascade")
    return DocumentExpectations(references=(reference,), deletes={"c": "x {d}"}, **more), evidence


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (Evidence(), "the command is run on a copy alone, and here is none"),
        (Evidence(failure=MigrationFailure(None, None, "", "", "no")), "the migrations failed"),
        (
            Evidence(deletes={"a.b -> c.d": DeleteAttempt(gap="the command did not end within 1 s")}),
            "the command did not end within 1 s",
        ),
    ],
)
def test_what_was_not_tried_is_not_proven(evidence: Evidence, reason: str, judge_documents: JudgeDocuments) -> None:
    expect, evidence = one(evidence)
    found = judge_documents("delete-handling-probe", lambda _: None, expect, evidence)
    assert found.gaps == {"a.b -> c.d": reason}
    assert len(found.all) == 1


def test_references_without_a_rule_are_not_judged(judge_documents: JudgeDocuments) -> None:
    expect = DocumentExpectations(references=(parse_document_reference("a.b -> c.d"),))
    found = judge_documents("delete-handling-probe", lambda _: None, expect)
    assert list(found.all) == []
