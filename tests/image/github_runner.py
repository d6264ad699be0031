"""Runs the image as GitHub's runner runs a container action, and reads what comes of it as the runner does.

Written from what actions/runner does: ``ContainerActionHandler.cs`` (mounts, HOME, variables, paths of the host that are named in
variables become the container's), ``DockerCommandManager.cs`` (the options of ``docker run``: values travel in the environment of
the docker client, the entrypoint is the image's, no arguments), ``ActionRunner.cs`` and ``Handler.cs`` (every input of action.yml
is handed over, empty where the workflow sets none), ``GitHubContext.cs`` (which ``GITHUB_*`` there are) and
``FileCommandManager.cs``.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from reports import github_commands as oracle

from image.platforms import ROOT, run

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
#: The files that a step may write commands to, by what the runner calls them.
FILES = {"output": "set_output_", "step_summary": "step_summary_", "env": "set_env_", "path": "add_path_", "state": "save_state_"}
#: The uid of the runner's own user on GitHub's machines, to whom the workspace belongs.
RUNNER_UID = 1001
_PATIENCE = 300


@dataclass(frozen=True)
class Ended:
    """How a step ended, and what the runner made of it."""

    code: int
    out: bytes
    err: bytes
    files: Mapping[str, bytes]
    workspace: Path

    @cached_property
    def log(self) -> oracle.Step:
        """What the log made the runner do; both streams are read."""
        return oracle.Step().read(self.out).read(self.err)

    @property
    def said(self) -> str:
        """The log as it is kept."""
        return (self.out + self.err).decode("utf-8", "replace")

    @cached_property
    def outputs(self) -> dict[str, str]:
        """``steps.ID.outputs``."""
        found = oracle.values(self.files["output"].decode("utf-8"))
        assert len(dict(found)) == len(found), found
        return dict(found)

    @property
    def summary(self) -> str:
        """The step summary, empty where the runner shows none."""
        return oracle.summary(self.files["step_summary"]) or ""

    @property
    def reports(self) -> dict[str, str]:
        """The files in the report directory, by name."""
        folder = self.workspace / self.outputs["report-dir"]
        return {file.name: file.read_text("utf-8") for file in folder.iterdir()} if self.outputs["report-dir"] else {}


@dataclass(frozen=True)
class Job:
    """A job on a runner: its workspace, and what its steps are told."""

    place: Path
    event: Mapping[str, object] = field(default_factory=dict)
    event_name: str = "pull_request"
    context: Mapping[str, str] = field(default_factory=dict)
    network: str = ""

    @property
    def workspace(self) -> Path:
        """Where the repository is checked out."""
        return self.place / "work" / "shop" / "shop"

    def step(self, image: str, inputs: Mapping[str, str] | None = None, env: Mapping[str, str] | None = None) -> Ended:
        """``uses:`` the action, with ``with:`` and the ``env:`` of workflow, job and step."""
        told = dict.fromkeys(ACTION["inputs"], "") | dict(inputs or {})
        temp, files = self._prepared()
        variables = self._variables(told, env or {}, temp, files)
        done = subprocess.run(
            self._command(image, temp, variables),
            env={**_own(), **variables},
            capture_output=True,
            check=False,
            timeout=_PATIENCE,
            stdin=subprocess.DEVNULL,
        )
        return Ended(
            done.returncode, done.stdout, done.stderr, {name: file.read_bytes() for name, file in files.items()}, self.workspace
        )

    def _prepared(self) -> tuple[Path, dict[str, Path]]:
        """The runner's temporary directory, and a new empty file for each kind of command."""
        temp = self.place / "work" / "_temp"
        for name in ("_github_home", "_github_workflow", "_runner_file_commands"):
            (temp / name).mkdir(parents=True, exist_ok=True)
        (temp / "_github_workflow" / "event.json").write_text(json.dumps(self.event), encoding="utf-8")
        step = secrets.token_hex(16)
        files = {name: temp / "_runner_file_commands" / f"{prefix}{step}" for name, prefix in FILES.items()}
        for file in files.values():
            file.touch()
        for path in (self.place / "work", *(self.place / "work").rglob("*")):
            os.chown(path, RUNNER_UID, RUNNER_UID, follow_symlinks=False)
        return temp, files

    def _variables(
        self, inputs: Mapping[str, str], env: Mapping[str, str], temp: Path, files: Mapping[str, Path]
    ) -> dict[str, str]:
        github = {
            "action": "__self",
            "actor": "octocat",
            "event_name": self.event_name,
            "event_path": str(temp / "_github_workflow" / "event.json"),
            "job": "databases",
            "repository": "octocat/shop",
            "server_url": "https://github.com",
            "workflow": "databases",
            "workspace": str(self.workspace),
            **{name: str(file) for name, file in files.items()},
            **self.context,
        }
        plain = {
            **env,
            **{f"INPUT_{name.replace(' ', '_').upper()}": value for name, value in inputs.items()},
            "HOME": str(temp / "_github_home"),
            **{f"GITHUB_{name.upper()}": value for name, value in github.items()},
            "RUNNER_OS": "Linux",
            "RUNNER_ARCH": "X64",
            "RUNNER_TEMP": str(temp),
            "RUNNER_NAME": "runner",
            "ACTIONS_RUNTIME_URL": "https://pipelines.example.invalid/",
            "ACTIONS_RUNTIME_TOKEN": "a-token-of-the-runner-s-own",
        }
        return {name: self._translated(value, temp) for name, value in plain.items()}

    def _mounts(self, temp: Path) -> dict[Path, str]:
        return {
            temp / "_github_home": "/github/home",
            temp / "_github_workflow": "/github/workflow",
            temp / "_runner_file_commands": "/github/file_commands",
            temp: "/github/runner_temp",
            self.workspace: "/github/workspace",
        }

    def _translated(self, value: str, temp: Path) -> str:
        """Paths of the host as the container sees them."""
        for host, inside in self._mounts(temp).items():
            if value == str(host) or value.startswith(f"{host}/"):
                return inside + value[len(str(host)) :]
        return value

    def _command(self, image: str, temp: Path, variables: Mapping[str, str]) -> list[str]:
        name = f"dbproof_tests_{secrets.token_hex(4)}"
        options = ["--name", name, "--label", "dbproof.tests=runner", "--workdir", "/github/workspace", "--rm"]
        options += [option for variable in variables for option in ("-e", variable)]
        options += ["-e", "GITHUB_ACTIONS=true", *([] if "CI" in variables else ["-e", "CI=true"])]
        options += ["--network", self.network] if self.network else []
        mounts = {Path("/var/run/docker.sock"): "/var/run/docker.sock", **self._mounts(temp)}
        options += [option for host, inside in mounts.items() for option in ("-v", f"{host}:{inside}")]
        return ["docker", "run", *options, image]


