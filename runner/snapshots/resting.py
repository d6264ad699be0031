"""What a replayed base rests on, as one name: where two runs come to the same name, replaying would come to the same database.

A base is not its commit: one that changes a page of documentation replays to the same database. So what counts is what could
be read while it is replayed. Of tools whose files dbproof sends itself those are the migrations' folder and files of the types
in which such tools keep SQL and settings; of tools that run the project's code it is every file that is not documentation,
as a migration may import what it likes, and what is installed here beside it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath

from checks.targets import Role
from runner import git
from runner.child_environment import clean_environment
from runner.errors import DbproofError
from runner.migrations import interpreter, setting_up
from runner.migrations.interface import Project
from runner.settings.model import DatabaseSettings, MigrationSettings
from runner.steps import Building, project_in

#: Tools of which only SQL is sent, by dbproof itself.
_ONLY_SQL = frozenset(
    {"sql", "prisma", "golang-migrate", "goose", "dbmate", "flyway", "liquibase", "supabase", "drizzle", "sqitch", "atlas"}
)
#: The types of files, outside of the folder, in which those tools keep SQL and settings.
_READ = frozenset(
    {".sql", ".toml", ".conf", ".properties", ".plan", ".sum", ".hcl", ".prisma", ".json", ".yaml", ".yml", ".csv", ".env"}
)
#: What no program reads: people do. Named by its place, as a migration may well read a text of the application's.
_DOCUMENTATION = re.compile(
    r"(?:docs?|\.github|\.gitlab|\.circleci)/.*|[^/]+\.(?:md|rst|adoc)|\.gitlab-ci\.yml|Jenkinsfile|\.git(?:ignore|attributes)"
    r"|(?:.*/)?(?:README|CHANGELOG|CHANGES|CONTRIBUTING|LICEN[CS]E|AUTHORS|SECURITY|CODE_OF_CONDUCT|CODEOWNERS)[^/]*|dbproof\.toml",
    re.IGNORECASE,
)
#: What a run leaves in a work tree whose git does not ignore it.
_WRITTEN = re.compile(r"(?:.*/)?(?:dbproof-report|__pycache__)/")
#: What lets psql read another file.
_INCLUDES = re.compile(rb"^\s*\\(?:i|ir|include|include_relative|copy)\b", re.MULTILINE)
#: Settings that change how a run goes, and not what comes of replaying.
_NO_MATTER = frozenset({"timeout", "down", "current", "pass_env"})
_MATTER = {"engine", "version", "image", "preload", "before", "start_from", "foreign_keys"}
#: What a child gets of our environment and what has no part in what it writes.
_SURROUNDINGS = re.compile(
    r"HOME|USER|LOGNAME|TMPDIR|TERM|COLUMNS|LINES|CI|XDG_CACHE_HOME|PATH|.*_PROXY|.*_proxy|SSL_.*|REQUESTS_CA_BUNDLE"
    r"|CURL_CA_BUNDLE|NODE_EXTRA_CA_CERTS|PIP_.*|UV_.*|GOCACHE|GOMODCACHE|CARGO_HOME|RUSTUP_HOME"
)
#: What the installers of Node's packages write of what they installed.
_INSTALLED = (".package-lock.json", ".modules.yaml", ".yarn-integrity", ".yarn-state.yml")
#: Tools that look for modules first where they run.
_FROM_HOME = frozenset({"django", "flask-migrate", "yoyo"})
_PREPENDED = re.compile(r"^\s*prepend_sys_path\s*=\s*(.*?)\s*$", re.MULTILINE)
#: What linked packages are made of.
_SOURCES = frozenset({".py", ".sql", ".json", ".csv", ".toml", ".ini", ".cfg", ".yaml", ".yml", ".txt"})
#: Our own code that decides what comes of replaying; what it does may change without a new version.
_OURS = ("recorder", "migrations", "servers", "snapshots", "data/own")


def why_not(settings: DatabaseSettings, root: Path) -> str:
    """Why a base of these settings is never kept, empty where it may be."""
    if any(_INCLUDES.search(path.read_bytes()) for name in settings.before if (path := root / name).is_file()):
        return "a file of `before` reads other files"
    if settings.migrations is not None and settings.migrations.pass_env:
        return "`pass_env` hands on what may be secret"
    return ""


def name(building: Building, base: git.Base, build: str) -> str:
    """The name of base's snapshot; ``build`` is what is to be known of the server. Raises DbproofError."""
    plan, project = building.plan, project_in(building, building.plan.root)
    settings = plan.settings.model_dump(mode="json", include=_MATTER)
    rests_on: dict[str, object] = {
        "build": build,
        "database": plan.name,
        "role": building.role is Role.OWNER,
        "settings": settings,
        "ours": _ours(),
        "before": {each: _digest(plan.root / each) for each in plan.settings.before},
    }
    listed = git.listed(plan.root, base)
    if project is not None:
        rests_on["migrations"] = project.settings.model_dump(mode="json", exclude=set(_NO_MATTER))
        only_sql = project.settings.tool in _ONLY_SQL and settings["start_from"] is None
        rests_on["files"] = {path: about for path, about in listed.items() if _counts(path, project.settings, only_sql)}
        rests_on["env_file"] = _digest(plan.root / (project.settings.env_file or ""))
        if project.settings.tool not in _ONLY_SQL:
            rests_on["installed"] = dict(_installed(project))
    written = json.dumps(rests_on, sort_keys=True, default=str).encode("utf-8", "surrogateescape")
    return f"base-{hashlib.sha256(written).hexdigest()[:32]}"


