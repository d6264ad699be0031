"""One root for every error that a user may meet: a message, a remedy and the exit code."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes. Precedence where several apply: cancelled, 2, 4, 1, 3, 0."""

    HELD = 0
    FINDINGS = 1
    USAGE = 2
    NOTHING_CHECKED = 3
    ENVIRONMENT = 4
    INTERRUPTED = 130
    TERMINATED = 143


class DbproofError(Exception):
    """An error with what to do about it. ``message`` names the thing and its place, ``remedy`` is one or more sentences."""

    exit = Exit.ENVIRONMENT

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class UsageError(DbproofError):
    """The command line or the settings are wrong, or contradict each other."""

    exit = Exit.USAGE


class WrongAddress(UsageError):
    """The project's own tool went to another database than ours, or to none."""


class ServerFailed(DbproofError):
    """A server could not be had: no binaries, no start within the deadline, no connection."""


class NoFork(ServerFailed):
    """A server can have no second one like it: it is not ours."""


class ToolFailed(DbproofError):
    """A program that dbproof needs (git, an interpreter, a set-up command) could not do its work."""


class UnreadableFile(ToolFailed):
    """A migration's file that no server takes, however it is sent: ``said`` is why, ``line`` (from 1) where, if that is known."""

    def __init__(self, file: str, line: int | None, said: str, remedy: str) -> None:
        super().__init__(f"{file if line is None else f'{file}:{line}'}: {said}", remedy)
        self.file = file
        self.line = line
        self.said = said


class Cancelled(BaseException):
    """SIGINT (130) or SIGTERM (143) came. Raised in the main thread by the handlers that the command line installs.

    Like KeyboardInterrupt it is no Exception: what outlives any failure (a check that broke, a library's own retry) must not
    swallow it.
    """

    def __init__(self, exit_code: Exit) -> None:
        self.message = "cancelled by SIGINT" if exit_code is Exit.INTERRUPTED else "cancelled by SIGTERM"
        super().__init__(self.message)
        self.remedy = ""
        self.exit = exit_code


_PRECEDENCE = (
    Exit.INTERRUPTED,
    Exit.TERMINATED,
    Exit.USAGE,
    Exit.ENVIRONMENT,
    Exit.FINDINGS,
    Exit.NOTHING_CHECKED,
    Exit.HELD,
)


def strongest(codes: list[Exit]) -> Exit:
    """The exit code that wins where several apply; ``HELD`` where there are none."""
    return min(codes, key=_PRECEDENCE.index, default=Exit.HELD)
