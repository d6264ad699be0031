"""SQLite: a database is a file in a private directory."""
