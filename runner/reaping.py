"""The duties of a container's first process: pass signals on, take the remains of orphans, end as the program ends.

The kernel makes every orphan a child of process 1, whose remains stay until it waits for them, and keeps signals from it that
it has no handler for. A program that is handed to :func:`as_first` runs in a child and need know nothing of this.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress

_PASSED_ON = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2})

#: What shells add to the number of the signal that ended a program.
_SIGNALLED = 128


def as_first(program: Callable[[], int]) -> int:
    """Run a program and give its exit code; as a container's first process in a child that is looked after."""
    return _looked_after(program) if os.getpid() == 1 else program()


def _looked_after(program: Callable[[], int]) -> int:
    """Signals are blocked before there is a child, so that none is lost, and then taken one by one."""
    watched = {*_PASSED_ON, signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return program()
    while True:
        number = signal.sigwait(watched)
        if number in _PASSED_ON:
            with suppress(ProcessLookupError):
                os.kill(child, number)
        code = _reaped(child)
        if code is not None:
            return code


def _reaped(child: int) -> int | None:
    """Take the remains of all who have ended; the program's exit code where it was among them."""
    code = None
    with suppress(ChildProcessError):
        while True:
            process, status = os.waitpid(-1, os.WNOHANG)
            if process == 0:
                break
            if process == child:
                code = os.waitstatus_to_exitcode(status)
    return _SIGNALLED - code if code is not None and code < 0 else code
