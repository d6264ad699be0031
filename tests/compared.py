"""The checks that compare head with base, and say nothing of a repository without one."""

from __future__ import annotations

#: By id.
COMPARED = (
    "edited-migration",
    "blocking-migration",
    "lock-queue",
    "lost-constraint",
    "dropped-with-values",
    "lost-rows",
    "changed-values",
)
