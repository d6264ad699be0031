"""Writes ``[[allow]]`` into the settings file for findings of a report: at its end, so that nothing else in it changes."""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from runner.allows.patterns import exactly, matches
from runner.allows.reading import Found
from runner.errors import UsageError
from runner.settings.allows import AllowSettings
from runner.settings.faults import settings_from
from runner.settings.files import Document
from runner.settings.initial import toml
from runner.settings.load import Loaded


@dataclass(frozen=True)
class Wanted:
    """Which findings are to be accepted (``checks``: all where it is empty), why, and until when."""

    checks: Collection[str] = ()
    reason: str = ""
    until: date | None = None


@dataclass(frozen=True)
class Written:
    """What was written from which line on, and how many of the findings were allowed already."""

    file: str
    line: int = 0
    entries: tuple[AllowSettings, ...] = ()
    already: int = 0


def write(found: Sequence[Found], wanted: Wanted, loaded: Loaded) -> Written:
    """Add an allow for each finding that counts and is not accepted yet, in one step or not at all. Raises UsageError."""
    document = loaded.document
    if document is None:
        raise UsageError("there is no settings file to write to", "`dbproof init` writes one; then allow what is to stay.")
    asked = [one for one in found if _is_meant(one, wanted)]
    missing = [one for one in asked if not _is_allowed(one, loaded.settings.allow)]
    entries = [_entry(one, wanted) for one in dict.fromkeys(missing)]
    told = Written(document.name, already=len(asked) - len(missing))
    return replace(told, line=_append(document, entries), entries=tuple(entries)) if entries else told


def _is_meant(one: Found, wanted: Wanted) -> bool:
    """New errors and warnings; a notice only where its check is named."""
    return one.check in wanted.checks if wanted.checks else one.severity in ("error", "warning")


def _is_allowed(one: Found, allows: Sequence[AllowSettings]) -> bool:
    """Also by an allow that is past its date: to have it twice would help nobody."""
    return any(allow.check == one.check and matches(allow.subject, one.subject) for allow in allows)


def _entry(one: Found, wanted: Wanted) -> AllowSettings:
    return AllowSettings(check=one.check, subject=exactly(one.subject), reason=wanted.reason, until=wanted.until)


def _append(document: Document, entries: Sequence[AllowSettings]) -> int:
    """Write the entries behind all that stands in the file; the line on which they begin."""
    before = document.path.read_bytes()
    text = before.decode("utf-8-sig")
    ending = "\r\n" if "\r\n" in text else "\n"
    gap = ending * (2 - text.endswith("\n")) if text.strip() else ""
    added = ending.join(_lines(entries, (*document.prefix, "allow"))) + ending
    _prove(document, text + gap + added, entries, added)
    _put(document.path, before, before + (gap + added).encode("utf-8"))
    return (text + gap).count("\n") + 1


def _lines(entries: Sequence[AllowSettings], keys: Sequence[str]) -> Iterator[str]:
    for number, entry in enumerate(entries):
        if number:
            yield ""
        yield f"[[{'.'.join(keys)}]]"
        for name, value in entry.model_dump(exclude_none=True).items():
            yield f"{name} = {toml(value)}"


def _prove(document: Document, text: str, entries: Sequence[AllowSettings], added: str) -> None:
    """Read what would be written: everything as before, and the new entries behind the old ones."""
    content: object = None
    with suppress(tomllib.TOMLDecodeError, RecursionError):
        content = tomllib.loads(text)
    for key in document.prefix:
        content = content.get(key) if isinstance(content, Mapping) else None
    before, after = settings_from(document.content)[0], settings_from(content)[0] if isinstance(content, Mapping) else None
    if before is None or after is None or after != before.model_copy(update={"allow": (*before.allow, *entries)}):
        raise UsageError(
            f"{document.name}: cannot be added to: `allow`, or a table above it, is written on one line",
            f"Write it as tables of its own, `[[{'.'.join((*document.prefix, 'allow'))}]]`, then this can add to it:\n{added}",
        )


def _put(path: Path, before: bytes, after: bytes) -> None:
    """Put the new content in the old one's place in one step, unless somebody else wrote meanwhile. A link stays a link."""
    target = path.resolve()
    beside = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        mode = target.stat().st_mode & 0o7777
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(after)
            file.flush()
            os.fsync(descriptor)
        if target.read_bytes() != before:
            raise UsageError(f"{path}: was changed meanwhile", "Call it again.")
        beside.replace(target)
    except OSError as refused:
        raise UsageError(f"{path}: cannot be written: {(refused.strerror or 'no reason').lower()}") from None
    finally:
        with suppress(OSError):
            beside.unlink()
