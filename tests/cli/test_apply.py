"""``dbproof apply`` on a real MongoDB: what it shows, what it refuses, what it changes, and the way back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database as Documents

from checks.targets import Role
from runner.cli import answer
from runner.declaring.comparing import steps
from runner.declaring.executing import Stopped, execute
from runner.declaring.standing import Standing, standing
from runner.declaring.steps import Policy
from runner.errors import Exit
from runner.servers.interface import Address, Database
from runner.servers.mongodb.server import MongoServer
from runner.settings.declarations import declared_in

SETTINGS = """
[databases.docs]
engine = "mongodb"

[databases.docs.expect.schemas.people]
required = ["email"]

[databases.docs.expect.schemas.towns]
required = ["name"]

[databases.docs.expect.indexes.people]
email_unique = { keys = ["email"], unique = true }
town_idx = { keys = ["town"] }

[databases.docs.expect.indexes.visits]
at_ttl = { keys = ["at"], expire_after = "1d" }
"""


class Applying:
    """Runs ``dbproof apply`` on the test's database, from a directory of its own."""

    def __init__(self, root: Path, database: Database, documents: Documents[dict[str, Any]], capsys: Any) -> None:
        self.root = root
        self.name = database.name
        self.owner = database.addresses[Role.OWNER]
        self.documents = documents
        self.capsys = capsys
        self.out = self.err = ""

    def run(self, *arguments: str, address: Address | None = None, settings: str = SETTINGS) -> Exit:
        (self.root / "dbproof.toml").write_text(settings, "utf-8")
        environment = {"MONGO_URL": (address or self.owner).url()}
        code = answer(["apply", str(self.root), "--url-env", "MONGO_URL", *arguments], environment)
        self.out, self.err = self.capsys.readouterr()
        return code

    def commands(self) -> list[str]:
        """The script's commands, each in one line again."""
        code = "\n".join(line for line in self.out.splitlines() if not line.startswith("//"))
        parts = [" ".join(line.strip() for line in part.splitlines()) for part in code.split("\n\n")]
        plain = [part.replace("{ ", "{").replace(" }", "}").replace("[ ", "[").replace(" ]", "]") for part in parts]
        return [part for part in plain if part.startswith("db.")]

    def state(self) -> tuple[Mapping[str, object], Mapping[str, object]]:
        """What the database is made of, and a digest of each collection's documents."""
        return standing(self.documents), self.documents.command("dbHash")["collections"]

    def digests(self) -> Mapping[str, object]:
        return dict(self.documents.command("dbHash")["collections"])

    def undo_file(self) -> str:
        return str(max((self.root / "dbproof-undo").iterdir(), key=lambda path: path.stat().st_mtime_ns))


def made_of(there: Mapping[str, Standing]) -> Mapping[str, object]:
    return {name: (one.rules, one.definitions) for name, one in there.items()}


