"""Under which user a server runs. PostgreSQL refuses to run as root, and no server needs to, so root hands it to another user."""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.errors import ServerFailed

#: Stands in for root where the engine's own packages made no user.
_NOBODY = "nobody"


@dataclass(frozen=True)
class Account:
    """A user for server processes. ``other`` says that it is not the one who runs dbproof."""

    uid: int
    gid: int
    other: bool

    def options(self) -> dict[str, Any]:
        """The options of ``subprocess`` that start a process under this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.other else {}

    def own(self, path: Path) -> None:
        """Hand a file or directory to this user."""
        if self.other:
            os.chown(path, self.uid, self.gid)

    def reaches(self, path: Path) -> bool:
        """Whether this user may read and enter a directory and all above it (root is the only one who has to ask)."""
        return not self.other or all(self._may(step, 0o5 if step == path else 0o1) for step in (path, *path.parents))

    def _may(self, path: Path, bits: int) -> bool:
        found = path.stat()
        shift = 6 if found.st_uid == self.uid else 3 if found.st_gid == self.gid else 0
        return stat.S_IMODE(found.st_mode) >> shift & bits == bits


def own_account() -> Account:
    """Whoever runs dbproof."""
    return Account(os.geteuid(), os.getegid(), other=False)


def server_account(named: str = "postgres") -> Account:
    """Whoever runs dbproof, or for root the user ``named``, else ``nobody``; raises ServerFailed where root has neither."""
    if os.geteuid() != 0:
        return own_account()
    for name in (named, _NOBODY):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, other=True)
    raise ServerFailed(
        f"servers do not run as root, and there is neither a user '{named}' nor '{_NOBODY}' to run them as",
        f"Add one (`useradd --system {named}`), or run dbproof as another user than root.",
    )


def has_entry(account: Account) -> bool:
    """Whether the user has a passwd entry; ``initdb`` refuses one without."""
    try:
        pwd.getpwuid(account.uid)
    except KeyError:
        return False
    return True
