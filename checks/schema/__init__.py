"""What a database holds, as frozen dataclasses; one reader per engine."""
