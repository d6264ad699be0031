"""Documents in sets: how whole collections are filled from their validators, indexes and references, planned and written here.

Nothing in it asks a server: it is handed keys of parents and documents that a server took, and gives documents as bytes.
"""
