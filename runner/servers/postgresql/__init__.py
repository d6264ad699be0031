"""PostgreSQL servers: local binaries, a Docker container, or one that is given."""
