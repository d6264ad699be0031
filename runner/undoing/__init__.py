"""New migrations on their way back: applied, undone and applied again on a copy, with the states of the database compared."""
