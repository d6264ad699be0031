"""Names of databases and roles, within what the servers take."""

from __future__ import annotations

import hashlib

#: PostgreSQL keeps 63 bytes of a name, MongoDB takes no more for a database.
NAME_LIMIT = 63


def shortened(name: str, ending: str) -> str:
    """A name with an ending, within 63 bytes: a name that is too long gives its tail for a digest."""
    room = NAME_LIMIT - len(ending.encode())
    if len(name.encode()) <= room:
        return f"{name}{ending}"
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name.encode()[: room - 9].decode(errors='ignore')}_{digest}{ending}"
