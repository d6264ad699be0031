"""What docs/service.md and docs/check.md show can be used as it stands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from psycopg.conninfo import conninfo_to_dict

from runner.cli.application import parse
from runner.servers.postgresql.official import Asked, asked, is_asked
from runner.settings.load import load

DOCS = Path(__file__).parents[2] / "docs"
ACTION = yaml.safe_load((DOCS.parent / "action.yml").read_text("utf-8"))


def snippet(name: str) -> Any:
    found = re.search(rf"<!-- snippet: {name} -->\n```yaml\n(.*?)```", (DOCS / "service.md").read_text("utf-8"), re.DOTALL)
    assert found
    return yaml.safe_load(found[1])


def leads_to(address: str, served: Asked, host: str) -> None:
    told = conninfo_to_dict(address)
    assert (told["user"], told["password"], told["dbname"]) == (served.user, served.password, served.database)
    assert (told["host"], told["port"]) == (host, "5432")


def served(variables: Mapping[str, str]) -> Asked:
    assert is_asked(variables)
    return asked(variables)


def test_github() -> None:
    job = snippet("github")["jobs"]["database"]
    (service,) = job["services"].values()
    there = served(service["env"])
    leads_to(job["env"]["DATABASE_URL"], there, "localhost")
    assert service["ports"] == ["5432:5432"]
    options = shlex.split(service["options"])
    assert shlex.split(options[options.index("--health-cmd") + 1]) == ["pg_isready", "-U", there.user]
    (step,) = [step for step in job["steps"] if "dbproof" in step.get("uses", "")]
    assert step["with"].keys() <= ACTION["inputs"].keys()
    leads_to(step["env"][step["with"]["url-env"]], there, next(iter(job["services"])))


def test_gitlab() -> None:
    job = snippet("gitlab")["database"]
    leads_to(job["variables"]["DATABASE_URL"], served(job["variables"]), job["services"][0]["alias"])
    (judging,) = [line for line in job["script"] if "dbproof check" in line]
    assert callable(parse(shlex.split(judging.partition(" dbproof ")[2])))


def test_compose() -> None:
    services = snippet("compose")["services"]
    there = served(services["database"]["environment"])
    assert services["database"]["healthcheck"]["test"] == ["CMD", "pg_isready", "-U", there.user]
    leads_to(services["judge"]["environment"]["DATABASE_URL"], there, "database")
    assert callable(parse(services["judge"]["command"]))


def test_the_settings_of_the_check_page(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", (DOCS / "check.md").read_text("utf-8"), re.DOTALL)
    (tmp_path / "dbproof.toml").write_text(block)
    settings = load(tmp_path, {}, {}).settings
    assert settings.databases["shop"].url_env == "DATABASE_URL"


@pytest.mark.parametrize("page", ["check.md", "service.md"])
def test_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", (DOCS / page).read_text("utf-8"))
    assert links
    assert [link for link in links if not (DOCS / link).exists()] == []
