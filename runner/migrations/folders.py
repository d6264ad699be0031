"""Where migrations of SQL tools usually lie, and which folder of those holds a tool's files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from checks.evidence import Place
from runner.migrations.interface import Detected
from runner.settings.model import MigrationSettings, Tool

_FOLDERS = ("migrations", "db/migrations", "database/migrations", "sql/migrations", "sql/schema", "internal/db/migrations")
_STARTS = ("", "*/")


def holding(root: Path, fits: Callable[[Path], bool]) -> list[Path]:
    """The first file that fits, by name, of each usual folder of the root and of the folders below it that has one."""
    places = sorted({place for start in _STARTS for folder in _FOLDERS for place in root.glob(f"{start}{folder}")})
    found = [next((path for path in sorted(place.glob("*.sql")) if fits(path)), None) for place in places if place.is_dir()]
    return [path for path in found if path is not None and "node_modules" not in path.parts]


def detected(tool: Tool, root: Path, found: Sequence[Path], *, sure: bool) -> Detected | None:
    """What was found, the first for all; never sure of one of several."""
    if not found:
        return None
    place = found[0].relative_to(root)
    settings = MigrationSettings(tool=tool, directory=place.parent.as_posix())
    return Detected(settings, Place(place.as_posix()), sure=sure and len(found) == 1)
