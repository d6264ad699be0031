from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

import pytest
from reports.commands import commands
from reports.sample import HOSTILE, ORPHANS, TYPICAL, everything

from runner.errors import Exit, UsageError
from runner.output import Output
from runner.redaction import Redactor

ROOT = Path(__file__).parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}


@dataclass
class Streams:
    """Two streams that nobody watches, and an output on them."""

    out: io.StringIO = field(default_factory=io.StringIO)
    err: io.StringIO = field(default_factory=io.StringIO)

    def output(self, *secrets: str, quiet: bool = False) -> Output:
        redactor = Redactor()
        for secret in secrets:
            redactor.add(secret)
        return Output(redactor, quiet, self.out, self.err, {"TERM": "xterm", "FORCE_COLOR": "1", "COLUMNS": "20"})


@pytest.fixture
def streams() -> Streams:
    return Streams()


class Terminal:
    """A pseudo-terminal: what is written to ``stream`` can be read as it went to the screen."""

    def __init__(self) -> None:
        self._controller, worker = os.openpty()
        self.stream: TextIO = os.fdopen(worker, "w", encoding="utf-8", newline="")

    def seen(self) -> str:
        """Everything so far, after closing the stream."""
        os.set_blocking(self._controller, False)
        chunks = []
        while True:
            try:
                chunks.append(os.read(self._controller, 65536))
            except (BlockingIOError, OSError):
                break
        return b"".join(chunks).decode()

    def close(self) -> None:
        self.stream.close()
        os.close(self._controller)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.close()


