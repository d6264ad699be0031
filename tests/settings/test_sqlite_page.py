"""What docs/sqlite.md shows can be used as it stands."""

from __future__ import annotations

import re
from pathlib import Path

from checks.interface import Engine
from runner.servers.sqlite.sessions import OLDEST
from runner.settings.load import load

PAGE = (Path(__file__).parents[2] / "docs" / "sqlite.md").read_text("utf-8")


def test_the_settings_of_the_page_load(tmp_path: Path) -> None:
    (snippet,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "dbproof.toml").write_text(snippet)
    till = load(tmp_path, {}, {}).settings.databases["till"]
    assert (till.engine, till.foreign_keys) == (Engine.SQLITE, True)


def test_the_page_names_the_oldest_version() -> None:
    assert f"({'.'.join(map(str, OLDEST[:2]))} or newer" in PAGE
