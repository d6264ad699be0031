"""Values as they stand in a document's bytes, and keys that are made of such."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bson import DBRef, decode, encode
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions, DatetimeConversion

#: A value without its field's name: the byte of its type, and what follows the name.
Part = tuple[bytes, bytes]
#: A key, or a part of one that is missing.
Key = tuple[Part | None, ...]
#: Values come and go as they are stored.
CODEC: CodecOptions[dict[str, Any]] = CodecOptions(
    datetime_conversion=DatetimeConversion.DATETIME_AUTO, uuid_representation=UuidRepresentation.UNSPECIFIED
)


def part_of(value: Any) -> Part:  # noqa: ANN401 - any value
    """A value as it stands behind a name. Raises what the driver raises for what is no BSON."""
    encoded = encode({"": value}, codec_options=CODEC)
    return encoded[4:5], encoded[6:-1]


def value_of(part: Part) -> Any:  # noqa: ANN401 - any value
    """The value that a part stands for."""
    body = part[0] + b"\0" + part[1] + b"\0"
    return decoded((len(body) + 4).to_bytes(4, "little") + body)[""]


@dataclass
class Keys:
    """The keys that a draw takes from, by what is shared; more may come while documents are made."""

    shared: int = 0
    rows: list[Key] = field(default_factory=list)
    groups: dict[Key, list[Key]] = field(default_factory=dict)

    def add(self, key: Key) -> None:
        """One more; its last parts are those that are shared."""
        self.rows.append(key)
        if self.shared:
            self.groups.setdefault(key[-self.shared :], []).append(key)


def decoded(document: bytes) -> dict[str, Any]:
    """A document as values."""
    plain: dict[str, Any] = _plain(decode(document, codec_options=CODEC))
    return plain


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a document holds
    """References are the objects that the server keeps of them."""
    if isinstance(value, DBRef):
        return _plain(dict(value.as_doc()))
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value
