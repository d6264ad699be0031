"""How the shop connects: to PostgreSQL on the server, to a file of SQLite on a till."""

from sqlalchemy import create_engine, event, make_url


def engine(url, foreign_keys=True, **options):
    """An engine on the database of a URL. On a till foreign keys count only where each session says so."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(parsed.set(drivername="postgresql+psycopg"), **options)
    made = create_engine(parsed, **options)
    if foreign_keys:
        event.listen(made, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys = on"))
    return made
