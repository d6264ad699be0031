"""What can be broken on purpose in a database, so that the checks can be seen to find it: descriptions, nothing here writes."""
