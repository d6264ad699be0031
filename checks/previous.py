"""What became of the previous release on the schema of the new one, as frozen data."""

from __future__ import annotations

from dataclasses import dataclass

from checks.evidence import Place


@dataclass(frozen=True)
class BrokenStatement:
    """Statements of the previous release that the server does not understand any more, all for the same reason.

    ``code`` and ``said`` are the server's, ``texts`` some of the statements without their values, ``times`` how many differ.
    ``revision`` and ``place`` are the new migration after which they break, where that is known.
    """

    code: str
    said: str
    texts: tuple[str, ...]
    times: int
    revision: str | None = None
    place: Place | None = None


@dataclass(frozen=True)
class OwnTests:
    """Base's own tests on head's schema: ``said`` are the last words where they failed, ``place`` where, as far as is known.

    ``failed`` says that they cannot tell anything, as they could not start or fail on base's own schema too; ``gap`` is why they
    were not tried.
    """

    command: str
    said: str = ""
    place: Place | None = None
    gap: str = ""
    failed: str = ""


@dataclass(frozen=True)
class Previous:
    """The previous release on the new schema. ``statements`` of it were prepared, ``left`` are those that base refuses too.

    ``gap`` is why none were, ``failed`` why the program that was to send them could not; ``tests`` is ``None`` where the settings
    name none.
    """

    statements: int = 0
    left: int = 0
    broken: tuple[BrokenStatement, ...] = ()
    gap: str = ""
    failed: str = ""
    tests: OwnTests | None = None
