"""``dbproof data`` of a MongoDB: a directory of documents that its own validators, indexes and references allow."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from standing import completed

from checks.declared.documents import DocumentExpectations, parse_document_reference
from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.interface import Finding
from checks.registries.documents import DOCUMENTS
from runner.data.documents import load_documents
from runner.servers.interface import Database
from runner.servers.mongodb.installations import Installation
from runner.servers.mongodb.server import MongoServer
from runner.servers.mongodb.sessions import session
from runner.targets.mongodb import MongoTarget

EXAMPLE = Path(__file__).parents[2] / "examples" / "subscriptions"
REFERENCES = (
    "subscriptions.company_name -> companies.company_name",
    "invoices.company_name -> companies.company_name",
    "invoices.lines[].subscription_id -> subscriptions._id",
)


def dbproof(*told: str) -> subprocess.CompletedProcess[str]:
    return completed(["data", *told], cwd=Path.cwd(), env=os.environ, timeout=120)


@pytest.fixture
def repository(tmp_path: Path, mongod: Installation) -> Path:  # noqa: ARG001 - skipped where there is none
    root = shutil.copytree(EXAMPLE, tmp_path / "repository")
    file = root / "dbproof.toml"
    lines = [line for line in file.read_text().splitlines() if not line.startswith("load = ")]
    file.write_text("\n".join(lines))
    return root


def test_documents_of_the_example_are_written_and_hold(
    repository: Path, tmp_path: Path, mongo_server: MongoServer, mongo_database: Database
) -> None:
    out = tmp_path / "documents"
    ended = dbproof(str(repository), "--rows", "200", "--out", str(out))
    assert ended.returncode == 0, ended.stderr
    assert "600 rows in 3 tables" in ended.stderr
    assert f"wrote {out}: load it with for file in {out}/*.jsonl; do mongoimport" in ended.stdout
    names = sorted(file.name for file in out.iterdir())
    assert names == ["companies.jsonl", "invoices.jsonl", "subscriptions.jsonl"]
    with session(mongo_database.private) as client:
        assert not any(one.refused for one in load_documents(out, names, client[mongo_database.name]))
        assert client[mongo_database.name].invoices.count_documents({}) == 200
    expect = Expectations(documents=DocumentExpectations(references=tuple(map(parse_document_reference, REFERENCES))))
    with MongoTarget(mongo_server, None, mongo_database, expect, Evidence()) as target:
        judged = [one for check in ("dangling-reference", "duplicate-keys") for one in DOCUMENTS[check].run(target)]
    assert len(judged) == 5
    assert not any(isinstance(one, Finding) for one in judged)
    again = dbproof(str(repository), "--out", str(out))
    assert (again.returncode, "exists already" in again.stderr) == (2, True)
    assert sorted(file.name for file in out.iterdir()) == names
