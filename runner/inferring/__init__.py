"""A first declaration of a document database, from the documents that it holds."""