@pytest.fixture
def applying(
    tmp_path: Path, mongo_server: MongoServer, mongo_database: Database, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> Applying:
    monkeypatch.chdir(tmp_path)
    documents = mongo_server.client[mongo_database.name]
    documents.people.insert_many([{"_id": n, "email": f"{n}@example.org", "town": "Oslo"} for n in range(4)])
    documents.people.create_index("town", name="town_unique", unique=False)
    documents.towns.insert_one({"name": "Oslo"})
    return Applying(tmp_path, mongo_database, documents, capsys)


def test_a_dry_run_changes_nothing_and_shows_all(applying: Applying) -> None:
    before = applying.state()
    assert applying.run("--dry-run") is Exit.HELD
    assert applying.state() == before
    strict = 'validationLevel: "strict", validationAction: "error"})'
    assert applying.commands() == [
        f'db.runCommand({{collMod: "people", validator: {{$jsonSchema: {{required: ["email"]}}}}, {strict}',
        f'db.runCommand({{collMod: "towns", validator: {{$jsonSchema: {{required: ["name"]}}}}, {strict}',
        'db.people.createIndex({email: 1}, {name: "email_unique", unique: true})',
        'db.visits.createIndex({at: 1}, {name: "at_ttl", expireAfterSeconds: 86400})',
    ]
    assert "// people.town_unique stays: it is what people.town_idx is to be, under another name" in applying.out
    assert not (applying.root / "dbproof-undo").exists()


def test_it_applies_and_a_second_time_has_nothing_to_do(applying: Applying) -> None:
    digests = applying.digests()
    before = standing(applying.documents)
    assert applying.run("--yes", "--drop-undeclared", "--json", "plan.json") is Exit.HELD
    assert {name: applying.digests()[name] for name in digests} == digests
    after = standing(applying.documents)
    assert after["people"].rules["validator"] == {"$jsonSchema": {"required": ["email"]}}
    assert set(after["people"].definitions) == {"email_unique", "town_idx"}
    told = json.loads(Path("plan.json").read_text("utf-8"))
    assert (told["applied"], len(told["steps"]), told["undo"]) == (6, 6, os.path.relpath(applying.undo_file()))
    assert Path(applying.undo_file()).stat().st_mode & 0o777 == 0o600
    undo = applying.undo_file()
    assert applying.run("--yes", "--drop-undeclared") is Exit.HELD
    assert applying.out.startswith(f"// {applying.name}: nothing to do")
    assert applying.run("--yes", "--undo", undo) is Exit.HELD
    assert made_of(standing(applying.documents)) == made_of(before)
    assert {name: applying.digests()[name] for name in digests} == digests
    assert applying.run("--dry-run", "--undo", undo) is Exit.HELD
    assert "nothing to undo" in applying.out


def test_what_would_be_refused_is_counted_and_nothing_is_begun(applying: Applying) -> None:
    applying.documents.people.insert_many(
        [{"_id": "a", "email": "same"}, {"_id": "b", "email": "same"}, {"_id": "c"}, {"_id": "d"}]
    )
    old = datetime.now(UTC) - timedelta(days=3)
    applying.documents.visits.insert_many([{"at": old}, {"at": old}, {"at": datetime.now(UTC)}])
    before = applying.state()
    assert applying.run("--yes", "--json", "plan.json") is Exit.FINDINGS
    assert applying.state() == before
    assert "nothing was changed: of 4 commands 3 are refused: people, people.email_unique, visits.at_ttl" in applying.err
    said = " ".join(applying.out.replace("//", " ").split())
    assert "2 documents of people break the declared validator: email: required (2)" in said
    assert "4 documents of people share 2 values of email, which is to be unique" in said
    assert "MongoDB would remove 2 documents of visits within a minute or two: their at is older than 24 hours" in said
    assert "same" not in applying.out
    told = json.loads(Path("plan.json").read_text("utf-8"))
    refusals = [(one["kind"], one["documents"]) for step in told["steps"] for one in step["refusals"]]
    assert refusals == [("documents", 2), ("duplicates", 4), ("expires", 2)]
    known = {"database": applying.name, "server": told["server"]}
    assert told == json.loads((Path(__file__).parent / "apply_plan.json").read_text("utf-8")) | known
    assert applying.run("--dry-run", "--show-values") is Exit.FINDINGS
    assert 'email="same" (2)' in applying.out


def test_moderate_attaches_what_documents_break_and_expire_says_which_may_go(applying: Applying) -> None:
    applying.documents.people.insert_one({"_id": "c"})
    applying.documents.visits.insert_one({"at": datetime.now(UTC) - timedelta(days=3)})
    digest = applying.digests()["people"]
    assert applying.run("--yes", "--moderate") is Exit.FINDINGS
    assert "--expire visits.at_ttl" in applying.out
    assert applying.run("--yes", "--moderate", "--expire", "visits.at_ttl") is Exit.HELD
    rules = {name: one.rules["validationLevel"] for name, one in standing(applying.documents).items()}
    assert (rules["people"], rules["towns"]) == ("moderate", "strict")
    assert applying.digests()["people"] == digest
    assert applying.run("--dry-run", "--moderate") is Exit.HELD
    assert applying.commands() == []


def test_undo_without_a_file_switches_off_and_drops(applying: Applying) -> None:
    applying.run("--yes")
    digests = applying.digests()
    assert applying.run("--undo", "declared", "--yes") is Exit.HELD
    after = standing(applying.documents)
    assert {name: (one.rules["validationLevel"], sorted(one.definitions)) for name, one in after.items()} == {
        "people": ("off", ["town_unique"]),
        "towns": ("off", []),
        "visits": ("strict", []),
    }
    assert applying.digests() == digests


def test_a_collection_that_was_made_goes_while_it_is_empty_and_stays_with_documents(applying: Applying) -> None:
    settings = SETTINGS + '[databases.docs.expect.schemas.streets]\nrequired = ["name"]\n'
    settings += '[databases.docs.expect.schemas.lakes]\nrequired = ["name"]\n'
    assert applying.run("--yes", settings=settings) is Exit.HELD
    applying.documents.streets.insert_one({"name": "Storgata"})
    assert applying.run("--yes", "--undo", applying.undo_file(), settings=settings) is Exit.HELD
    after = standing(applying.documents)
    assert "lakes" not in after
    assert after["streets"].validator == {}
    assert applying.documents.streets.count_documents({}) == 1
    assert "streets stays: it was not there before, and holds documents now" in applying.out


def test_views_time_series_and_capped_collections(applying: Applying) -> None:
    applying.documents.drop_collection("towns")
    applying.documents.command("create", "towns", viewOn="people", pipeline=[])
    applying.documents.create_collection("visits", capped=True, size=4096)
    applying.documents.create_collection("heat", timeseries={"timeField": "t", "metaField": "m"})
    settings = SETTINGS + '[databases.docs.expect.indexes.heat]\nm_unique = { keys = ["m"], unique = true }\n'
    assert applying.run("--dry-run", settings=settings) is Exit.FINDINGS
    said = [line.split("REFUSED  ")[1] for line in applying.out.splitlines() if "REFUSED" in line]
    assert said == [
        "towns is a view, which takes no validator",
        "visits is capped: its documents cannot expire",
        "heat is a time series, whose indexes cannot be unique",
    ]


def test_a_validator_that_the_server_does_not_understand(applying: Applying) -> None:
    settings = SETTINGS + '[databases.docs.expect.schemas.lakes.properties.n]\ntype = "integer"\n'
    assert applying.run("--dry-run", settings=settings) is Exit.FINDINGS
    assert "the server does not understand the validator: $jsonSchema type 'integer' is not" in applying.out


def test_hostile_names_are_shown_and_applied(applying: Applying) -> None:
    name = 'a "b" c.d%é'
    applying.documents[name].insert_many([{'f"': 1}, {'f"': 1}])
    settings = f"[databases.docs]\nengine = 'mongodb'\n[databases.docs.expect.indexes.'{name}']\n'i\"i' = {{ keys = ['f\"'] }}\n"
    assert applying.run("--yes", settings=settings) is Exit.HELD
    assert applying.commands() == [r'db.getCollection("a \"b\" c.d%é").createIndex({"f\"": 1}, {name: "i\"i"})']
    assert set(standing(applying.documents)[name].definitions) == {'i"i'}
    assert applying.run("--yes", "--undo", applying.undo_file(), settings=settings) is Exit.HELD
    assert standing(applying.documents)[name].definitions == {}


def test_a_user_who_only_reads_may_look_and_is_told_what_is_missing(applying: Applying) -> None:
    applying.documents.command("createUser", "reader", pwd="only-reads", roles=["read"])
    extra = {**applying.owner.extra, "readPreference": "secondaryPreferred", "w": "0"}
    reader = Address(applying.owner.host, applying.owner.port, "reader", "only-reads", applying.name, extra, scheme="mongodb")
    before = applying.state()
    assert applying.run("--dry-run", address=reader) is Exit.HELD
    missing = f"the user reader (of {applying.name}) may not: collMod on people, collMod on towns, createIndex on people"
    assert missing in " ".join(applying.out.replace("//", " ").split())
    assert applying.run("--yes", address=reader) is Exit.ENVIRONMENT
    assert missing in " ".join(applying.err.split())
    assert f'grantRolesToUser("reader", [{{role: "dbAdmin", db: "{applying.name}"}}])' in " ".join(applying.err.split())
    assert applying.state() == before


def test_wrong_credentials(applying: Applying) -> None:
    wrong = Address(
        applying.owner.host, applying.owner.port, "nobody", "c4nary-word", applying.name, applying.owner.extra, scheme="mongodb"
    )
    assert applying.run("--dry-run", address=wrong) is Exit.ENVIRONMENT
    assert "it does not accept the user and password" in applying.err
    assert "c4nary" not in applying.out + applying.err


def test_a_database_that_is_not_there_is_asked_about(applying: Applying, mongo_database: Database) -> None:
    admin = mongo_database.addresses[Role.ADMIN]
    extra = {"authSource": "admin", **admin.extra}
    typo = Address(admin.host, admin.port, admin.user, admin.password, f"{applying.name}x", extra, scheme="mongodb")
    assert applying.run("--yes", address=typo) is Exit.USAGE
    assert f"has no database '{applying.name}x'" in " ".join(applying.err.split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--database", "dcos"], "--database: 'dcos' is not a database of the settings; did you mean 'docs'?"),
        (["--expire", "visits.at_tl"], "is no declared index that expires; did you mean 'visits.at_ttl'?"),
        (["--undo", "gone.json"], "--undo gone.json: no such file or directory"),
        (["--undo", "dbproof.toml"], "--undo dbproof.toml: is no undo file of `dbproof apply`"),
        (["--undo", "other.json"], "the file is of the database other"),
        (["--statement-timeout", "soon"], "--statement-timeout: expected a duration"),
        (["--yess"], "no such option: --yess"),
        ([], "there is no terminal to ask on"),
    ],
)
def test_usage_errors(arguments: list[str], words: str, applying: Applying) -> None:
    Path("other.json").write_text('{"format": "dbproof-undo/1", "database": "other", "collections": []}', "utf-8")
    before = applying.state()
    assert applying.run(*arguments) is Exit.USAGE
    assert words in " ".join(applying.err.split())
    assert applying.state() == before


