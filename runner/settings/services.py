"""Which server the repository itself asks for: the images in its workflows, its GitLab CI file, its compose files.

The first group of files that names one server wins; a group that names several different ones decides nothing and is said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from checks.evidence import Place
from checks.interface import Engine

#: Extensions that an image brings, by the last part of its repository.
_BRINGS = {
    "pgvector": "vector",
    "postgis": "postgis",
    "timescaledb": "timescaledb",
    "timescaledb-ha": "timescaledb",
    "citus": "citus",
    "paradedb": "pg_search",
}

_GROUPS = (
    (".github/workflows/*.yml", ".github/workflows/*.yaml"),
    (".gitlab-ci.yml",),
    ("docker-compose*.yml", "docker-compose*.yaml", "compose*.yml", "compose*.yaml"),
)

#: ``acme-postgres``, ``postgresql-16-c9s``; not ``postgrest`` or ``postgres-exporter``.
_OF_POSTGRESQL = re.compile(r"(?:.*[-_])?postgres(?:ql)?(?:-\d.*)?")

#: ``mongo``, ``mongodb-community-server``; not ``mongo-express``.
_OF_MONGODB = re.compile(r"mongo|mongodb|mongodb-(?:community|enterprise)-server|percona-server-mongodb")

#: ``mariadb``, ``mariadb-server``, ``mariadb-11-c9s``; not ``mariadb-galera-monitor``.
_OF_MARIADB = re.compile(r"mariadb(?:-server)?(?:-\d.*)?")

#: A file longer than this is no workflow that a person wrote.
_LONGEST = 200_000


@dataclass(frozen=True)
class WantedImage:
    """A server's image, and the place that names it.

    ``version`` is the major version (``7.0`` of MongoDB), ``None`` where the image does not tell; ``extensions`` are those
    it is made for.
    """

    image: str
    version: str | None
    extensions: frozenset[str]
    place: Place


@dataclass(frozen=True)
class FoundImage:
    """What the repository says of its server, with sentences about what could not be used."""

    wanted: WantedImage | None
    notes: tuple[str, ...] = ()


def find(root: Path, engine: Engine = Engine.POSTGRESQL) -> FoundImage:
    """The server of an engine that the repository's own files run.

    Reads files only; a file that is no YAML is noted and passed over.
    """
    notes: list[str] = []
    for patterns in _GROUPS:
        images = [image for path in _files(root, patterns) for image in _images(path, root, engine, notes)]
        wanted = _agreed(images, engine, notes)
        if wanted is not None:
            return FoundImage(wanted, tuple(notes))
    return FoundImage(None, tuple(notes))


def read(image: str, place: Place) -> WantedImage:
    """What an image's name tells: ``pgvector/pgvector:pg16`` is PostgreSQL 16 with ``vector``."""
    name, tag = _name_and_tag(image)
    extension = _BRINGS.get(name)
    return WantedImage(image, _version(name, tag), frozenset({extension} if extension else ()), place)


def _files(root: Path, patterns: Iterable[str]) -> list[Path]:
    return sorted({path for pattern in patterns for path in root.glob(pattern)})


def _agreed(images: list[WantedImage], engine: Engine, notes: list[str]) -> WantedImage | None:
    servers = {(image.extensions, image.version or image.image): image for image in reversed(images)}
    if len(servers) < 2:
        return images[0] if images else None
    listed = ", ".join(f"{image.image} ({image.place})" for image in reversed(servers.values()))
    notes.append(f"several {engine.label} images, none is taken: {listed}; set 'version' or 'image'")
    return None


def _images(path: Path, root: Path, engine: Engine, notes: list[str]) -> Iterator[WantedImage]:
    file = path.relative_to(root).as_posix()
    document = _document(path, file, notes)
    named = _gitlab(document) if path.name == ".gitlab-ci.yml" else _services(document)
    for node in named:
        text, place = _with_defaults(node.value.strip()), Place(file, node.start_mark.line + 1)
        if not _OF.get(engine, _is_postgresql)(text):
            continue
        if "$" in text:
            notes.append(f"{place}: '{text}' holds a variable and is not taken")
            continue
        yield read(text, place)


