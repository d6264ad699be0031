"""Foreign text, wherever it comes from, changes nothing on GitHub but the text that is quoted; no secret is in anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from reports.pages import page

from image.github_runner import Ended, Job, services
from image.platforms import ORDERS, USERS, laid

pytestmark = pytest.mark.docker

#: What would be commands, sequences or markup. No quotes, as it stands within SQL and TOML.
ATTACKS = (
    "::error file=a.py,line=1::owned",
    "  ::set-output name=result::go",
    "##[set-output name=result]go",
    "x ##[add-path]/tmp ##vso[task.setvariable variable=x]y",
    "::stop-commands::x",
    "::add-mask::e",
    "\\x1b[2J\\x1b]0;title\\x07\\x1b]8;;http://evil.example\\x07",
    "a\\rb\\r::error::after a carriage return",
    "\\u202e\\u200b::warning::hidden",
    "```\\n</details><script>alert(1)</script> ![x](http://evil.example/x.png) @octocat",
    "EOF\\nresult=go\\nresult<<EOF\\ngo",
)
HARMLESS = tuple(f"harmless {number}" for number in range(len(ATTACKS)))

#: A program of the project's: it migrates, says what it is told on both streams, then what no text is, and ends badly.
MIGRATE = """\
import os, sys
import psycopg

words = {words}
with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as session:
    session.execute("CREATE TABLE IF NOT EXISTS users (id int PRIMARY KEY)")
    for word in words:
        for level in ("NOTICE", "WARNING", "LOG"):
            session.execute("DO $do$ BEGIN RAISE " + level + " '%', $said$" + word + "$said$; END $do$")
        for stream in (sys.stdout, sys.stderr):
            print(word, file=stream, flush=True)
    if {bytes}:
        for stream in (sys.stdout.buffer, sys.stderr.buffer):
            stream.write(b"n" * 1_000_000 + b"\\n")
            stream.write(b"\\xed\\xa0\\x80::error::surrogate\\n\\xff\\xfe##[error]x\\n\\x00::error::nul\\n")
            stream.flush()
