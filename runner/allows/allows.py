"""All that a repository accepts: what its settings say, and the comments in the files of its migrations."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from checks.evidence import Place
from checks.interface import Engine
from runner.allows.allow import Allow
from runner.allows.comments import remarks
from runner.allows.words import allows_of
from runner.settings.lines import line_of
from runner.settings.load import Loaded

#: A longer file is no migration of anybody's, and is not searched.
_MOST_BYTES = 20_000_000


@dataclass(frozen=True)
class Allows:
    """``declared`` are those of the settings; files are read below ``root`` when a finding or a migration names them.

    ``known`` are the ids that a comment may name; ``today`` decides what is past its date.
    """

    declared: tuple[Allow, ...] = ()
    root: Path | None = None
    known: Collection[str] = ()
    today: date = field(default_factory=lambda: datetime.now(UTC).date())
    _read: dict[tuple[str, Engine], tuple[Allow, ...]] = field(default_factory=dict)

    def of(self, check: str, subject: str, place: Place | None, engine: Engine) -> tuple[Allow, ...]:
        """Every allow of a finding, those in time first, of these the settings' own first."""
        candidates = (*self.declared, *(self.in_file(place.file, engine) if place else ()))
        found = [allow for allow in candidates if allow.accepts(check, subject, place)]
        return tuple(sorted(found, key=lambda allow: allow.expired(self.today)))

    def in_file(self, file: str, engine: Engine) -> tuple[Allow, ...]:
        """The allows in the comments of a file, with those that accept nothing; none where it cannot be read."""
        if (file, engine) not in self._read:
            said = remarks(file, _content(self.root, file), engine) if self.root else ()
            self._read[file, engine] = tuple(allow for one in said for allow in allows_of(one, file, self.known))
        return self._read[file, engine]


def allows_in(loaded: Loaded) -> Allows:
    """What a repository accepts, by its settings file and the files of its checkout."""
    from checks.registries.every import CHECKS

    return Allows(tuple(_declared(loaded)), loaded.root, CHECKS.keys())


def _declared(loaded: Loaded) -> Iterator[Allow]:
    document, text = loaded.document, ""
    if document and loaded.settings.allow:
        with suppress(OSError):  # it was read once; that it is gone by now costs the lines, not the report
            text = document.path.read_text("utf-8-sig", "replace")
    for number, one in enumerate(loaded.settings.allow):
        line = line_of(text, (*(document.prefix if document else ()), "allow", str(number)))
        yield Allow(one.check, one.reason, Place(document.name if document else "", line), one.subject, one.until)


def _content(root: Path, file: str) -> bytes:
    """What a file of the repository holds; nothing where it is none, or lies elsewhere."""
    try:
        path = (root / file).resolve()
        if path.is_relative_to(root.resolve()) and path.is_file() and path.stat().st_size <= _MOST_BYTES:
            return path.read_bytes()
    except (OSError, ValueError):
        pass
    return b""
