"""Builds base and head of small repositories in this process, and sees what was said on the way: no checks, no reports."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from runner import git
from runner.build import built
from runner.judging import plan
from runner.output import Output
from runner.plan import Pair
from runner.redaction import Redactor
from runner.settings.load import load


@dataclass
class Said:
    """A progress that remembers what each stage came to, by its name (of several of one name the last), and the ``secrets``."""

    stages: dict[str, str] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[_Stage]:
        """Begin a stage."""
        yield _Stage(name, self.stages)

    def note(self, label: str, text: str, origin: str = "") -> None:
        """Nothing."""


@dataclass
class _Stage:
    name: str
    stages: dict[str, str]

    def say(self, text: str) -> None:
        self.stages[self.name] = text

    failed = skipped = say


@contextmanager
def pair(root: Path, compare: str = "main", *checks: str) -> Iterator[tuple[Pair, Said]]:
    """The one database of a repository's settings, at ``compare`` and at what lies there, as it is built for ``checks``."""
    loaded, said = load(root, {}, {}), Said()
    base = git.find_base(root, compare, {})
    output = Output(Redactor(), quiet=True, stdout=io.StringIO(), stderr=io.StringIO(), environment={})
    ((name, settings),) = loaded.settings.databases.items()
    planned = replace(
        plan(name, settings, base, loaded, output), progress=said, hide=said.secrets.append, checks=frozenset(checks)
    )
    with built(planned) as both:
        yield both, said


def based(root: Path) -> str:
    """What the stage of base came to."""
    with pair(root) as (_, said):
        return said.stages["base"]
