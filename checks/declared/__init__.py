"""What a repository declares of its own database, as frozen data, and the parsers of its lines."""
