"""Stops a server that is known only by what it left behind: a data directory."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

_PATIENCE = 3.0

#: Files in a data directory that begin with the server's process id, and the signals that end that server at once.
PID_FILES = {
    "postmaster.pid": (signal.SIGQUIT, signal.SIGKILL),
    "mongod.lock": (signal.SIGKILL,),
    "mariadbd.pid": (signal.SIGKILL,),
}


def stop_server(file: Path) -> None:
    """Stop the server that a file of :data:`PID_FILES` names at once, if it runs. Its data are forfeit."""
    data, process = file.parent, _server(file)
    if process is None:
        return
    for number in PID_FILES[file.name]:
        with suppress(ProcessLookupError):
            os.kill(process, number)
        if _gone(process, data):
            return


def _server(file: Path) -> int | None:
    """The process id in a file, where that process really is the server of the file's directory."""
    try:
        process = abs(int(file.read_text(encoding="utf-8", errors="replace").splitlines()[0]))
    except (OSError, ValueError, IndexError):
        return None
    return process if process > 1 and _serves(process, file.parent) else None


def _serves(process: int, data: Path) -> bool:
    """A process id may belong to a stranger by now: the server's command line names its data directory."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        if Path("/proc/self").exists():
            return False
        said = subprocess.run(  # noqa: S603 (a fixed program and a number)
            ["/bin/ps", "-ww", "-o", "args=", "-p", str(process)], capture_output=True, check=False, timeout=5
        )
        words = said.stdout
    return os.fsencode(data) in words


def _gone(process: int, data: Path) -> bool:
    """Wait until a process is gone, taking its exit status where it is our own child. A zombie has no command line any more."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        with suppress(ChildProcessError):
            os.waitpid(process, os.WNOHANG)
        if not _serves(process, data):
            return True
        time.sleep(0.005)
    return False
