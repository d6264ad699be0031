"""The registries of checks, one for each kind of thing that is judged: id to module, nothing hidden."""
