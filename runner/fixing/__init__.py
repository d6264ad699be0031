"""Repairs of what checks find, each shown first, written down, and undone by its file."""
