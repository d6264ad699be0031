"""From files, environment, flags and inputs to one validated value, with who said what."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from checks.evidence import Place
from runner.errors import UsageError
from runner.settings import detect, services
from runner.settings.declarations import Source
from runner.settings.engines import SERVERS
from runner.settings.faults import settings_from, unknown_checks
from runner.settings.files import Document, check_root, find
from runner.settings.given import Given, given
from runner.settings.model import DatabaseSettings, Settings
from runner.settings.services import WantedImage
from runner.settings.surface import ROWS
from runner.settings.wording import Fault


@dataclass(frozen=True)
class Loaded:
    """What a run is told, and by whom.

    ``origins`` says what gave each setting of the surface: ``--fail-on``, ``DBPROOF_FAIL_ON``, ``dbproof.toml``, ``default``.
    ``images`` are the servers that production runs, by database, from the settings or read in the repository; ``detection``
    says what was recognised where no settings file is. ``notes`` are sentences for people about all of it.
    """

    settings: Settings
    root: Path
    file: Path | None = None
    origins: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, WantedImage] = field(default_factory=dict)
    detection: detect.Detection = field(default_factory=detect.Detection)
    notes: tuple[str, ...] = ()
    show_all: bool = False
    quiet: bool = False
    document: Document | None = None

    @property
    def settings_file(self) -> Path | None:
        """The settings file, relative to the root where it lies under it."""
        if self.file is None:
            return None
        whole = self.file.resolve()
        return whole.relative_to(self.root) if whole.is_relative_to(self.root) else whole

    def source(self, database: str, root: Path | None = None) -> Source:
        """Where a database is declared; ``root`` is another checkout whose files are meant."""
        if self.document is None:
            return Source(database, root or self.root)
        text = self.document.path.read_text("utf-8-sig", "replace")
        return Source(database, root or self.root, self.document.name, text, self.document.prefix, self.root)


def load(
    root: Path,
    arguments: Mapping[str, object],
    environment: Mapping[str, str],
    *,
    checks: Collection[str] | None = None,
    detecting: bool = True,
) -> Loaded:
    """Everything a run is told; flag or input before environment before file before default.

    ``arguments`` are the parsed options by their name in the surface, ``None`` for one that is not there; ``checks`` are the ids
    that ``severity`` may name, the registry's by default. Without a settings file the repository is read, if ``detecting``.
    Raises UsageError with everything that is wrong in a file, one line each.
    """
    check_root(root)
    outside = given(arguments, environment)
    document = find(root, _text(outside, "config"))
    settings = _settings(document, outside, checks)
    detection = detect.detect(root) if document is None and detecting else detect.Detection()
    if detection.databases:
        settings = settings.model_copy(update={"databases": detection.databases})
    images, notes = _images(root, settings, document.name if document else "")
    return Loaded(
        settings=settings,
        root=root.resolve(),
        file=document.path if document else None,
        origins=_origins(document, outside),
        images=images,
        detection=detection,
        notes=(*detection.notes, *notes),
        show_all=_switch(outside, "all"),
        quiet=_switch(outside, "quiet"),
        document=document,
    )


def root_of(arguments: Mapping[str, object], environment: Mapping[str, str]) -> Path:
    """The repository's root: the argument or input ``path``, else the current directory. Raises UsageError."""
    return Path(_text(given(arguments, environment), "path") or ".")


def _text(outside: Mapping[str, Given], name: str) -> str | None:
    return str(outside[name].value) if name in outside else None


def _switch(outside: Mapping[str, Given], name: str) -> bool:
    return name in outside and outside[name].value is True


def _settings(document: Document | None, outside: Mapping[str, Given], checks: Collection[str] | None) -> Settings:
    """The file's settings with what was given outside laid over them; both are judged, so that all faults come at once."""
    over = {row.name: outside[row.name] for row in ROWS.values() if row.in_file and row.name in outside}
    content = document.content if document else {}
    own, faults = settings_from(content)
    unfounded = unknown_checks(content, _known_checks if checks is None else lambda: checks)
    laid, wrong = settings_from({name: value.value for name, value in over.items()})
    lines = [
        *(_named(document, fault) for fault in (*faults, *unfounded) if document),
        *(f"{over[str(fault.path[0])].origin}: {fault.message}" for fault in wrong),
    ]
    if lines or own is None or laid is None:
        raise UsageError("\n".join(lines))
    return own.model_copy(update={name: getattr(laid, name) for name in over})


def _named(document: Document, fault: Fault) -> str:
    return f"{document.name}: {Fault((*document.prefix, *fault.path), fault.message)}"


def _known_checks() -> Collection[str]:
    from checks.registries.every import CHECKS

    return tuple(CHECKS)


def _origins(document: Document | None, outside: Mapping[str, Given]) -> Mapping[str, str]:
    def origin(name: str, key: str | None) -> str:
        if name in outside:
            return outside[name].origin
        return document.name if document and key in document.content else "default"

    return {row.name: origin(row.name, row.key) for row in ROWS.values()}


def _images(root: Path, settings: Settings, file: str) -> tuple[Mapping[str, WantedImage], tuple[str, ...]]:
    """The image of each database: the setting, else what the repository says; none where a version or an address is set."""
    images = {name: services.read(database.image, Place(file)) for name, database in settings.databases.items() if database.image}
    open_ones = [name for name, database in settings.databases.items() if _says_no_server(database)]
    notes: list[str] = []
    for engine in dict.fromkeys(settings.databases[name].engine for name in open_ones):
        found = services.find(root, engine)
        notes += [note for note in found.notes if note not in notes]
        if found.wanted is not None:
            images |= {name: found.wanted for name in open_ones if settings.databases[name].engine is engine}
    return images, tuple(notes)


def _says_no_server(database: DatabaseSettings) -> bool:
    return database.engine in SERVERS and not (database.version or database.image or database.url_env)
