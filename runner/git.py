"""Base: which revision a change is compared with, and its files, read by git without touching the work tree.

Where no setting says it, the CI system does. Sources of the names: GitHub's "Variables reference" and its events
``pull_request``, ``merge_group`` and ``push``; GitLab's "Predefined CI/CD variables"; Jenkins' Branch API and Git plugins.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runner.errors import ToolFailed, UsageError

#: Seconds that one git command may take.
DEADLINE = 120
_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@")
_SHALLOW = "check out with `fetch-depth: 2` (GitHub) or `GIT_DEPTH: 0` (GitLab), or name a revision with --base"


@dataclass(frozen=True)
class Base:
    """The commit that a change is compared with; ``name`` is how it was called ("main")."""

    commit: str
    name: str

    def __str__(self) -> str:
        return self.commit[:7] if self.commit.startswith(self.name) else f"{self.name} {self.commit[:7]}"


@dataclass(frozen=True)
class NoBase:
    """Nothing to compare with: why, and what would change that (empty where it is on purpose)."""

    reason: str
    remedy: str = ""


@dataclass(frozen=True)
class _Candidate:
    """A revision that the surroundings name, before git was asked whether it is there."""

    revision: str
    name: str
    said_by: str


def find_base(root: Path, compare: str | None, environment: Mapping[str, str]) -> Base | NoBase:
    """What to compare ``root`` with.

    ``compare`` is a revision, ``"nothing"``, or ``None`` for what the CI system says and, outside of one, the default branch.
    Raises UsageError where a revision that was asked for by name does not exist.
    """
    if compare == "nothing":
        return NoBase("compared with nothing, as asked")
    if not _is_repository(root):
        if compare is not None:
            raise UsageError(
                f"--base {compare}: {root} is not inside a git repository", "run inside a clone, or leave --base out"
            )
        return NoBase("not a git repository")
    if compare is not None:
        return _asked_for(root, compare)
    candidate = _from_ci(root, environment)
    if isinstance(candidate, NoBase):
        return candidate
    if candidate is not None:
        return _named_by_ci(root, candidate)
    return _default_branch(root)


@contextmanager
def files_of(root: Path, base: Base) -> Iterator[Path]:
    """A folder that holds what ``root`` held at base, removed at the end; empty where base has no such folder.

    Goes through an index of its own, so neither the work tree nor the repository's index change. Raises ToolFailed.
    """
    prefix = _git(root, "rev-parse", "--show-prefix")
    top = Path(_git(root, "rev-parse", "--show-toplevel"))
    with tempfile.TemporaryDirectory(prefix="dbproof-base-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index"), "GIT_LFS_SKIP_SMUDGE": "1"}
        files = Path(folder) / "files"
        files.mkdir()
        _git(top, "read-tree", base.commit, extra=index)
        names = _git(top, "ls-files", "-z", "--", prefix or ".", extra=index)
        _git(top, "checkout-index", "-z", "--stdin", f"--prefix={files}/", extra=index, given=names)
        here = files / prefix
        here.mkdir(parents=True, exist_ok=True)
        yield here


def listed(root: Path, base: Base) -> Mapping[str, str]:
    """What ``root`` held at base: the mode and git's own digest of each file, by its path relative to ``root``.

    Raises ToolFailed.
    """
    prefix = place_in_repository(root)
    found = _git(root, "ls-tree", "-r", "-z", "--full-tree", base.commit, "--", *([prefix] if prefix else ()))
    entries = (entry.partition("\t") for entry in found.split("\0") if entry)
    return {path.removeprefix(prefix): about for about, _, path in entries}


def changed(root: Path, base: Base, below: str = ".") -> frozenset[str]:
    """The files of ``root``, by their paths from there, that the work tree has otherwise than base, or only one of the two.

    Those ``below`` a folder of it, or one file. What git ignores is left out. Raises ToolFailed.
    """
    told = _git(root, "diff", "--name-only", "--no-renames", "--no-ext-diff", "--relative", "-z", base.commit, "--", below)
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", below)
    return frozenset(name for name in (*told.split("\0"), *new.split("\0")) if name)


def changed_lines(root: Path, base: Base) -> dict[str, list[range]]:
    """The lines of each file that HEAD has and base has not, by the file's path from the repository's top. Raises ToolFailed.

    Commits are compared, not the work tree: those are the lines that people see, and a diff with the work tree writes the index.
    """
    top = Path(_git(root, "rev-parse", "--show-toplevel"))
    names = _git(top, "diff", "--name-only", "--no-renames", "--diff-filter=d", "-z", base.commit, "HEAD")
    return {name: _differing(top, base, name) for name in names.split("\0") if name}


def place_in_repository(root: Path) -> str:
    """Where ``root`` lies in its repository: ``services/shop/``, empty at the top. Raises ToolFailed."""
    return _git(root, "rev-parse", "--show-prefix")


def _differing(top: Path, base: Base, name: str) -> list[range]:
    """What the heads of a diff without context say: ``@@ -3,0 +4,2 @@`` are the new lines 4 and 5."""
    options = ("--unified=0", "--no-ext-diff", "--no-textconv", "--no-color", "--text")
    diff = _git(top, "diff", *options, base.commit, "HEAD", "--", name)
    heads = (_HUNK.match(line) for line in diff.split("\n"))
    found = ((int(head[1]), int(head[2] or 1)) for head in heads if head)
    return [range(first, first + count) for first, count in found if count]


def _asked_for(root: Path, compare: str) -> Base:
    commit = _commit(root, compare) or _commit(root, f"origin/{compare}")
    if commit is None:
        raise UsageError(f"--base {compare}: no such revision in {root}", f"fetch it{_fetching(compare)}, or {_SHALLOW}")
    return Base(_fork_point(root, commit), compare)


def _fetching(compare: str) -> str:
    """The command that brings a revision, where it is a branch's or tag's name."""
    name = compare.removeprefix("origin/")
    return f" (`git fetch origin {name}`)" if re.fullmatch(r"[\w][\w./-]*", name) and name != "HEAD" else ""


def _named_by_ci(root: Path, candidate: _Candidate) -> Base | NoBase:
    commit = _commit(root, candidate.revision)
    if commit is None:
        return NoBase(f"{candidate.said_by} names {candidate.name}, which this clone does not have", _SHALLOW)
    return Base(_fork_point(root, commit), candidate.name)


def _default_branch(root: Path) -> Base | NoBase:
    head = _commit(root, "HEAD")
    if head is None:
        return NoBase("the repository has no commit yet")
    for name in ("origin/HEAD", "origin/main", "origin/master", "main", "master"):
        commit = _commit(root, name)
        if commit is None:
            continue
        point = _fork_point(root, commit)
        label = _git(root, "rev-parse", "--abbrev-ref", name).removeprefix("origin/")
        if point == head and not _changed(root):
            return NoBase(f"nothing here differs from {label}")
        return Base(point, label)
    return NoBase("no default branch found", "name a revision with --base")


def _from_ci(root: Path, environment: Mapping[str, str]) -> _Candidate | NoBase | None:
    if environment.get("GITHUB_ACTIONS") == "true":
        return _from_github(root, environment)
    if environment.get("GITLAB_CI") == "true":
        return _from_gitlab(environment)
    if environment.get("JENKINS_URL"):
        return _from_jenkins(environment)
    return None


def _from_github(root: Path, environment: Mapping[str, str]) -> _Candidate | NoBase:
    event = _event(environment)
    branch = environment.get("GITHUB_BASE_REF", "")
    if branch:
        # The checkout of a pull request is a merge commit, whose first parent is the tip of the base branch.
        parents = _git(root, "rev-list", "--parents", "-n", "1", "HEAD").split()[1:]
        if len(parents) == 2:
            return _Candidate("HEAD^1", branch, "the merge commit")
        if not parents and _commit(root, f"origin/{branch}") is None:
            return NoBase("the clone has depth 1, so the base commit is not here", _SHALLOW)
        return _Candidate(f"origin/{branch}", branch, "GITHUB_BASE_REF")
    group = event.get("merge_group")
    if isinstance(group, dict) and group.get("base_sha"):
        name = str(group.get("base_ref", "")).removeprefix("refs/heads/") or str(group["base_sha"])[:7]
        return _Candidate(str(group["base_sha"]), name, "the merge group")
    before = event.get("before")
    if isinstance(before, str) and _is_commit(before):
        return _Candidate(before, before[:7], "the push")
    return NoBase(f"the event '{environment.get('GITHUB_EVENT_NAME', 'unknown')}' has no base revision", "name one with --base")


def _event(environment: Mapping[str, str]) -> dict[str, object]:
    path = environment.get("GITHUB_EVENT_PATH")
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError):
        return {}
    return event if isinstance(event, dict) else {}


def _from_gitlab(environment: Mapping[str, str]) -> _Candidate | NoBase:
    name = environment.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "")
    for variable in ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "CI_COMMIT_BEFORE_SHA"):
        commit = environment.get(variable, "")
        if _is_commit(commit):
            return _Candidate(commit, name or commit[:7], variable)
    return NoBase("GitLab names no base for this pipeline", "run it in merge request pipelines, or name one with --base")


def _from_jenkins(environment: Mapping[str, str]) -> _Candidate | NoBase:
    target = environment.get("CHANGE_TARGET", "")
    if target:
        return _Candidate(f"origin/{target}", target, "CHANGE_TARGET")
    for variable in ("GIT_PREVIOUS_SUCCESSFUL_COMMIT", "GIT_PREVIOUS_COMMIT"):
        if environment.get(variable):
            return _Candidate(environment[variable], environment[variable][:7], variable)
    return NoBase("Jenkins names no base for this build", "name one with --base")


def _is_commit(named: str) -> bool:
    """CI systems write zeros, as many as a hash is long, where there was no commit before."""
    return bool(named.strip("0"))


def _is_repository(root: Path) -> bool:
    try:
        return _git(root, "rev-parse", "--is-inside-work-tree") == "true"
    except ToolFailed:
        return False


def _commit(root: Path, revision: str) -> str | None:
    try:
        return _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except ToolFailed:
        return None


def _fork_point(root: Path, commit: str) -> str:
    """Where HEAD left that commit's history; the commit itself in a clone too shallow to know."""
    try:
        return _git(root, "merge-base", "HEAD", commit)
    except ToolFailed:
        return commit


def _changed(root: Path) -> bool:
    return bool(_git(root, "status", "--porcelain", "--untracked-files=normal", "--", "."))


def _git(folder: Path, *arguments: str, extra: Mapping[str, str] | None = None, given: str | None = None) -> str:
    """What a git command prints. The folder's owner may be another user, as in containers; hooks are not run."""
    command = ["git", "-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_LITERAL_PATHSPECS": "1", "GIT_OPTIONAL_LOCKS": "0", **(extra or {})}
    try:
        done = subprocess.run(  # noqa: S603 - an argument list of ours, no shell
            command,
            cwd=folder,
            env=environment,
            input=given,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=DEADLINE,
            check=False,
        )
    except FileNotFoundError:
        raise ToolFailed("git is not installed", "install git, or run with --base nothing") from None
    except subprocess.TimeoutExpired:
        raise ToolFailed(f"git {arguments[0]} did not end within {DEADLINE} s", "run with --base nothing") from None
    if done.returncode != 0:
        raise ToolFailed(f"git {arguments[0]} failed: {done.stderr.strip()}", "run with --base nothing to compare with nothing")
    return done.stdout.rstrip("\n")