def without_codes(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_stages_are_one_plain_line_each_when_nobody_watches(streams: Streams) -> None:
    output = streams.output()
    output.header("reading the repository")
    output.progress.note("database", "app: PostgreSQL 16", ".github/workflows/test.yml:22")
    output.progress.note("migrations", "Alembic, 143 revisions, 1 new and a long text")
    with output.progress.stage("server") as stage:
        stage.say("starting")
        stage.say("ready")
    with output.progress.stage("migrate") as stage:
        stage.failed("refused on rows")
    with output.progress.stage("measure") as stage:
        stage.skipped("not asked for")
    assert streams.out.getvalue() == ""
    text = re.sub(r"\d\.\d s", "0.0 s", streams.err.getvalue())
    assert text == (
        "dbproof 0.1.0 · reading the repository\n"
        "  database    app: PostgreSQL 16              .github/workflows/test.yml:22\n"
        "  migrations  Alembic, 143 revisions, 1 new and a long text\n"
        "\n"
        "  ✓ server    ready                                                 0.0 s\n"
        "  ✗ migrate   refused on rows                                       0.0 s\n"
        "  - measure   not asked for                                         0.0 s\n"
    )


@pytest.mark.parametrize(("said", "shown"), [("", "stopped"), ("starting", "starting")])
def test_an_exception_marks_the_stage_and_goes_on(streams: Streams, said: str, shown: str) -> None:
    def interrupted() -> None:
        with streams.output().progress.stage("server") as stage:
            stage.say(said)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert streams.err.getvalue().splitlines()[-1].startswith(f"  ✗ server    {shown} ")


def test_stages_within_stages(terminal: Terminal) -> None:
    output = Output(Redactor(), stdout=io.StringIO(), stderr=terminal.stream, environment={"TERM": "xterm"})
    with output.progress.stage("outer") as outer, output.progress.stage("inner") as inner:
        inner.say("one")
        outer.say("two")
    text = without_codes(terminal.seen())
    assert re.search(r"✓ inner +one", text)
    assert re.search(r"✓ outer +two", text)


def test_a_terminal_gets_colours_a_live_stage_and_its_cursor_back(terminal: Terminal) -> None:
    output = Output(Redactor(), stdout=terminal.stream, stderr=terminal.stream, environment={"TERM": "xterm", "COLUMNS": "60"})
    with output.progress.stage("server") as stage:
        stage.say("under way")
    output.report(TYPICAL)
    text = terminal.seen()
    assert "\x1b[1;31mERROR\x1b[0m" in text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1
    assert "⠋" in text or any(frame in text for frame in "⠙⠹⠸⠼⠴⠦⠧⠇⠏")
    assert all(len(line) <= 60 for line in without_codes(text).split("\r\n")[-30:])


@pytest.mark.parametrize("environment", [{"TERM": "xterm", "NO_COLOR": "1"}, {"TERM": "dumb", "FORCE_COLOR": "1"}])
def test_no_colours_where_none_are_wanted(terminal: Terminal, environment: Mapping[str, str]) -> None:
    output = Output(Redactor(), stdout=terminal.stream, stderr=terminal.stream, environment=environment)
    with output.progress.stage("server"):
        pass
    output.report(TYPICAL)
    assert not re.search(r"\x1b\[[0-9;]*[34][0-9]", terminal.seen())


def test_hostile_text_cannot_reach_a_terminal(terminal: Terminal) -> None:
    output = Output(Redactor(), stdout=terminal.stream, stderr=terminal.stream, environment={"TERM": "xterm", "NO_COLOR": "1"})
    output.progress.note(HOSTILE, HOSTILE, HOSTILE)
    with output.progress.stage(HOSTILE) as stage:
        stage.say(HOSTILE)
    output.error(UsageError(HOSTILE, HOSTILE))
    text = without_codes(terminal.seen()).replace("\r\n", "\n")
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e\u200b]", text.replace("\x1b[2K", ""))


def test_the_report_goes_to_stdout_uncoloured_and_unfolded(streams: Streams) -> None:
    streams.output().report(TYPICAL)
    text = streams.out.getvalue()
    assert text.startswith("\nERROR  migration-failed · 9a41")
    assert text.endswith("· exit 1\n")
    assert "\x1b" not in text
    assert "  Green on an empty table, red on any row. The checks went on, on an empty copy.\n" in text
    assert streams.err.getvalue() == ""


def test_quiet_leaves_findings_errors_and_the_verdict(streams: Streams) -> None:
    output = streams.output(quiet=True)
    output.header("text")
    output.progress.note("a", "b")
    with output.progress.stage("server") as stage:
        stage.say("ready")
    assert streams.err.getvalue() == ""
    output.report(TYPICAL)
    output.error(UsageError("wrong", "do it right"))
    assert streams.out.getvalue().startswith("ERROR  migration-failed")
    assert "Proven" not in streams.out.getvalue()
    assert streams.err.getvalue() == "ERROR  wrong\n  Remedy: do it right\n"


def test_everything_is_redacted(streams: Streams) -> None:
    secret = "hunter2/hunter2"
    output = streams.output(secret)
    output.header(f"a {secret}")
    output.progress.note(secret, f"b {secret}", f"postgresql://u:{secret}@h")
    with output.progress.stage(f"c {secret}") as stage:
        stage.say(f"d {secret}")
    with output.progress.stage("e") as stage:
        stage.failed(f"f hunter2%2Fhunter2 {secret}")
    output.report(replace(TYPICAL, databases=everything(secret).databases), show_all=True)
    output.error(UsageError(f"g {secret}", f"h {secret}"))
    output.line(f"i {secret} postgresql://u:p@h")
    assert "hunter2" not in streams.out.getvalue() + streams.err.getvalue()
    assert streams.out.getvalue().endswith("i *** postgresql://u:***@h\n")


def test_lines_for_programs_are_left_whole(streams: Streams) -> None:
    output = streams.output("hunter22")
    long = "x" * 100_000
    output.line(f"URL=postgresql://u:hunter22@h/d\n{long}", revealing=True)
    assert streams.out.getvalue() == f"URL=postgresql://u:hunter22@h/d\n{long}\n"


def test_no_line_is_a_command(streams: Streams) -> None:
    output = streams.output()
    output.header(HOSTILE)
    with output.progress.stage(HOSTILE):
        pass
    output.report(everything(HOSTILE), show_all=True)
    output.error(UsageError(HOSTILE, HOSTILE))
    output.line(HOSTILE)
    output.line("::error::x", revealing=True)
    log = streams.out.getvalue() + streams.err.getvalue()
    assert commands(log) == []
    assert "\r" not in log
    assert "\\x3a:error::x" in log


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_any_encoding_can_be_written(encoding: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    output = Output(Redactor(), stdout=stream, stderr=stream, environment={})
    with output.progress.stage("server") as stage:
        stage.say("ready → 日本")
    output.report(replace(TYPICAL, databases=(replace(TYPICAL.databases[0], notes=("é 日本",)),)))
    text = raw.getvalue().decode(encoding)
    if encoding == "utf-8":
        assert "✓ server    ready → 日本" in text
    else:
        assert "+ server    ready -> \\u65e5\\u672c" in text
        assert f"ERROR  migration-failed {'-' if encoding == 'ascii' else '·'} 9a41" in text


def test_all_the_signs_of_ours_have_a_plain_form() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    output = Output(Redactor(), stdout=stream, stderr=stream, environment={})
    findings = tuple(replace(ORPHANS, subject=f"t{number}") for number in range(30))
    database = TYPICAL.databases[0]
    checks = (replace(database.checks[1], findings=findings), *database.checks[2:])
    output.report(replace(TYPICAL, databases=(replace(database, checks=checks),)))
    for method in ("say", "failed", "skipped"):
        with output.progress.stage("x") as stage:
            getattr(stage, method)("y")
    assert b"\\u" not in raw.getvalue()
    assert b"\\x" not in raw.getvalue()


SCRIPT = """
import sys
from reports.sample import TYPICAL
from runner.output import Output
from runner.redaction import Redactor
output = Output(Redactor())
sys.stdin.read()
for _ in range(200):
    output.report(TYPICAL)
sys.exit(7)
"""


def test_a_reader_that_goes_away_is_no_error() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    child.stdout.close()
    child.stdout = None
    _, complaints = child.communicate("", timeout=60)
    assert child.returncode == 7
    assert complaints == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_below_stdout_is_no_error() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (7, b"")


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    script = "import sys, runner.output; print([n for n in ('rich', 'pydantic', 'sqlalchemy', 'junit_xml') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


def test_an_error_keeps_its_exit_code(streams: Streams) -> None:
    error = UsageError("a\nb", "c")
    streams.output().error(error)
    assert streams.err.getvalue() == "ERROR  a\n  b\n  Remedy: c\n"
    assert error.exit is Exit.USAGE