def touched(building: Building) -> bool:
    """Whether a change touches files that could be read while its migrations run. Raises DbproofError."""
    plan, settings = building.plan, building.migrations
    if settings is None or not isinstance(plan.base, git.Base):
        return False
    only_sql = settings.tool in _ONLY_SQL and plan.settings.start_from is None
    changed = (path for path in git.changed(plan.root, plan.base) if not _WRITTEN.match(path))
    return any(_counts(path, settings, only_sql) for path in changed)


def _counts(path: str, settings: MigrationSettings, only_sql: bool) -> bool:
    here = PurePosixPath(path)
    if settings.directory != "." and here.is_relative_to(settings.directory):
        return True
    if not only_sql or _DOCUMENTATION.fullmatch(path):
        return not _DOCUMENTATION.fullmatch(path)
    return here.suffix in _READ or ".config." in here.name or here.name.startswith(".env")


def _digest(path: Path) -> str:
    """A file's digest; empty for what is no file."""
    if not path.is_file():
        return ""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


@lru_cache
def _ours() -> str:
    top, digest = Path(__file__).parents[1], hashlib.sha256()
    for folder in _OURS:
        for file in sorted(path for path in (top / folder).rglob("*") if path.is_file() and path.suffix != ".pyc"):
            digest.update(f"{file.relative_to(top)}\0{_digest(file)}\0".encode())
    for name_of in ("evidence.py", "schema/names.py"):  # the form in which what the server saw is kept
        digest.update(_digest(top.parent / "checks" / name_of).encode())
    return digest.hexdigest()


def _installed(project: Project) -> Iterator[tuple[str, object]]:
    """What is installed here that base's own files run with."""
    home = interpreter.home(project)
    yield "environment", {key: value for key, value in clean_environment().items() if not _SURROUNDINGS.fullmatch(key)}
    yield "locks", [(str(file), _digest(file)) for file in setting_up.lock_files(home, project.work_tree)]
    yield "node", [(str(file), _digest(file)) for file in _of_node(home, project.work_tree)]
    if project.settings.command is not None:
        words = project.settings.command.split()
        yield "programs", [os.environ.get("PATH"), [_stamp(shutil.which(word)) for word in (*words[:1], "node", "python3")]]
    python = _python(project)
    if python is not None:
        yield "python", _stamp(str(python))
        yield "packages", dict(packages(python, project.work_tree, frozenset(own_first(project))))


def own_first(project: Project) -> Iterator[Path]:
    """The folders whose modules base has of its own: they stand first where its files run, before linked packages."""
    home = interpreter.home(project)
    if project.settings.tool in _FROM_HOME:
        yield home
    elif project.settings.tool == "alembic":
        for name in ("alembic.ini", "pyproject.toml", project.settings.config or ""):
            text = (home / name).read_text("utf-8", "replace") if (home / name).is_file() else ""
            for line in _PREPENDED.findall(text):
                yield from ((home / part).resolve() for part in re.split(r"[\s:;,\[\]\"\']+", line) if part)


def _python(project: Project) -> Path | None:
    from runner.planning import NEEDS

    needs = NEEDS.get(project.settings.tool)
    try:
        found = interpreter.find_any(project) if needs is None else interpreter.find(project, needs)
    except DbproofError:  # said again, and better, where it is needed
        return None
    return found.python if found is not None else None


def _stamp(program: str | None) -> object:
    if program is None:
        return None
    path = Path(program).resolve()
    return str(path), path.stat().st_size, path.stat().st_mtime_ns


def _of_node(home: Path, work_tree: Path) -> Iterator[Path]:
    folder = home
    while True:
        yield from (folder / "node_modules" / one for one in _INSTALLED if (folder / "node_modules" / one).is_file())
        if folder == work_tree or not folder.is_relative_to(work_tree):
            return
        folder = folder.parent


def packages(python: Path, work_tree: Path, own: frozenset[Path]) -> Iterator[tuple[str, object]]:
    """The names and versions of installed packages, and the sources of those that lie in the work tree, as installers link them.

    Without those in the folders that base has its ``own`` of.
    """
    for site in sorted(python.parent.parent.glob("lib*/python*/*-packages")):
        yield str(site), sorted(one.name for one in site.iterdir() if one.suffix in {".dist-info", ".egg-info"})
        links = [path for path in sorted(site.iterdir()) if path.name.endswith((".pth", ".egg-link", "_finder.py"))]
        for link in links:
            text = link.read_text("utf-8", "replace")
            yield str(link), text
            for folder in _within(text, work_tree):
                if Path(folder).resolve() not in own:
                    yield folder, dict(_sources(Path(folder)))


def _within(text: str, work_tree: Path) -> Iterable[str]:
    """The folders of the work tree that a text names."""
    pattern = re.escape(str(work_tree)) + r"[^'\"\n,:;]*"
    return sorted({one for one in re.findall(pattern, text) if Path(one).is_dir()})


def _sources(folder: Path) -> Iterator[tuple[str, str]]:
    for top, folders, files in os.walk(folder):
        folders[:] = sorted(
            one
            for one in folders
            if not one.startswith((".", "__pycache__", "node_modules")) and not Path(top, one, "pyvenv.cfg").exists()
        )
        for one in sorted(files):
            path = Path(top, one)
            if path.suffix in _SOURCES:
                yield str(path), _digest(path)
