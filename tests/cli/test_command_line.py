"""The command line as its callers meet it: exit codes, words, speed, and nothing that leaks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner import __version__
from runner.cli import answer, crash
from runner.errors import Exit
from runner.redaction import Redactor

CLI = [sys.executable, "-m", "runner.cli"]
HEAVY = ["psycopg", "sqlalchemy", "pydantic", "docker", "rich", "sqlglot", "yaml", "pymongo", "alembic", "concurrent.futures"]


def said(capsys: pytest.CaptureFixture[str], *arguments: str, **environment: str) -> tuple[Exit, str, str]:
    code = answer(arguments, environment)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_nothing_heavy_is_imported_to_say_what_there_is(argument: str) -> None:
    program = (
        "import sys, json\nfrom runner.cli import main\nmain()\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program, argument], capture_output=True, text=True, check=True)
    assert done.stdout
    assert json.loads(done.stderr.splitlines()[-1]) == []


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "--version") == (Exit.HELD, f"dbproof {__version__}\n", "")


def test_no_command_is_a_usage_error_that_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys)
    assert code is Exit.USAGE
    for command in ("run", "check", "up", "checks", "explain", "init"):
        assert f"\n  {command} " in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rn"], "no such command 'rn'"),
        (["run", "--fail-onn", "x"], "no such option: --fail-onn"),
        (["run", "a", "b"], "unexpected extra argument"),
        (["explain"], "ID"),
        (["up", "--format", "xml"], "xml"),
        (["check"], "--url-env"),
        (["run", "--config"], "--config"),
    ],
)
def test_usage_errors(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, *arguments)
    assert (code, out) == (Exit.USAGE, "")
    assert words in err
    assert "dbproof --help" in err


def test_settings_errors_end_in_2_with_every_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "dbproof.toml").write_text("compar = 'x'\nfail_on = 'eror'\n")
    for command in (["run"], ["up"]):
        code, out, err = said(capsys, *command, str(tmp_path))
        assert (code, out) == (Exit.USAGE, "")
        assert "dbproof.toml: compar: unknown key; did you mean 'compare'?" in err
        assert "dbproof.toml: fail_on: 'eror' is not a severity to fail on; did you mean 'error'?" in err


def test_checks_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    from checks.registries.every import CHECKS

    code, out, err = said(capsys, "checks")
    head, *lines = out.splitlines()
    assert (code, err, head.split()) == (Exit.HELD, "", ["CHECK", "SEVERITY", "ENGINES", "NEEDS", "PROVES"])
    assert [line.split()[0] for line in lines] == list(CHECKS)
    for line, check in zip(lines, CHECKS.values(), strict=True):
        assert check.SEVERITY in line
        assert str(check.__doc__).splitlines()[0] in line


def test_a_check_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    from checks.registries.every import CHECKS

    for name in CHECKS:
        code, out, err = said(capsys, "explain", name)
        assert (code, err) == (Exit.HELD, "")
        assert out.startswith(f"{name} · ")
        for heading in ("\nAnti-pattern\n", "\nBest practice\n"):
            assert heading in out
        assert "```" not in out


def test_an_unknown_check_has_a_near_one(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capsys, "explain", "orphan-rows")
    assert code is Exit.USAGE
    assert "'orphan-rows' is no check; did you mean 'orphaned-rows'?" in err


def test_init_writes_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "init", str(tmp_path))[0] is Exit.HELD
    code, _, err = said(capsys, "init", str(tmp_path))
    assert code is Exit.USAGE
    assert "exists already" in err
    assert said(capsys, "init", str(tmp_path), "--force")[0] is Exit.HELD


def test_an_address_on_the_command_line_is_refused_and_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "check", "--url-env", "postgres://user:hidden-word@host/db")
    assert (code, out) == (Exit.USAGE, "")
    assert "hidden-word" not in err
    assert "expected the name of an environment variable" in err


def test_a_variable_that_is_not_set(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capsys, "check", "--url-env", "NOWHERE_URL")
    assert code is Exit.USAGE
    assert "--url-env NOWHERE_URL: that environment variable is not set" in err


def test_an_action_has_inputs_instead_of_arguments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here = {"GITHUB_ACTIONS": "true", "INPUT_PATH": str(tmp_path)}
    code, _, err = said(capsys, **here, **{"INPUT_FAIL-ON": "eror"})
    assert code is Exit.USAGE
    assert "input fail-on: 'eror' is not a severity to fail on; did you mean 'error'?" in err
    code, _, err = said(capsys, **here, INPUT_PAHT="x")
    assert code is Exit.USAGE
    assert "input paht: no such input; did you mean 'path'?" in err


def test_the_inputs_of_another_action_are_not_ours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capsys, "init", str(tmp_path), GITHUB_ACTIONS="true", INPUT_COMMAND="dbproof run", INPUT_ALL="maybe")
    assert (code, err) == (Exit.HELD, "")


def test_whatever_breaks_is_one_line_and_a_trace_without_secrets(tmp_path: Path) -> None:
    redactor = Redactor()
    redactor.add("hidden-word")
    try:
        raise ZeroDivisionError("by\nhidden-word")
    except ZeroDivisionError as broke:
        error = crash.crash(broke, str(tmp_path / "reports"), redactor)
    trace = tmp_path / "reports" / "trace.txt"
    assert error.exit is Exit.ENVIRONMENT
    assert error.message == f"dbproof itself failed: ZeroDivisionError: by hidden-word; the trace is in {trace}"
    assert "Traceback" in trace.read_text()
    assert "hidden-word" not in trace.read_text()


def test_a_trace_is_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "reports").symlink_to(tmp_path / "elsewhere")
    error = crash.crash(ValueError("x"), str(tmp_path / "reports"), Redactor())
    assert list((tmp_path / "elsewhere").iterdir()) == []
    written = Path(error.message.rpartition(" ")[2])
    assert "ValueError: x" in written.read_text()
    written.unlink()


BREAKS = """
import sys
from runner.cli import main
from checks.registries import every as registry
class Broken(dict):
    def __contains__(self, key): raise LookupError("password=hidden-word")
registry.CHECKS = Broken()
sys.exit(main())
"""


def test_nobody_sees_a_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BREAKS, "explain", "x"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (done.returncode, done.stdout) == (4, "")
    assert "dbproof itself failed: LookupError" in done.stderr
    assert "Traceback" not in done.stderr
    assert "hidden-word" not in done.stderr
    assert "hidden-word" not in (tmp_path / "dbproof-report" / "trace.txt").read_text()


@pytest.mark.parametrize("arguments", [["--help"], ["checks"], ["explain", "orphaned-rows"], []])
def test_a_pipe_that_nobody_reads_is_no_error(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run([*CLI, *arguments], stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0 if arguments else 2, "")