def test_settings_without_declarations_or_of_another_engine(applying: Applying) -> None:
    assert applying.run(settings="[databases.docs]\nengine = 'mongodb'\n") is Exit.USAGE
    assert "declare neither validators nor indexes" in applying.err
    assert applying.run(settings="[databases.app]\n") is Exit.USAGE
    assert "the settings declare no MongoDB database" in applying.err
    two = "[databases.a]\nengine = 'mongodb'\n[databases.b]\nengine = 'mongodb'\n"
    assert applying.run(settings=two) is Exit.USAGE
    assert "there are several: a, b" in applying.err


def test_a_change_by_somebody_else_is_noticed_before_the_command(applying: Applying) -> None:
    applying.run("--dry-run")
    declared = declared_in(applying.root, Path("dbproof.toml"), "docs")
    there = standing(applying.documents)
    planned = steps(declared.validators, declared.indexes, there, Policy()).all
    applying.documents.towns.create_index("name")
    sending = execute(applying.documents, planned, there)
    assert next(sending).step.label == "people"
    with pytest.raises(Stopped, match="towns: somebody else has changed it"):
        next(sending)
    assert standing(applying.documents)["towns"].validator == {}


def test_a_command_that_the_server_refuses_says_how_far_it_came(applying: Applying) -> None:
    applying.run("--dry-run")
    declared = declared_in(applying.root, Path("dbproof.toml"), "docs")
    there = standing(applying.documents)
    planned = steps(declared.validators, declared.indexes, there, Policy()).all
    applying.documents.people.insert_many([{"email": "secret-value"}, {"email": "secret-value"}])
    sending = execute(applying.documents, planned, there)
    with pytest.raises(Stopped, match=r"people\.email_unique: MongoDB 11000: E11000 duplicate key") as stopped:
        list(sending)
    assert "secret-value" not in stopped.value.message


