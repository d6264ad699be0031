"""Rows made from a schema, against the ways to get the same rows in: how fast, and what ten times as many cost.

The shop's own migrations make the schema. Our rows go in with every constraint holding at the end: references are counted by
one join each, or seen by the numbers alone. Two rivals get the very same rows: `INSERT … SELECT` from a copy and COPY from a
file, both with all constraints on. The third gives every column of the same tables a value of Faker's, parents by chance
among them, and sends them by executemany. Prints rows in a second and the ratios; limits: 3x INSERT … SELECT, 50x Faker, 0.5x
COPY. We fill tables side by side where there are processors for it.

On two processors, medians of two and three interleaved pairs. While others were hardly at work (a load of 3 to 4 that was
going down): 1 015 000 rows at 490 000 to 518 000 rows/s, 250 000 to 330 000 while they were, were 57x (56 to 57) Faker's
9 000 rows/s, 4.2x (3.8 to 4.6) INSERT … SELECT and 3.2x (2.9 to 3.6) COPY of a ready file. With a load of 7 to 12: 59x (41 to
61), 4.0x (3.9 to 5.0) and 4.5x (3.8 to 5.0); a load favours us, who work in two sessions. Ten times the rows took 5.9 times
as long; the process used 125 MB, the rivals' files among them. The server's processors were busy for 3.3 s: six tenths of it
are the INSERT itself, a fifth is building the indexes. Faker's loader takes about 135 µs of processors a row, with 10 000
rows a table as with 30 000.

Since some rows are made awkward on purpose, medians of six pairs with others at work now and then (a load of 2): 56x (44 to 61)
Faker's 8 200 to 9 300 rows/s, 4.8x (3.7 to 5.6) INSERT … SELECT, 4.2x (3.4 to 5.4) COPY. With nobody else at work, each fill
after a second of rest, five pairs came to 49x (47 to 58) Faker's 9 000 rows/s; before the values were made cheaper four came to
44x (44 to 48). The server's processors were busy for 3.05 s, before for 3.4 s. Ten times 145 000 rows a table took 9.6 times as
long (28 s, others at work), and the process held 66 MB with either.

    python -m bench.generate [ROWS A TABLE] [PAIRS]
"""

from __future__ import annotations

import io
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from psycopg import Connection
from psycopg.conninfo import make_conninfo

from bench.ratios import environment
from checks.interface import Engine
from checks.rows.sets.order import turns
from checks.rows.sets.wishes import Wishes
from checks.schema.model import Catalogue
from runner.data.generated.postgresql import catalogue_of, generate
from runner.servers.interface import Database, Server, Wanted
from runner.servers.postgresql.sessions import session
from runner.servers.registry import provision

SHOP = Path(__file__).parents[1] / "examples" / "shop"
#: Rows a table that the Faker loader makes at most: of more it makes as many in a second.
FAKED = 10_000
LIMITS = {"INSERT … SELECT": 3.0, "COPY": 0.5, "Faker": 50.0}

FAKER = """
import sys, time
import psycopg
from faker import Faker
fake = Faker(); fake.seed_instance(1)
rows = int(sys.argv[2])
def price(): return fake.pydecimal(left_digits=4, right_digits=2, positive=True)
def sku(n): return f"{n}-{fake.bothify('??-####')}"
def number(): return fake.random_int(0, 9)
def parent(): return fake.random_int(1, rows)
def order(n):
    parts = [price() for _ in range(3)]
    discount = min(price(), parts[0])
    return (n, parent(), sku(n), fake.word(), *parts, discount, sum(parts) - discount, fake.name(), fake.date_time())
def item(n):
    each, many = price(), fake.random_int(1, 9)
    return (n, parent(), parent(), sku(n), fake.catch_phrase(), many, each, each * many)
def user(n):
    score = fake.pydecimal(min_value=0, max_value=100, right_digits=2)
    email = f"{n}{fake.email()}"
    return (n, email, fake.name(), fake.date_time(), fake.random_int(1, 5), score, number(), number(), number())
tables = {
    "users": ("id, email, name, created_at, security_clearance, performance_score, failed_logins, otp_attempts, reset_attempts",
        user),
    "orders": ("id, buyer_id, number, status, subtotal, tax, shipping, discount, total, shipping_name, created_at", order),
    "payment_methods": ("id, buyer_id, kind, label, external_id",
        lambda n: (n, parent(), fake.word(), fake.credit_card_number(), str(fake.uuid4()))),
    "products": ("id, vendedor_id, sku, name, precio_venta, precio_costo, comision, peso",
        lambda n: (n, parent(), sku(n), fake.catch_phrase(), price(), price(), price(), price())),
    "order_items": ("id, order_id, product_id, product_sku, product_name, quantity, unit_price, total", item),
    "order_transactions": ("id, order_id, payment_method_id, outcome, created_at, external_id",
        lambda n: (n, parent(), parent(), fake.word(), fake.date_time(), str(fake.uuid4()))),
    "payments": ("id, transaction_id, amount, currency, method_type, status, external_id",
        lambda n: (n, parent(), price(), fake.currency_code(), fake.word(), fake.word(), str(fake.uuid4()))),
}
with psycopg.connect(sys.argv[1]) as c:
    began = time.perf_counter()
    for table, (columns, row) in tables.items():
        marks = ", ".join(["%s"] * len(columns.split(", ")))
        c.cursor().executemany(f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE VALUES ({marks})",
            [row(n) for n in range(1, rows + 1)])
    c.commit()
    print(rows * len(tables) / (time.perf_counter() - began))
"""


