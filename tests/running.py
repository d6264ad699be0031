"""What runs on this machine, for tests that nothing is left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

import psutil


class Running(NamedTuple):
    """A process: its number, its group's and its command line."""

    pid: int
    group: int
    arguments: str


def running() -> Iterator[Running]:
    """Every process that has a command line; one that ends while it is looked at is not there any more."""
    for process in psutil.process_iter():
        try:
            arguments = " ".join(process.cmdline())
            group = os.getpgid(process.pid)
        except (psutil.Error, ProcessLookupError):
            continue
        if arguments:
            yield Running(process.pid, group, arguments)
