"""The PostgreSQL versions that tests of what differs between them run on: every one that is installed."""

from __future__ import annotations

from runner.servers.installations import installations

MAJORS = tuple(str(major) for major in sorted({installation.version[0] for installation in installations()}))
