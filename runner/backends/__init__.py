"""What only an engine knows of a run: one module per engine, behind one protocol."""
