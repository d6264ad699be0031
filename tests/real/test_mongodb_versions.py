"""Older versions of MongoDB, from PyPI: the subscriptions come out clean, and what is planted in them is found there too."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from example_repositories import Example, Run, run_on

from runner.servers.mongodb.installations import Installation

pytestmark = pytest.mark.real

SUBSCRIPTIONS = Example("subscriptions")
#: What asks the server most: pipelines, explanations, validators, indexes, its log.
ESSENTIAL = {"migration-failed", "dangling-reference", "document-violates-validator", "index-drift", "query-limit"}


def test_the_subscriptions_are_clean_and_their_planted_faults_found(
    older_mongod: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = ".".join(map(str, older_mongod.version))
    monkeypatch.setenv("PATH", f"{older_mongod.program.parent}{os.pathsep}{os.environ['PATH']}")

    def proving(copy: Path) -> Run:
        settings = copy / "dbproof.toml"
        settings.write_text(settings.read_text("utf-8").replace('"mongodb"\n', f'"mongodb"\nversion = "{version}"\n', 1), "utf-8")
        return run_on(copy, selftest="sample")

    run = SUBSCRIPTIONS.prove_clean(tmp_path, proving)
    (database,) = run.report["databases"]
    assert (database["version"], database["origin"]) == (version, str(older_mongod.program))
    assert "errored" not in {check["outcome"] for check in run.checks}, run.said
    assert {check["id"] for check in run.checks if check["outcome"] == "passed"} >= ESSENTIAL
