"""The only code that starts the user's processes: argument lists, a clean environment, a deadline, and nothing left behind.

Every child leads a session of its own and carries a mark (``DBPROOF_CHILD``) in its environment, by which descendants are
found that left the session. The mark is a private directory with a named pipe, through which programs of ours that run
inside the user's processes talk; a lock on it tells the next run that its owner is dead.
"""

from __future__ import annotations

import errno
import os
import selectors
import shutil
import signal
import subprocess
import time
from collections import deque
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Thread

from runner.channels import MARK, Channel
from runner.channels import sweep as sweep
from runner.errors import ToolFailed
from runner.forks import Process, forked
from runner.lines import Line, Lines, Message, message

#: Seconds between asking a group to end and killing it.
GRACE = 2.0

_TAIL = 200
_LONGEST_LINE = 8_192
_LONGEST_MESSAGE = 4_194_304
_LOOK_AGAIN = 0.1
_CHUNK = 65_536
_LEFT_IN_A_PIPE = 1_048_576


@dataclass(frozen=True)
class Command:
    """What to start. ``environment`` is all that the child gets; ``timeout`` is in seconds of wall time.

    ``output`` is a descriptor that standard output goes to; without one it is heard, together with standard error. ``varying`` is
    given for programs of ours that can be forked off one that stands by (runner/forks.py): the variables that other starts of the
    same program may have otherwise.
    """

    arguments: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str] = field(repr=False)
    timeout: float
    output: int | None = None
    varying: frozenset[str] | None = None


@dataclass(frozen=True)
class Finished:
    """The child is gone, and everything it started. ``status`` is negative for a signal; ``tail`` are its last lines."""

    status: int
    timed_out: bool
    tail: tuple[str, ...]


Heard = Line | Message | Finished


def listen(command: Command) -> Generator[Heard, None, None]:
    """Start a program and yield what it says, then :class:`Finished`.

    Close the iterator (``contextlib.closing``) where it is not read to its end: however this ends, the program and all that it
    started are gone after. Raises :class:`ToolFailed` where the program cannot be started.
    """
    sweep()
    with ExitStack() as stack:
        channel = stack.enter_context(Channel())
        process = (forked(command, channel, _start, _end) if command.varying is not None else None) or _start(command, channel)
        stack.callback(_end, process)
        channel.started()
        tail: deque[str] = deque(maxlen=_TAIL)
        deadline = time.monotonic() + command.timeout
        for heard in _read(process, channel, deadline):
            if isinstance(heard, Line):
                tail.append(heard.text)
            yield heard
        timed_out = process.poll() is None
        stack.pop_all().close()
        yield Finished(process.wait(), timed_out, tuple(tail))


def run(command: Command) -> Finished:
    """Start a program, wait for its end and give its last lines; raises as :func:`listen` does."""
    for heard in listen(command):
        if isinstance(heard, Finished):
            return heard
    raise ToolFailed(f"'{command.arguments[0]}' gave no sign of its end")


def captured(command: Command, most: int) -> tuple[Finished, bytes]:
    """As :func:`run`, with all of standard output; the last lines are those of standard error alone.

    Of more than ``most`` bytes the first of them are given with one more, and the program cannot write further.
    """
    reading, writing = os.pipe()
    said = bytearray()
    collecting = Thread(target=_collect, args=(reading, said, most), daemon=True)
    collecting.start()
    try:
        finished = run(replace(command, output=writing))
    finally:
        os.close(writing)  # all that could write is gone, so this is the end of it
        collecting.join(GRACE)
    return finished, bytes(said)


def _collect(descriptor: int, said: bytearray, most: int) -> None:
    try:
        while len(said) <= most and (chunk := os.read(descriptor, _CHUNK)):
            said += chunk[: most + 1 - len(said)]
    finally:
        os.close(descriptor)


def _start(command: Command, channel: Channel, kept: int | None = None) -> subprocess.Popen[bytes]:
    """Start it; with a descriptor that it is to keep, it is one that stands by and is not heard."""
    environment = {**command.environment, MARK: str(channel.directory)}
    program = command.arguments[0]
    try:
        return subprocess.Popen(  # noqa: S603 - the user's own program, as an argument list
            command.arguments,
            cwd=command.directory,
            env=environment,
            executable=shutil.which(program, path=environment.get("PATH", os.defpath)) if os.sep not in program else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if kept is not None else channel.written if command.output is None else command.output,
            stderr=subprocess.DEVNULL if kept is not None else channel.written,
            start_new_session=True,
            pass_fds=() if kept is None else (kept,),
        )
    except OSError as error:
        raise _cannot_start(command, error) from error


def _cannot_start(command: Command, error: OSError) -> ToolFailed:
    program = command.arguments[0]
    if not command.directory.is_dir():
        return ToolFailed(
            f"'{program}' cannot start: there is no directory {command.directory}", "Set `directory` to where it runs."
        )
    if error.errno == errno.ENOENT:
        remedy = "Install it here, or let `setup` bring it; a path is relative to the directory that the program runs in."
        return ToolFailed(f"'{program}' was not found, neither on PATH nor as a file", remedy)
    return ToolFailed(f"'{program}' cannot start: {error.strerror}", "Make it an executable program for this machine.")


def _read(process: Process, channel: Channel, deadline: float) -> Iterator[Line | Message]:
    """What comes until the child has ended or the deadline is over, whichever is first."""
    output, lines, messages = channel.output, Lines(_LONGEST_LINE), Lines(_LONGEST_MESSAGE)
    os.set_blocking(output, False)
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        selector.register(channel.events, selectors.EVENT_READ)
        after_end = 0
        while time.monotonic() < deadline:
            ended = process.poll() is not None
            selector.select(0 if ended else _LOOK_AGAIN if output in selector.get_map() else _LOOK_AGAIN / 10)
            told, said = _take(channel.events), _take(output)
            yield from (message(text) for text in messages.feed(told or b""))
            yield from (Line(text) for text in lines.feed(said or b""))
            if said is None and output in selector.get_map():
                selector.unregister(output)
            after_end += len(said or b"") if ended else 0
            # A descendant may write for ever; what the child itself wrote is in the pipe when it has ended.
            if ended and ((not said and not told) or after_end > _LEFT_IN_A_PIPE):
                break
    yield from (Line(text) for text in lines.rest())


def _take(descriptor: int) -> bytes | None:
    """What can be read without waiting: empty for nothing yet, ``None`` at the end."""
    try:
        return os.read(descriptor, _CHUNK) or None
    except BlockingIOError:
        return b""


def _end(process: Process) -> None:
    """End the child's whole group: ask, wait a little, kill. Who left the group is found by the mark when the channel goes."""
    try:
        if _signal_group(process, signal.SIGTERM):
            until = time.monotonic() + GRACE
            while time.monotonic() < until and _signal_group(process, 0):
                time.sleep(_LOOK_AGAIN / 10)
    finally:
        _signal_group(process, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired, TimeoutError):
            process.wait(GRACE)


def _signal_group(process: Process, number: int) -> bool:
    """Signal the group that the child leads; whether there is still anyone in it."""
    if process.poll() is not None:
        # As the first process of a container we inherit orphans, and their remains would keep the group alive.
        with suppress(ChildProcessError):
            os.waitpid(-process.pid, os.WNOHANG)
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
