"""Services as processes of their own, on free ports."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from proving import DBPROOF, environment, until

READY = re.compile(r"ready to accept connections on \S+:(\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Running:
    """A service under way: its process, its port, and what it says."""

    process: subprocess.Popen[bytes]
    port: int
    words: Path

    def url(self, user: str, password: str, database: str) -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"


Serve = Callable[..., Running]


@pytest.fixture
def serve(tmp_path: Path, place: Path) -> Iterator[Serve]:
    """Starts services with these variables and arguments; they are ended with the test."""
    with ExitStack() as services:
        yield lambda variables, *arguments: services.enter_context(served(tmp_path, place, variables, *arguments))


@contextmanager
def served(tmp_path: Path, place: Path, variables: Mapping[str, str], *arguments: str) -> Iterator[Running]:
    words = tmp_path / "service.words"
    command = [DBPROOF, "service", "--port", "0", "--listen", "127.0.0.1", *arguments]
    with (
        words.open("wb") as out,
        subprocess.Popen(
            command,
            cwd=tmp_path,
            env=environment({"TMPDIR": str(place), **variables}),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        ) as process,
    ):
        try:
            until(lambda: READY.search(words.read_text()) or process.poll() is not None, words.read_text)
            found = READY.search(words.read_text())
            assert found, words.read_text()
            yield Running(process, int(found[1]), words)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(20)


@pytest.fixture
def ask() -> Callable[..., list[tuple[Any, ...]]]:
    """Executes statements at an address, each committed; the rows of the last."""

    def asked(url: str, *statements: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    return asked