def schema() -> str:
    """The shop's tables, as its own migrations write them."""
    told = [sys.executable, "-m", "alembic", "upgrade", "head", "--sql"]
    variables = {"DATABASE_URL": "postgresql+psycopg://nobody@nowhere/none", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(told, cwd=SHOP, env=variables, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout.replace("%%", "%")  # Alembic writes them for a driver


def made(server: Server, name: str, ddl: str) -> tuple[Database, Catalogue]:
    """An empty database with these tables."""
    database = server.create(name)
    with session(database.private) as connection:
        connection.execute(ddl.encode())
    return database, catalogue_of(database.private)


def filled(database: Database, catalogue: Catalogue, rows: int) -> tuple[float, int]:
    """Rows in a second, every reference counted at the end; and how many rows there are."""
    began = time.perf_counter()
    wanted = {table.name: rows for table in catalogue.tables}
    done = generate(database.private, catalogue, wanted, 1, Wishes(), lambda _: None)
    taken = time.perf_counter() - began
    total = sum(one.rows for one in done)
    if short := [one for one in done if one.rows < rows or one.reason]:
        raise SystemExit(f"not filled: {short}")
    return total / taken, total


def emptied(connection: Connection[Any], catalogue: Catalogue) -> None:
    """Take all rows away."""
    names = ", ".join(f'"{table.name.name}"' for table in catalogue.tables)
    connection.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE".encode())


def rivals(server: Server, source: Database, ddl: str, rows: int) -> dict[str, Callable[[], float]]:
    """Ways to get the source's rows into an empty schema with all constraints on, each giving rows in a second."""
    target, catalogue = made(server, "rivals", ddl)
    ordered = [turn.table for turn in turns(catalogue)]
    columns = {t.name: ", ".join(f'"{c.name}"' for c in t.columns if not c.generated) for t in ordered}
    files: dict[str, bytes] = {}
    with session(source.private) as connection, session(target.private) as here:
        here.execute("CREATE SCHEMA copies")
        for table in ordered:
            out = io.BytesIO()
            with connection.cursor().copy(f'COPY "{table.name.name}" ({columns[table.name]}) TO STDOUT'.encode()) as copy:
                for block in copy:
                    out.write(block)
            files[table.name.name] = out.getvalue()
            here.execute(
                f'CREATE TABLE copies."{table.name.name}" AS SELECT {columns[table.name]} FROM "{table.name.name}"'.encode()
            )
            with here.cursor().copy(f'COPY copies."{table.name.name}" FROM STDIN'.encode()) as copy:
                copy.write(files[table.name.name])

    def timed(each: Callable[[Connection[Any], str, str], int]) -> float:
        with session(target.private) as connection:
            emptied(connection, catalogue)
            began = time.perf_counter()
            rows = sum(each(connection, table.name.name, columns[table.name]) for table in ordered)
            return rows / (time.perf_counter() - began)

    def selected(connection: Connection[Any], name: str, listed: str) -> int:
        text = f'INSERT INTO "{name}" ({listed}) OVERRIDING SYSTEM VALUE SELECT {listed} FROM copies."{name}"'
        return connection.execute(text.encode()).rowcount

    def copied(connection: Connection[Any], name: str, listed: str) -> int:
        cursor = connection.cursor()
        with cursor.copy(f'COPY "{name}" ({listed}) FROM STDIN'.encode()) as copy:
            copy.write(files[name])
        return cursor.rowcount

    def faked() -> float:
        with session(target.private) as connection:
            emptied(connection, catalogue)
        program = environment("faker", "faker", "psycopg[binary]") / "python"
        told: list[str | Path] = [program, "-c", FAKER, make_conninfo(**target.private.keywords()), str(min(FAKED, rows))]
        return float(subprocess.run(told, capture_output=True, text=True, timeout=600, check=True).stdout)

    return {"INSERT … SELECT": lambda: timed(selected), "COPY": lambda: timed(copied), "Faker": faked}


def main() -> None:
    """Measure and print."""
    rows, pairs = (int(one) for one in (*sys.argv[1:], *("145000", "3")[len(sys.argv) - 1 :]))
    ddl = schema()
    with provision(Wanted(Engine.POSTGRESQL)) as server:
        source, catalogue = made(server, "made", ddl)
        filled(source, catalogue, rows)
        ways = rivals(server, source, ddl, rows)
        ratios: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(pairs):
            for name, way in ways.items():
                with session(source.private) as connection:
                    emptied(connection, catalogue)
                ours, total = filled(source, catalogue, rows)
                theirs = way()
                ratios[name].append(ours / theirs)
                print(f"{total} rows: ours {ours:,.0f} rows/s, {name} {theirs:,.0f} rows/s, ratio {ours / theirs:.2f}")
        for name, found in ratios.items():
            middle = median(found)
            print(f"{name}: {middle:.2f}x (limit {LIMITS[name]}x){'' if middle >= LIMITS[name] else ' NOT MET'}")
        speeds = {}
        for number in (rows // 10, rows):
            with session(source.private) as connection:
                emptied(connection, catalogue)
            speeds[number] = number / filled(source, catalogue, number)[0]
        print(f"10x rows: {speeds[rows] / speeds[rows // 10]:.1f}x the time")
    print(f"memory of dbproof: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
