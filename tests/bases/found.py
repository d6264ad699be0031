"""What `find_base` finds, where there has to be a base or none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from runner.git import Base, NoBase, find_base


def base_of(root: Path, environment: Mapping[str, str], compare: str | None = None) -> Base:
    found = find_base(root, compare, environment)
    assert isinstance(found, Base), found
    return found


def no_base(root: Path, environment: Mapping[str, str], compare: str | None = None) -> NoBase:
    found = find_base(root, compare, environment)
    assert isinstance(found, NoBase), found
    return found
