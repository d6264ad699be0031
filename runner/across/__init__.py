"""References between databases: the keys of each side are kept while it is there, and compared when all have been seen."""