def _document(path: Path, file: str, notes: list[str]) -> yaml.Node | None:
    """The file's nodes, which know their lines; nothing is constructed from them, so nothing in it can run or swell."""
    try:
        if not path.is_file():
            return None
        text = path.read_text("utf-8")
        if len(text) > _LONGEST:
            notes.append(f"{file}: too long to be read")
            return None
        # Most workflows run no service, and YAML is slow to read.
        return yaml.compose(text, Loader=yaml.SafeLoader) if "services" in text else None
    except yaml.MarkedYAMLError as wrong:
        line = wrong.problem_mark.line + 1 if wrong.problem_mark else None
        notes.append(f"{Place(file, line)}: not YAML, passed over")
    except (yaml.YAMLError, ValueError, RecursionError):
        notes.append(f"{file}: not YAML, passed over")
    except OSError as refused:
        notes.append(f"{file}: cannot be read: {refused.strerror}")
    return None


def _services(document: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """The images under ``services`` of a compose file, and of every job of a workflow."""
    for holder in (document, *_values(_get(document, "jobs"))):
        for service in _values(_get(holder, "services")):
            yield from _scalar(_get(service, "image"))


def _gitlab(document: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """The services of a GitLab CI file: at its top, under ``default``, in every job; a name, or a table with a name."""
    for holder in (document, *_values(document)):
        services = _get(holder, "services")
        for service in services.value if isinstance(services, yaml.SequenceNode) else ():
            yield from _scalar(service)
            yield from _scalar(_get(service, "name"))


def _get(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """The value of a key, looked for in what ``<<`` merges too."""
    if not isinstance(node, yaml.MappingNode):
        return None
    merged: list[yaml.Node] = []
    for name, value in node.value:
        if name.value == key:
            return value if isinstance(value, yaml.Node) else None
        if name.value == "<<" and value is not node:
            merged.extend(value.value if isinstance(value, yaml.SequenceNode) else [value])
    for parent in merged:
        for name, value in parent.value if isinstance(parent, yaml.MappingNode) else ():
            if name.value == key and isinstance(value, yaml.Node):
                return value
    return None


def _values(node: yaml.Node | None) -> list[yaml.Node]:
    return [value for _, value in node.value] if isinstance(node, yaml.MappingNode) else []


def _scalar(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode):
        yield node


def _with_defaults(text: str) -> str:
    """``${POSTGRES_VERSION:-16}`` as compose reads it where nothing is set."""
    return re.sub(r"\$\{\w+:?-([^${}]*)\}", r"\1", text)


def _is_postgresql(image: str) -> bool:
    name, _ = _name_and_tag(image)
    return name in _BRINGS or _OF_POSTGRESQL.fullmatch(name) is not None


def _is_mongodb(image: str) -> bool:
    return _OF_MONGODB.fullmatch(_name_and_tag(image)[0]) is not None


def _is_mariadb(image: str) -> bool:
    return _OF_MARIADB.fullmatch(_name_and_tag(image)[0]) is not None


_OF: Mapping[Engine, Callable[[str], bool]] = {Engine.MONGODB: _is_mongodb, Engine.MARIADB: _is_mariadb}


def _name_and_tag(image: str) -> tuple[str, str]:
    last = image.partition("@")[0].rpartition("/")[2] if "${{" not in image else image.rpartition("/")[2]
    name, _, tag = last.partition(":")
    return name.lower(), tag


def _version(name: str, tag: str) -> str | None:
    """The major version; only where the tag counts PostgreSQL's versions and not those of an extension."""
    if _OF_MONGODB.fullmatch(name) or _OF_MARIADB.fullmatch(name):
        release = re.match(r"v?(\d+(?:\.\d+)?)", tag)
        return release[1] if release else None
    own = name == "postgis" or name not in _BRINGS
    found = re.search(r"pg-?(\d+)", tag) or (re.match(r"v?(9\.\d+|\d+)", tag) if own else None)
    return found[1] if found else None
