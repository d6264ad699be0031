"""Reads a page of Markdown as GitHub would: what is markup, and what is only text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.token import Token

#: All that the summary itself may write as HTML.
OWN_HTML = ("<br>", "<details>", "</details>", "<summary>", "</summary>")


@dataclass
class Page:
    """The tags, with how often; the text outside code; and the pieces of raw HTML."""

    tags: dict[str, int] = field(default_factory=dict)
    attributes: set[str] = field(default_factory=set)
    prose: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)


def page(markdown: str) -> Page:
    """The page, rendered with GitHub's tables and with raw HTML let through."""
    parser = MarkdownIt("gfm-like", {"linkify": False, "html": True})
    found = Page()
    for token in _flat(parser.parse(markdown)):
        if token.type in ("html_inline", "html_block"):
            found.html.append(token.content)
        elif token.type == "text":
            found.prose.append(token.content)
    _Tags(found).feed(parser.render(markdown))
    return found


def _flat(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _flat(token.children or [])


class _Tags(HTMLParser):
    def __init__(self, found: Page) -> None:
        super().__init__()
        self._page = found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._page.tags[tag] = self._page.tags.get(tag, 0) + 1
        self._page.attributes |= {name for name, _ in attrs}
