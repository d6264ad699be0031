"""MongoDB servers: local binaries, Docker, or a given one; always a replica set of one, so that transactions work."""
