"""MongoDB's ``$jsonSchema``: what a document has to be, whether it is, and documents that are or are just not."""