def test_an_interruption_says_what_was_done_and_can_be_repeated(
    applying: Applying, mongo_server: MongoServer, until: Callable[[Callable[[], bool]], None]
) -> None:
    if mongo_server.version < "6":
        pytest.skip("an older server has one transaction hold up changes of every collection")
    (applying.root / "dbproof.toml").write_text(SETTINGS, "utf-8")
    command = [sys.executable, "-m", "runner.cli", "apply", str(applying.root), "--url-env", "MONGO_URL", "--yes"]
    environment = {**os.environ, "MONGO_URL": applying.owner.url(), "PYTHONPATH": str(Path(__file__).parents[2])}
    with mongo_server.client.start_session() as holding, holding.start_transaction():
        applying.documents.towns.insert_one({"name": "held"}, session=holding)  # what changes the collection waits for this
        process = subprocess.Popen(
            command, cwd=applying.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        until(lambda: bool(standing(applying.documents, "people")["people"].validator))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        holding.abort_transaction()
    assert process.returncode == Exit.INTERRUPTED, said
    assert "cancelled by SIGINT; 1 of 4 commands went through" in said
    assert "dbproof apply --undo dbproof-undo/" in " ".join(said.split())
    assert applying.run("--yes") is Exit.HELD
    assert applying.run("--dry-run") is Exit.HELD
    assert applying.commands() == []


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Wait until something is so, for at most half a minute."""

    def wait(so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not so():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    return wait
