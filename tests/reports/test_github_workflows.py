"""This repository's workflows and those that its documentation shows: actionlint and zizmor have nothing to say about them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "tests" / "tools" / "actionlint"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PAGE = ROOT / "docs" / "github.md"
SERVICE = ROOT / "docs" / "service.md"
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
SNIPPETS = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
SNIPPETS += re.findall(r"^<!-- snippet: github -->\n```yaml\n(.*?)^```$", SERVICE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
#: What stands around a snippet that shows a part of a workflow only.
JOBS = "name: databases\non: pull_request\npermissions: {}\n"
STEPS = f"{JOBS}jobs:\n  dbproof:\n    runs-on: ubuntu-latest\n    permissions:\n      contents: read\n"
#: Building from an empty cache fetches a dozen modules.
_PATIENCE = 600


def whole(snippet: str) -> str:
    """A snippet as a workflow, with a commit and an image in the places where its reader puts one."""
    if snippet.startswith("steps:"):
        snippet = STEPS + "".join(f"    {line}\n" for line in snippet.splitlines())
    elif snippet.startswith("jobs:"):
        snippet = JOBS + snippet
    snippet = re.sub(r"image: dbproof$", "image: registry.example.org/dbproof:1", snippet, flags=re.MULTILINE)
    return snippet.replace("COMMIT", "0123456789abcdef0123456789abcdef01234567")


@pytest.fixture(scope="module")
def workflows(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """All there are, in a repository as the tools want it."""
    folder = tmp_path_factory.mktemp("repository")
    place = folder / ".github" / "workflows"
    place.mkdir(parents=True)
    shutil.copy(ROOT / "action.yml", folder)
    for file in WORKFLOWS:
        shutil.copy(file, place)
    for number, snippet in enumerate(SNIPPETS):
        (place / f"documented-{number}.yml").write_text(whole(snippet), encoding="utf-8")
    return sorted(place.iterdir())


def linted(command: list[str], directory: Path, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def actionlint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, built by Go. Without Go tests are skipped, but not on GitHub, whose machines have it."""
    if shutil.which("go") is None:
        if os.environ.get("GITHUB_ACTIONS") == "true":
            pytest.fail("actionlint must run on GitHub, and Go is not there to build it")
        pytest.skip("needs Go to build actionlint")
    program = tmp_path_factory.mktemp("actionlint") / "actionlint"
    command = ["go", "build", "-o", str(program), "github.com/rhysd/actionlint/cmd/actionlint"]
    built = linted(command, TOOLS, {"GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"})
    assert built.returncode == 0, built.stderr
    return program


def zizmor(persona: str, *files: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("zizmor")
    command = [str(program), "--offline", "--no-progress", f"--persona={persona}", "--color=never"]
    return linted([*command, *map(str, files)], files[0].parent)


def test_actionlint_is_content(actionlint: Path, workflows: list[Path]) -> None:
    ended = linted([str(actionlint), "-no-color", "-shellcheck=", "-pyflakes=", *map(str, workflows)], workflows[0].parents[2])
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_actionlint_finds_what_is_wrong(actionlint: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(whole(SNIPPETS[0]).replace("runs-on", "run-on"))
    assert linted([str(actionlint), str(wrong)], tmp_path).returncode == 1


def test_zizmor_is_content(workflows: list[Path]) -> None:
    ended = zizmor("regular", *workflows)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "No findings to report" in ended.stdout + ended.stderr


def test_our_own_workflows_please_a_pedant() -> None:
    ended = zizmor("pedantic", *WORKFLOWS, ROOT / "action.yml")
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_zizmor_finds_what_is_wrong(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(whole(SNIPPETS[0]).replace("on: pull_request", "on: pull_request_target"))
    assert zizmor("regular", wrong).returncode != 0


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_every_action_is_pinned_and_no_job_may_do_more_than_read(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text("utf-8"))
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"] == {"contents": "read"}
        assert job["timeout-minutes"] <= 30
        for step in job["steps"]:
            assert re.fullmatch(r"\./|[\w-]+/[\w-]+@[0-9a-f]{40}", step.get("uses", "./"))
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_the_action_is_used_on_every_example() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "databases.yml").read_text("utf-8"))
    examples = sorted(path.parent.name for path in (ROOT / "examples").glob("*/dbproof.toml"))
    assert workflow["jobs"]["dbproof"]["strategy"]["matrix"]["example"] == examples


def test_snippets_use_what_the_workflows_use() -> None:
    pinned = set(re.findall(r"actions/[\w-]+@\S+ # \S+", "\n".join(file.read_text("utf-8") for file in WORKFLOWS)))
    assert set(re.findall(r"actions/[\w-]+@\S+ # \S+", "\n".join(SNIPPETS))) <= pinned
    assert len(SNIPPETS) == 5


@pytest.mark.parametrize(("part", "titles"), [("inputs", "Input | What it does"), ("outputs", "Output | What it says")])
def test_the_page_s_tables_are_the_action_s(part: str, titles: str) -> None:
    (between,) = re.findall(rf"<!-- {part} -->\n(.*?)<!-- /{part} -->", PAGE.read_text("utf-8"), re.DOTALL)
    rows = [f"| `{name}` | {entry['description']} |" for name, entry in ACTION[part].items()]
    assert between.splitlines() == [f"| {titles} |", "| --- | --- |", *rows]


def test_inputs_that_snippets_set_are_there() -> None:
    for snippet in SNIPPETS:
        for job in yaml.safe_load(whole(snippet))["jobs"].values():
            for step in job["steps"]:
                if "dbproof@" in step.get("uses", ""):
                    assert set(step.get("with", {})) <= set(ACTION["inputs"])
