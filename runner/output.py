"""The only writer to stdout and stderr. Everything that passes is redacted and neutralised; foreign text is never markup.

Progress and errors go to stderr, results to stdout, so that both can be used apart. On a terminal stages live and lines are
coloured (not with ``NO_COLOR``) and folded; elsewhere every line is plain and as long as it is. GitHub's runner reads both
streams for commands: no line of ours can be one.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, TextIO, cast

from runner import __version__
from runner.errors import DbproofError
from runner.progress import Progress, Silent, Stage
from runner.redaction import Redactor
from runner.report import Report
from runner.stream import SafeStream
from runner.text import clean, neutralise, single_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from runner.reports.github_commands import Command

#: Widths of columns: a label, a note before its origin, a stage's text.
_LABEL = 12
_NOTE = 32
_STAGE = 50
_WIDE = 100

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_PLAIN_FRAMES = "|/-\\"
_FRAMES_A_SECOND = 10
_SIGNS = {"✓": "bold green", "✗": "bold red", "-": "dim"}

_Safe = Callable[[str], str]


class Output:
    """Shows a run to people, and hands lines to programs.

    ``quiet`` leaves findings, errors and the verdict. The streams and the environment are the process's own unless given.
    """

    def __init__(
        self,
        redactor: Redactor,
        quiet: bool = False,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._redactor = redactor
        self._quiet = quiet
        self._environment = dict(os.environ if environment is None else environment)
        self._stdout = SafeStream(sys.stdout if stdout is None else stdout, self._environment)
        self._stderr = SafeStream(sys.stderr if stderr is None else stderr, self._environment)
        self._token = ""

    @property
    def redactor(self) -> Redactor:
        """What hides secrets: whoever makes one registers it here."""
        return self._redactor

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment that dbproof was started in."""
        return self._environment

    @cached_property
    def progress(self) -> Progress:
        """Where the pipeline says what it is doing: notes and stages on stderr, nothing when quiet."""
        return Silent() if self._quiet else _Shown(self._stderr, self._err, self._safe_line)

    def header(self, text: str = "") -> None:
        """The first line: ``dbproof 0.1.0 · text``."""
        if not self._quiet:
            said = f" · {self._safe_line(text)}" if text else ""
            line = _styled((f"dbproof {__version__}", "bold"), (said, ""))
            _print(self._err, _folded(line, 2, _width(self._stderr, self._err)))

    def report(self, report: Report, show_all: bool = False) -> None:
        """Findings, what was proven and what was not, and the verdict last, on stdout."""
        from runner.reports import console

        shown = console.lines(clean(report, self._redactor), show_all, self._quiet, _width(self._stdout, self._out))
        _print(self._out, [] if self._quiet else [_styled()])
        _print(self._out, shown)

    def error(self, error: DbproofError) -> None:
        """An error with its remedy, on stderr."""
        from runner.reports import console

        safe = DbproofError(self._safe(error.message), self._safe(error.remedy))
        safe.exit = error.exit
        _print(self._err, console.error_lines(safe, _width(self._stderr, self._err)))

    def question(self, text: str) -> None:
        """A question to whoever sits at the terminal, answered on its own line."""
        self._stderr.write(f"{self._safe_line(text)} [y/N] ")

    def line(self, text: str, *, revealing: bool = False) -> None:
        """Text for programs, on stdout: never folded, cut or coloured.

        ``revealing`` lets secrets pass, for what was asked for by name (the address that ``dbproof up`` gives).
        """
        redacted = text if revealing else self._redactor.redact(text)
        self._stdout.write(neutralise(redacted, limit=None) + "\n")

    @contextmanager
    def without_commands(self) -> Iterator[Output]:
        """Have GitHub's runner ignore whatever looks like a command in this process's streams, but for :meth:`commands`.

        Nothing that passes here can be one anyway; this holds for what does not pass here, as the words of a library in C.
        """
        from runner.reports import github_commands

        if self._environment.get("GITHUB_ACTIONS") != "true":
            yield self
            return
        self._token = github_commands.new_token()
        self._stdout.command(str(github_commands.stop(self._token)))
        try:
            yield self
        finally:
            token, self._token = self._token, ""
            self._stdout.command(str(github_commands.resume(token)))

    def commands(self, commands: Iterable[Command]) -> None:
        """Commands of ours to GitHub's runner. Their text is a report's, so it is redacted and neutralised already."""
        from runner.reports import github_commands

        if self._token:
            self._stdout.command(str(github_commands.resume(self._token)))
        for command in commands:
            self._stdout.command(str(command))
        if self._token:
            self._token = github_commands.new_token()
            self._stdout.command(str(github_commands.stop(self._token)))

    def _safe(self, text: str) -> str:
        return self._redactor.redact(neutralise(self._redactor.redact(text)))

    def _safe_line(self, text: str) -> str:
        return self._redactor.redact(single_line(self._redactor.redact(text)))

    @cached_property
    def _out(self) -> Console:
        return _console(self._stdout, self._environment)

    @cached_property
    def _err(self) -> Console:
        return _console(self._stderr, self._environment)


