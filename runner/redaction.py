"""Takes secrets out of text: the registered ones in every spelling, and passwords where their place gives them away.

A registered secret becomes ``***`` wherever it stands: as it is, percent-encoded, escaped for JSON, Python, XML or SQL, and in
base64. Drivers that are handed a malformed URL echo a part of the password as a host or a port; so the parts between the
characters that split a URL are taken out too.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

#: What stands in a secret's place.
MASK = "***"

#: A shorter text is masked only where its place makes it a secret: alone in quotes, or beside an ``@``.
SHORTEST = 4

#: The passwords of tutorials and service containers. They protect nothing, and masking the words would spoil every report.
NO_SECRETS = frozenset(
    {"admin", "changeme", "dbproof", "example", "guest", "mariadb", "mongo", "mongodb", "mysql", "pass", "password", "postgres"}
    | {"postgresql", "public", "root", "secret", "test", "user"}
)

_SEPARATORS = re.compile(r"[@:/?#&%=\[\]\s]+")
_TOKEN = re.compile(r"""[^\s"'`<>]+""")
_PASSWORD_KEY = re.compile(
    r"""
    (?:password|passwd|pwd|sslpassword)
    (?: \\*["']\s*[:=]\s*  (?= \\*["'])      # "password": "…", 'password' = '…'
      | \s*[:=]\s*         (?= \\*["'])      # password='…'
      | \s+                (?= ')            # ALTER ROLE … PASSWORD '…'
      | =                                    # password=…
      | \s+=\s+            (?! \S+\( )       # password = …, but not a call in a CHECK
    )
    (?P<value> (?P<escaped>\\+["']) (?: (?! (?<!\\)(?P=escaped) ) . )* (?:(?P=escaped))?
             | (?P<quote>["']) (?: (?!(?P=quote)) (?:\\.|[^\\]) )* (?P=quote)?
             | \S+ )
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_BARE_USER_IS_SECRET = ("http", "https")


class Redactor:
    """Knows the secrets of a run. Passwords in URLs and in ``password=…`` are masked even when nobody registered them."""

    def __init__(self) -> None:
        self._anywhere: set[str] = set()
        self._in_place: set[str] = set()
        self._patterns: tuple[re.Pattern[str], ...] | None = None

    def add(self, secret: str) -> None:
        """Register a secret. An empty text and the well-known passwords of :data:`NO_SECRETS` are left out."""
        parts = {secret, *_SEPARATORS.split(secret)}
        wanted = {part for part in parts if part.strip() and part.lower() not in NO_SECRETS}
        self._in_place |= {part for part in wanted if len(part) < SHORTEST}
        self._anywhere |= {spelling for part in wanted if len(part) >= SHORTEST for spelling in _spellings(part)}
        self._patterns = None

    def redact(self, text: str) -> str:
        """The text with :data:`MASK` in place of every secret."""
        if self._patterns is None:
            self._patterns = tuple(self._compile())
        for pattern in self._patterns:
            text = pattern.sub(MASK, text)
        if "://" in text and "@" in text:
            text = _TOKEN.sub(_mask_url, text)
        return _PASSWORD_KEY.sub(_mask_value, text)

    def _compile(self) -> Iterator[re.Pattern[str]]:
        if self._anywhere:
            yield re.compile(_alternatives(self._anywhere))
        if self._in_place:
            short = _alternatives(self._in_place)
            yield re.compile(rf"""(?<=["'])(?:{short})(?=["'])|(?<=@)(?:{short})(?![\w.-])|(?<![\w.-])(?:{short})(?=@)""")


def _alternatives(texts: set[str]) -> str:
    return "|".join(re.escape(text) for text in sorted(texts, key=lambda text: (-len(text), text)))


def _spellings(secret: str) -> Iterator[str]:
    """The secret as programs write it; spellings of fewer than :data:`SHORTEST` characters are dropped."""
    data = secret.encode("utf-8", "surrogatepass")
    percent = {quote(data, safe=safe) for safe in ("", "/", "@:", "!$&'()*+,;=:/@")} | {quote_plus(data)}
    lower = {re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), text) for text in percent}
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1], ascii(secret)[1:-1]}
    marked_up = {html.escape(secret), html.escape(secret, quote=False), secret.replace("'", "''"), secret.replace("\\", "\\\\")}
    for text in {secret, secret.lower(), *percent, *lower, *escaped, *marked_up, *_base64(data)}:
        if len(text) >= SHORTEST:
            yield text


def _base64(data: bytes) -> Iterator[str]:
    """The characters that the secret alone decides, for each of the three ways it can lie within a longer base64 text."""
    for before in range(3):
        padded = bytes(before) + data
        whole = len(padded) // 3 * 4
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(padded).decode("ascii")
            if before == 0:
                yield text.rstrip("=")
            core = text[(0, 2, 3)[before] : whole]
            if len(core) >= 2 * SHORTEST:
                yield core


def _mask_url(found: re.Match[str]) -> str:
    """Mask the password of a URL in a run without spaces and quotes, up to the last ``@`` as the URL may be malformed."""
    token = found[0]
    at = token.rfind("@")
    start = token.find("://", 0, max(at, 0))
    if start < 0:
        return token
    colon = token.find(":", start + 3, at)
    if colon >= 0:
        return f"{token[: colon + 1]}{MASK}{token[at:]}"
    bare = "/" not in token[start + 3 : at] and token[:start].lower().endswith(_BARE_USER_IS_SECRET)
    return f"{token[: start + 3]}{MASK}{token[at:]}" if bare else token


def _mask_value(found: re.Match[str]) -> str:
    value, quoted = found["value"], found["escaped"] or found["quote"]
    before = found[0][: -len(value)]
    if quoted:
        return f"{before}{quoted}{MASK}{quoted}"
    kept = value[len(value.rstrip("\"'`),;}]")) :]
    return f"{before}{MASK}{kept}"
