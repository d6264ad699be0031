"""What the probe of tenancy is handed: a sandbox in which rows are prepared, and tried as the application's role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from checks.targets import Sandbox, Trial, Verdict

if TYPE_CHECKING:
    from sqlalchemy import Executable


@runtime_checkable
class Application(Sandbox, Protocol):
    """A sandbox that can become the application: what is prepared is ours, what is tried after :meth:`entered` is its role's."""

    def prepare(self, change: Executable) -> int:
        """Change rows within a trial as we please: no trigger, no reference and no policy is asked. Gives how many it touched.

        Stays until the trial ends; raises StatementFailed where the server refuses, and the trial goes on.
        """
        ...

    def entered(self, tenant: Mapping[str, str] | None) -> AbstractContextManager[Trial]:
        """The application's role, signed in as a tenant (its declared columns, as text), or (``None``) without signing in.

        Whatever it changes is undone when the context ends, its signing in too. Raises StatementFailed where it cannot sign in.
        """
        ...

    def change(self, change: Executable) -> Verdict:
        """Change rows as whoever the session is at the moment; a refused change changes nothing, and the trial goes on.

        A change without a condition meets rows that a condition would need the right to read. Raises StatementFailed where the
        session was lost.
        """
        ...

    def seen(self, statement: Executable) -> Sequence[tuple[Any, ...]]:
        """All rows of a statement as we see them, no policy asked, also in the middle of what the application does."""
        ...
