"""The findings of a report.json that can be accepted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from runner.errors import UsageError
from runner.text import single_line


@dataclass(frozen=True)
class Found:
    """A finding that counts, by its check, its subject and what it weighs."""

    check: str
    subject: str
    severity: str


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


class _Finding(_Part):
    check: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    subject: str
    severity: Literal["error", "warning", "notice", "off"]
    state: Literal["new", "known", "allowed"]


class _Check(_Part):
    id: str
    findings: list[_Finding]


class _Database(_Part):
    name: str
    checks: list[_Check]


class _Report(_Part):
    schema_version: Annotated[str, StringConstraints(pattern=r"^1\.[0-9]+$")]
    databases: list[_Database]


def found_in(path: Path) -> tuple[Found, ...]:
    """The new findings of a report, in order. Raises UsageError where it cannot be read, or is no report of ours."""
    try:
        report = _Report.model_validate(json.loads(path.read_bytes().decode("utf-8")))
    except OSError as refused:
        words = (refused.strerror or "cannot be read").lower()
        raise UsageError(f"{path}: {words}", "`dbproof run` writes a report; name it with --from.") from None
    except ValidationError as invalid:
        raise UsageError(f"{path}: is no report of dbproof's: {_first(invalid)}", _ANEW) from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path}: is no report of dbproof's: not JSON in UTF-8", _ANEW) from None
    return tuple(_found(report))


_ANEW = "Let `dbproof run` write one."


def _found(report: _Report) -> Iterator[Found]:
    for database in report.databases:
        for check in database.checks:
            for one in check.findings:
                if one.state == "new":
                    yield Found(one.check, single_line(one.subject), one.severity)


def _first(invalid: ValidationError) -> str:
    error = invalid.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, error['loc'])) or 'the whole'}: {error['msg']}"
