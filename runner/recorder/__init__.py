"""What the server saw while migrations were applied: objects made and dropped, rewrites, locks, statements, errors."""
