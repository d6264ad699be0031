"""Rows made from a schema on SQLite and MariaDB, against the same rows by `INSERT … SELECT` and a loader with Faker.

`INSERT … SELECT` gets the very same rows from copies of the tables, with every constraint on; ours are counted against every
reference at the end. Faker fills one table of five columns by executemany. Prints rows in a second and the ratios; there is no
limit, as making a row is more work than copying it.

    python -m bench.generate_elsewhere [sqlite | mariadb] [ROWS A TABLE] [PAIRS]
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

from bench.ratios import environment
from checks.interface import Engine
from checks.rows.sets.wishes import Wishes
from runner.data.generated import mariadb, sqlite
from runner.servers.interface import Database, Wanted
from runner.servers.mariadb.sessions import rows as rows_of
from runner.servers.mariadb.sessions import session as mariadb_session
from runner.servers.registry import provision
from runner.servers.sqlite.sessions import session as sqlite_session

#: Rows that the Faker loader makes.
FAKED = 5_000
TABLES = ("customers", "products", "orders", "order_lines")
#: The same for both engines.
SCHEMA = (
    """CREATE TABLE customers (id INTEGER PRIMARY KEY, email VARCHAR(60) NOT NULL UNIQUE CHECK (email LIKE '%_@_%'),
        name VARCHAR(60) NOT NULL, born DATE, score INTEGER NOT NULL CHECK (score BETWEEN 0 AND 100))""",
    """CREATE TABLE products (id INTEGER PRIMARY KEY, sku VARCHAR(20) NOT NULL UNIQUE,
        price DECIMAL(10, 2) NOT NULL CHECK (price > 0))""",
    """CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, subtotal DECIMAL(10, 2) NOT NULL,
        tax DECIMAL(10, 2) NOT NULL, total DECIMAL(10, 2) NOT NULL, status VARCHAR(10) NOT NULL, placed DATETIME NOT NULL,
        CHECK (status IN ('new', 'paid', 'sent')), CHECK (subtotal > 0), CHECK (tax >= 0), CHECK (total = subtotal + tax),
        FOREIGN KEY (customer_id) REFERENCES customers (id))""",
    "CREATE INDEX orders_customer ON orders (customer_id)",
    """CREATE TABLE order_lines (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL, product_id INTEGER NOT NULL,
        quantity INTEGER NOT NULL CHECK (quantity > 0), FOREIGN KEY (order_id) REFERENCES orders (id),
        FOREIGN KEY (product_id) REFERENCES products (id))""",
    "CREATE INDEX lines_order ON order_lines (order_id)",
    "CREATE INDEX lines_product ON order_lines (product_id)",
)

FAKER = """
import sys, time
from faker import Faker
engine, place, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
if engine == "sqlite":
    import sqlite3
    c, mark = sqlite3.connect(place), "?"
else:
    import pymysql
    host, port, user, password, name = place.split("|")
    socket = {"unix_socket": host} if host.startswith("/") else {"host": host, "port": int(port)}
    c, mark = pymysql.connect(user=user, password=password, database=name, **socket), "%s"
fake = Faker(); fake.seed_instance(1)
cursor = c.cursor()
began = time.perf_counter()
cursor.executemany(f"INSERT INTO customers VALUES ({', '.join([mark] * 5)})",
    [(n, f"{n}{fake.email()}", fake.name(), fake.date_of_birth(), fake.random_int(0, 100)) for n in range(rows)])
c.commit()
print(rows / (time.perf_counter() - began))
"""

Send = Callable[[str], object]


@contextmanager
def sending(database: Database, engine: Engine) -> Iterator[Send]:
    """What sends statements, with references asked of each row."""
    if engine is Engine.SQLITE:
        with sqlite_session(database.private) as connection:
            connection.execute("PRAGMA foreign_keys = on")
            yield connection.execute
    else:
        with mariadb_session(database.private) as driver:
            yield partial(rows_of, driver)


def filled(database: Database, engine: Engine, rows: int) -> float:
    """Rows in a second."""
    module = sqlite if engine is Engine.SQLITE else mariadb
    catalogue = module.catalogue_of(database.private)
    wanted = {table.name: rows for table in catalogue.tables if table.name.name in TABLES}
    began = time.perf_counter()
    done = module.generate(database.private, catalogue, wanted, 1, Wishes(), lambda _: None)
    taken = time.perf_counter() - began
    if any(one.rows < rows or one.reason for one in done):
        raise SystemExit(f"not filled: {done}")
    return rows * len(done) / taken


def emptied(send: Send) -> None:
    """Take all rows away, children first."""
    for table in reversed(TABLES):
        send(f"DELETE FROM {table}")


def copied(send: Send, rows: int) -> float:
    """The same rows from copies of the tables, in one transaction; rows in a second."""
    began = time.perf_counter()
    send("BEGIN")
    for table in TABLES:
        send(f"INSERT INTO {table} SELECT * FROM copy_of_{table}")
    send("COMMIT")
    return rows * len(TABLES) / (time.perf_counter() - began)


def faked(database: Database, engine: Engine) -> float:
    """Customers by Faker and executemany; rows in a second."""
    at = database.private
    place = at.database if engine is Engine.SQLITE else f"{at.host}|{at.port}|{at.user}|{at.password}|{at.database}"
    told: list[str | Path] = [
        environment("faker-elsewhere", "faker", "pymysql") / "python",
        "-c",
        FAKER,
        engine.value,
        place,
        str(FAKED),
    ]
    return float(subprocess.run(told, capture_output=True, text=True, timeout=600, check=True).stdout)


def main() -> None:
    """Measure and print."""
    given = (*sys.argv[1:], *("sqlite", "100000", "3")[len(sys.argv) - 1 :])
    engine, rows, pairs = Engine(given[0]), int(given[1]), int(given[2])
    with provision(Wanted(engine)) as server:
        database = server.create("bench")
        with sending(database, engine) as send:
            for statement in SCHEMA:
                send(statement)
            filled(database, engine, rows)
            for table in TABLES:
                send(f"CREATE TABLE copy_of_{table} AS SELECT * FROM {table}")
            ratios: dict[str, list[float]] = {"INSERT … SELECT": [], "Faker": []}
            speeds: dict[int, list[float]] = {rows // 10: [], rows: []}
            for _ in range(pairs):
                emptied(send)
                theirs = {"INSERT … SELECT": copied(send, rows)}
                emptied(send)
                theirs["Faker"] = faked(database, engine)
                for number, found in speeds.items():
                    emptied(send)
                    found.append(filled(database, engine, number))
                ours = speeds[rows][-1]
                for name, speed in theirs.items():
                    ratios[name].append(ours / speed)
                    print(f"{rows} rows a table: ours {ours:,.0f} rows/s, {name} {speed:,.0f} rows/s, ratio {ours / speed:.2f}")
            for name, each in ratios.items():
                print(f"{name}: {median(each):.2f}x")
            print(f"10x rows: {10 * median(speeds[rows // 10]) / median(speeds[rows]):.1f}x the time")
    print(f"memory of dbproof: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