sys.exit({code})
"""
COMMAND = '[databases.app.migrations]\ncommand = "/opt/dbproof/bin/python migrate.py"\nenv = {{ DATABASE_URL = "{{url}}" }}\n'
SQL = '[databases.app.migrations]\ntool = "sql"\ndirectory = "migrations"\n'


def decoded(word: str) -> str:
    return word.encode("ascii").decode("unicode_escape")


def shape(ended: Ended) -> dict[str, object]:
    """All that GitHub makes of a step, but for the words."""
    free = {"br", "code", "p", "pre"}
    return {
        "code": ended.code,
        "issues": [(issue.name, sorted(issue.properties), issue.properties.get("line")) for issue in ended.log.issues],
        "acted": ended.log.acted,
        "stopped": ended.log.stopped_by,
        "outputs": ended.outputs,
        "files": [ended.files[name] for name in ("env", "path", "state")],
        "tags": {tag: count for tag, count in page(ended.summary).tags.items() if tag not in free},
        "html": sorted(set(page(ended.summary).html)),
    }


def step(image: str, place: Path, files: Mapping[str, str], inputs: Mapping[str, str] | None = None) -> Ended:
    job = Job(place, event_name="push")
    laid(job.workspace, files)
    return job.step(image, inputs)


def assert_plain(ended: Ended) -> None:
    """No byte of the log does anything."""
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", ended.out + ended.err)
    assert not re.search("[\u200b-\u200f\u2028-\u202e\ud800-\udfff]", ended.said)
    assert not {"a", "img", "script", "h1"} & set(page(ended.summary).tags)


@pytest.mark.parametrize("code", [0, 1])
def test_what_a_program_of_the_project_s_says(code: int, image: str, tmp_path: Path) -> None:
    def said(name: str, words: tuple[str, ...], raw: bool) -> Ended:
        program = MIGRATE.format(words=[decoded(word) for word in words], bytes=raw, code=code)
        return step(image, tmp_path / name, {"migrate.py": program, "dbproof.toml": COMMAND.format()})

    hostile, harmless = said("hostile", ATTACKS, True), said("harmless", HARMLESS, False)
    assert hostile.code == (1 if code else 0), hostile.said[-3000:]
    assert (r"\x00::error::nul" in hostile.summary) is bool(code)
    assert shape(hostile) == shape(harmless)
    assert_plain(hostile)


def test_what_names_and_the_server_s_words_say(image: str, tmp_path: Path) -> None:
    def said(name: str, words: tuple[str, ...]) -> Ended:
        files = {"dbproof.toml": SQL, "migrations/1.sql": USERS + ORDERS}
        for number, word in enumerate(map(decoded, words), start=2):
            table = word[:50].replace('"', "")
            files[f"migrations/{number}.sql"] = (
                f'CREATE TABLE "{table}{number}" (id int PRIMARY KEY, "{table}" int REFERENCES users ON DELETE CASCADE);\n'
                f'SET session_replication_role = replica;\nINSERT INTO "{table}{number}" VALUES (1, 7);\n'
                f"COMMENT ON TABLE \"{table}{number}\" IS '{word}';\n"
                f"DO $do$ BEGIN RAISE NOTICE '%', $said${word}$said$; END $do$;\n"
            )
        files["migrations/99.sql"] = (
            f"DO $do$ BEGIN RAISE '%', repeat($said${''.join(map(decoded, words))}$said$, 10000); END $do$;\n"
        )
        return step(image, tmp_path / name, files)

    hostile, harmless = said("hostile", ATTACKS), said("harmless", HARMLESS)
    assert hostile.code == 1, hostile.said[-3000:]
    assert len(hostile.log.kept("error")) == 10
    assert r"\x3a:error file=a.py" in hostile.said
    assert "characters left out" in hostile.said
    assert shape(hostile) == shape(harmless)
    assert_plain(hostile)


def test_what_files_and_folders_are_called(image: str, tmp_path: Path) -> None:
    def said(name: str, words: tuple[str, ...]) -> Ended:
        files = {"dbproof.toml": SQL, "migrations/01.sql": USERS}
        for number, word in enumerate(map(decoded, words), start=2):
            called = f"{number:02} {word}".replace("/", "").replace("\0", "")[:80]
            files[f"migrations/{called}.sql"] = "SELECT 1;\n"
        files[f"migrations/99 {decoded(words[0])} 100%.sql"] = "SELECT 1;\nSELECT wrong;\n"
        return step(image, tmp_path / name, files)

    hostile, harmless = said("hostile", ATTACKS), said("harmless", HARMLESS)
    assert hostile.code == 1, hostile.said[-3000:]
    assert hostile.log.issues[0].properties["line"] == "2"
    assert hostile.log.issues[0].properties["file"] == "migrations/99 ::error file=a.py,line=1::owned 100%.sql"
    assert shape(hostile) == shape(harmless)
    assert_plain(hostile)


def test_settings_and_inputs_that_are_wrong(image: str, tmp_path: Path) -> None:
    for number, word in enumerate(ATTACKS):
        text = decoded(word).replace("\n", " ").replace("\r", " ")
        basic = "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in text)
        settings = f'"{basic}" = 1\nfail_on = "{basic}"\n'
        ended = step(image, tmp_path / str(number), {"dbproof.toml": settings}, {"compare": text, "report-dir": text})
        assert ended.code == 2, ended.said
        assert len(ended.log.issues) == 1
        assert ended.log.acted == []
        assert (ended.outputs["result"], ended.outputs["report-dir"]) == ("broken", "")
        assert_plain(ended)


# Secrets -------------------------------------------------------------------------------------------------------------

#: Two passwords with all that splits an address; each part of them is one that must not be seen.
GIVEN, TOLD = "Zq7kranich@host:41/x#Vw9", "Hb3reiher/Pt5:sk&y?Lm8"
PARTS = ("Zq7kranich", "host:41", "Vw9", "Hb3reiher", "Pt5", "Lm8", "Nx4amsel", "Gd6drossel", "Rf2elster")


def assert_unseen(ended: Ended) -> None:
    shown = [ended.said, *(data.decode("utf-8") for data in ended.files.values())]
    folder = ended.workspace / "dbproof-report"
    shown += [file.read_text("utf-8") for file in folder.rglob("*") if file.is_file()] if folder.exists() else []
    for text in shown:
        assert [part for part in PARTS if part.lower() in text.lower()] == []


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
def test_a_password_in_the_address_of_a_given_database(right: bool, image: str, docker_image: str, tmp_path: Path) -> None:
    quoted = "Zq7kranich%40host%3A41%2Fx%23Vw9"
    job = Job(tmp_path, event_name="push")
    laid(job.workspace, {"README.md": ""})
    with services(docker_image, {"POSTGRES_PASSWORD": GIVEN if right else "else"}, "db", f"{USERS} {ORDERS}") as network:
        job = Job(tmp_path, event_name="push", network=network)
        for spelt in (quoted, GIVEN):
            env = {"DATABASE_URL": f"postgresql://postgres:{spelt}@db:5432/postgres", "PGPASSWORD": "Nx4amsel"}
            ended = job.step(image, {"url-env": "DATABASE_URL"}, env)
            assert ended.code == 0 if right and spelt == quoted else ended.code in (2, 4), ended.said
            assert_unseen(ended)


def test_passwords_in_settings_variables_and_inputs(image: str, tmp_path: Path) -> None:
    """Each program says all that it is told, as a debugging project may."""
    program = (
        "import os, sys\nfor name, value in os.environ.items():\n    print(name, value, flush=True)\n"
        "print(sys.argv, open('dbproof.toml').read(), file=sys.stderr)\nsys.exit(3)\n"
    )
    settings = (
        '[databases.app.migrations]\ncommand = "python migrate.py"\npass_env = ["API_TOKEN", "PGPASSWORD"]\n'
        f'env = {{ DATABASE_URL = "{{url}}", OTHER_URL = "postgresql://app:{TOLD}@db/x", SMTP_PASSWORD = "Gd6drossel" }}\n'
    )
    job = Job(tmp_path, event_name="push")
    laid(job.workspace, {"migrate.py": program, "dbproof.toml": settings})
    env = {"API_TOKEN": "Rf2elster-Rf2elster", "PGPASSWORD": "Nx4amsel", "DATABASE_URL": f"postgresql://x:{GIVEN}@db/y"}
    ended = job.step(image, env=env)
    assert ended.code in (1, 2), ended.said
    assert_unseen(ended)


@pytest.mark.parametrize(
    "inputs",
    [
        {"url-env": f"postgresql://app:{GIVEN}@db/x"},
        {"compare": f"postgresql://app:{GIVEN}@db/x"},
        {"password": "Nx4amsel"},
        {"show-values": "Nx4amsel"},
        {"url-env": "NOWHERE", "config": f"postgresql://app:{GIVEN}@db/x"},
    ],
    ids=lambda inputs: next(reversed(inputs)),
)
def test_a_password_in_an_input(inputs: dict[str, str], image: str, tmp_path: Path) -> None:
    job = Job(tmp_path, event_name="push")
    laid(job.workspace, {"dbproof.toml": SQL, "migrations/1.sql": USERS})
    ended = job.step(image, inputs)
    assert ended.code == 2, ended.said
    assert_unseen(ended)