class _Shown:
    """Progress on stderr: a header of notes, then a line for each stage, which lives while it lasts on a terminal."""

    def __init__(self, stream: SafeStream, console: Console, safe: _Safe) -> None:
        self._stream = stream
        self._console = console
        self._safe = safe
        self._staged = False
        self._redrawing = False
        self._width = _width(stream, console)

    def note(self, label: str, text: str, origin: str = "") -> None:
        """``  database    app: PostgreSQL 16        .github/workflows/test.yml:22``."""
        before = f"  {self._safe(label):<{_LABEL}}"
        said, source = self._safe(text), self._safe(origin)
        gap = " " * max(2, _NOTE - len(said)) if source else ""
        line = _styled((before, "bold"), (said, ""), (gap + source, "dim"))
        _print(self._console, _folded(line, len(before), self._width))

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Begin a stage. Its line is printed when it ends, also when an exception ends it."""
        if not self._staged:
            self._staged = True
            _print(self._console, [_styled()])
        stage = _ShownStage(self._safe(name), self._safe, self._width or _WIDE)
        try:
            with self._living(stage):
                yield stage
        except BaseException:
            stage.end("✗", stage.text or "stopped")
            raise
        finally:
            _print(self._console, _folded(stage.line(), _LABEL + 2, self._width))

    def _living(self, stage: _ShownStage) -> AbstractContextManager[object]:
        """Redraw the stage until it ends, where a person sees it; a stage within a stage does not get a second place."""
        return self._redrawn(stage) if self._stream.terminal and not self._redrawing else nullcontext()

    @contextmanager
    def _redrawn(self, stage: _ShownStage) -> Iterator[None]:
        from rich.live import Live

        frames = _FRAMES if self._stream.has_signs else _PLAIN_FRAMES
        live = Live(
            get_renderable=lambda: stage.line(frames[int(time.monotonic() * _FRAMES_A_SECOND) % len(frames)]),
            console=self._console,
            transient=True,
            refresh_per_second=_FRAMES_A_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._redrawing = True
        try:
            with live:
                yield
        finally:
            self._redrawing = False


class _ShownStage:
    """A stage under way: its name, what was said last, and how it ended."""

    def __init__(self, name: str, safe: _Safe, width: int) -> None:
        self._name = f"{name:<{_LABEL - 3}} "
        self._room = max(min(_STAGE, width - len(self._name) - 14), 1)
        self._safe = safe
        self._began = time.monotonic()
        self._sign = "✓"
        self.text = ""

    def say(self, text: str) -> None:
        """Replace the stage's text."""
        self.text = self._safe(text)

    def failed(self, text: str) -> None:
        """End with a cross."""
        self.end("✗", self._safe(text))

    def skipped(self, text: str) -> None:
        """End with a dash."""
        self.end("-", self._safe(text))

    def end(self, sign: str, text: str) -> None:
        """Take the sign and the text that the stage's line will have."""
        self._sign, self.text = sign, text

    def line(self, frame: str = "") -> Text:
        """The stage's line: its sign, or a frame of the spinner while it lasts."""
        took = f"{time.monotonic() - self._began:.1f} s"
        sign = frame or self._sign
        return _styled(
            (f"  {sign} ", _SIGNS.get(sign, "cyan")),
            (self._name, "bold" if frame else ""),
            (f"{self.text:<{self._room}} ", ""),
            (f"{took:>8}", "dim"),
        )


def _console(stream: SafeStream, environment: Mapping[str, str]) -> Console:
    """A console that adds nothing of its own: no markup, no emoji codes, no highlighting, colours only on a terminal."""
    from rich.console import Console

    return Console(
        file=cast("TextIO", stream),
        force_terminal=stream.terminal,
        color_system="auto" if stream.terminal else None,
        no_color=bool(environment.get("NO_COLOR")),
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        _environ=environment,
    )


def _width(stream: SafeStream, console: Console) -> int | None:
    """A terminal's columns; nothing is folded elsewhere."""
    return console.width if stream.terminal else None


def _folded(text: Text, hang: int, width: int | None) -> Iterable[Text]:
    from runner.reports import console

    return console.folded(text, hang, width)


def _styled(*parts: tuple[str, str]) -> Text:
    from rich.text import Text

    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


def _print(console: Console, lines: Iterable[Text]) -> None:
    for line in lines:
        console.print(line, soft_wrap=True)
