"""``python -m runner.servers.warming``: fills the cache with a cluster of every PostgreSQL installed here, for an image."""

from __future__ import annotations

from runner.servers.installations import installations
from runner.servers.postgresql.local import local_server


def warm() -> None:
    """Start each once, which leaves its cluster in the cache; raises ServerFailed."""
    for installation in installations():
        with local_server(installation):
            pass


if __name__ == "__main__":
    warm()