@contextmanager
def services(image: str, env: Mapping[str, str], alias: str, sql: str) -> Iterator[str]:
    """The network of a job with a PostgreSQL on it, which is healthy and holds some tables; both go at the end."""
    network, container = (f"dbproof_tests_{secrets.token_hex(4)}" for _ in range(2))
    assert run(["docker", "network", "create", network]).returncode == 0
    variables = [option for name, value in env.items() for option in ("-e", f"{name}={value}")]
    asked = ["--health-cmd", "pg_isready --host=127.0.0.1", "--health-interval", "1s", "--health-retries", "60"]
    try:
        named = ["--name", container, "--network", network, "--network-alias", alias]
        started = run(["docker", "run", "--detach", *named, *variables, *asked, "-e", "GITHUB_ACTIONS=true", image])
        assert started.returncode == 0, started.stderr
        healthy(container)
        inside = ["docker", "exec", "-e", f"PGPASSWORD={env['POSTGRES_PASSWORD']}", container]
        filled = run([*inside, "psql", "--username=postgres", "--set=ON_ERROR_STOP=1", f"--command={sql}"])
        assert filled.returncode == 0, filled.stderr
        yield network
    finally:
        run(["docker", "rm", "--force", "--volumes", container])
        run(["docker", "network", "rm", network])


def healthy(container: str) -> None:
    """Wait as the runner waits: for the engine's own word."""
    until = time.monotonic() + _PATIENCE
    asked = ["docker", "inspect", "--format", "{{.State.Status}} {{.State.Health.Status}}", container]
    while (state := run(asked).stdout.strip()) == "running starting" and time.monotonic() < until:
        time.sleep(0.2)
    assert state == "running healthy", run(["docker", "logs", container])


def _own() -> dict[str, str]:
    """What the docker client itself needs; nothing of it goes to the container."""
    return {name: value for name, value in os.environ.items() if name in ("PATH", "DOCKER_HOST", "DOCKER_CONFIG")}
