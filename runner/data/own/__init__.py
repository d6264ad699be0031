"""The repository's own rows: which files hold them, how each format is read, and how each engine takes them in."""
