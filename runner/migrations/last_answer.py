"""What a program told last of its migrations, for as long as all that it rests on stays as it is: to start one takes time."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path

from runner.migrations.interface import Project, Revision


def question(project: Project, files: Iterable[Path]) -> Hashable:
    """Which project is asked with which settings, and these files as they are now."""
    seen = tuple((str(path), path.stat().st_ino, path.stat().st_mtime_ns, path.stat().st_size) for path in files)
    return project.root, project.directory, repr(project.settings), seen


class LastAnswer:
    """The answer to the question that was asked last."""

    def __init__(self) -> None:
        self._last: tuple[Hashable, Sequence[Revision]] | None = None

    def knows(self, asked: Hashable) -> bool:
        """Whether it is the answer to this question."""
        return self._last is not None and self._last[0] == asked

    def keep(self, asked: Hashable, revisions: Sequence[Revision]) -> None:
        """Keep what was told, in the place of what was told before."""
        self._last = asked, revisions

    def to(self, asked: Hashable, ask: Callable[[], Sequence[Revision]]) -> Sequence[Revision]:
        """The answer, for which the program is asked where another question was the last."""
        last = self._last
        if last is None or last[0] != asked:
            last = self._last = asked, ask()
        return last[1]
