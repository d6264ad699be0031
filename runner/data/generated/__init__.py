"""Rows compiled from the schema: tables that are still empty are filled by the server itself."""
