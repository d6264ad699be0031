"""What several checks share that read relational databases: statements, plans, names of types and indexes."""
