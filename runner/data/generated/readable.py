"""Texts for people to read, by what a column is called: names, addresses, titles; from Mimesis, the extra ``readable``.

Nobody real is meant by them, and nobody can be reached: mail and pages are at ``example.com`` (RFC 2606), telephones among those
that are kept for fiction (+1 202 555 01xx).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from checks.schema.model import Column
from checks.schema.names import TableName
from runner.errors import UsageError

if TYPE_CHECKING:
    from mimesis import Generic

#: How many different texts a column gets, at most.
TEXTS = 100

_Maker = Callable[["Generic"], str]

#: What a column's name says of it, the first that fits; the words of a name are parted by underscores or capital letters.
_BY_NAME: tuple[tuple[str, _Maker], ...] = (
    ("e?mail", lambda made: made.person.email(domains=["example.com"])),
    ("user name|username|login|nick ?name|handle", lambda made: made.person.username()),
    ("first name|given name|forename", lambda made: made.person.first_name()),
    ("last name|family name|surname", lambda made: made.person.last_name()),
    ("phone|telephone|mobile|fax", lambda made: made.person.phone_number(mask="+1 202 555 01##")),
    ("url|link|website|homepage", lambda made: f"https://{_word(made)}.example.com/{_word(made)}"),
    ("host|hostname|domain", lambda made: f"{_word(made)}.example.com"),
    ("slug", lambda made: f"{_word(made)}-{_word(made)}"),
    ("street|address", lambda made: made.address.address()),
    ("city|town", lambda made: made.address.city()),
    ("zip|postal ?code|postcode", lambda made: made.address.postal_code()),
    ("state|province|region", lambda made: made.address.state()),
    ("country", lambda made: made.address.country()),
    ("company|organi[sz]ation|employer|vendor|supplier", lambda made: f"{made.person.last_name()} & {made.person.last_name()}"),
    ("job|occupation|position|role", lambda made: made.person.occupation()),
    ("colou?r", lambda made: made.text.color()),
    ("title|subject|headline|label", lambda made: made.text.title()),
    ("body|text|content|description|comment|note|notes|message|summary|bio|reason", lambda made: made.text.text(quantity=2)),
    ("currency", lambda made: made.finance.currency_iso_code(allow_random=True)),
    ("(?:user|person|customer|buyer|seller|shipping|contact|author|owner|recipient) name", lambda made: made.person.full_name()),
    ("author|owner|contact|recipient|assignee|reviewer", lambda made: made.person.full_name()),
)
_PATTERNS = tuple((re.compile(rf"\b(?:{pattern})\b"), maker) for pattern, maker in _BY_NAME)
#: Tables of people: what is called ``name`` there is somebody's.
_PEOPLE = re.compile(r"\b(?:users?|people|persons?|customers?|employees?|members?|contacts?|authors?|accounts?|staff)\b")
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def readable(seed: int) -> Callable[[TableName, Column], Sequence[str]]:
    """What gives a column's texts; the same seed gives the same. Raises UsageError without the extra."""
    try:
        from mimesis import Generic, Locale
    except ImportError:
        raise UsageError(
            "--readable needs Mimesis, which is not installed", 'Install the extra: pip install "dbproof[readable]".'
        ) from None

    def texts(table: TableName, column: Column) -> Sequence[str]:
        maker, made = _maker(table.name, column.name), Generic(Locale.EN, seed=f"{seed} {table.label()} {column.name}")
        return tuple(dict.fromkeys(maker(made) for _ in range(TEXTS)))

    return texts


def _maker(table: str, column: str) -> _Maker:
    words = _words(column)
    found = next((maker for pattern, maker in _PATTERNS if pattern.search(words)), None)
    if found is None and "name" in words.split():
        return _person if _PEOPLE.search(_words(table)) else _thing
    return found or _word


def _words(name: str) -> str:
    return _CAPITAL.sub(" ", name).replace("_", " ").lower()


def _person(made: Generic) -> str:
    return made.person.full_name()


def _thing(made: Generic) -> str:
    return f"{made.text.color()} {_word(made)}"


def _word(made: Generic) -> str:
    return re.sub("[^a-z]", "", made.text.word().lower()) or "word"
