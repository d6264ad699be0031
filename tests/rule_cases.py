"""Tables whose references have every kind of rule, for the probes of delete and of update rules."""

from __future__ import annotations

#: A name of everything that has to be quoted, and one of 62 bytes.
HOSTILE = "a \"b\" :c %d %(e)s\n'f'; DROP TABLE g; -- ☃"
LONG = "ä" * 31

#: 14 references that do what they say, ten of them to ``users``.
RULES = """
    CREATE TABLE users (id int PRIMARY KEY, org int, code varchar(2) UNIQUE, UNIQUE (org, id));
    CREATE TABLE cascades (user_id int NOT NULL REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE);
    CREATE TABLE nulls (user_id int DEFAULT 7 REFERENCES users ON DELETE SET NULL ON UPDATE SET NULL);
    CREATE TABLE restricts (id serial PRIMARY KEY, user_id int REFERENCES users ON DELETE RESTRICT ON UPDATE RESTRICT);
    CREATE TABLE later (user_id int REFERENCES users DEFERRABLE INITIALLY DEFERRED, CHECK (user_id < 0));
    CREATE TABLE defaults (user_id int DEFAULT 7 REFERENCES users ON DELETE SET DEFAULT ON UPDATE SET DEFAULT);
    CREATE TABLE none (user_id int REFERENCES users ON DELETE SET DEFAULT ON UPDATE SET DEFAULT);
    CREATE TABLE codes (code varchar(2) REFERENCES users (code) ON DELETE CASCADE ON UPDATE CASCADE);
    CREATE TABLE pairs (org int NOT NULL, user_id int, FOREIGN KEY (org, user_id) REFERENCES users (org, id)
        ON DELETE SET NULL (user_id) ON UPDATE CASCADE);
    CREATE TABLE fulls (org int, user_id int, FOREIGN KEY (user_id, org) REFERENCES users (id, org) MATCH FULL
        ON DELETE SET NULL);
    CREATE TABLE trees (id int PRIMARY KEY, up int REFERENCES trees ON DELETE CASCADE ON UPDATE CASCADE);
    CREATE TABLE forests (org int, id int, up int, PRIMARY KEY (org, id),
        FOREIGN KEY (org, up) REFERENCES forests (org, id) ON DELETE RESTRICT);
    CREATE TABLE lefts (id int PRIMARY KEY, right_id int);
    CREATE TABLE rights (id int PRIMARY KEY, left_id int REFERENCES lefts ON DELETE CASCADE);
    ALTER TABLE lefts ADD FOREIGN KEY (right_id) REFERENCES rights ON DELETE CASCADE;
    CREATE SCHEMA sales;
    CREATE TABLE sales.bills (user_id int REFERENCES public.users ON DELETE CASCADE);
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'never'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION refuse();
"""

TO_USERS = {
    *("cascades.user_id", "nulls.user_id", "restricts.user_id", "later.user_id", "defaults.user_id", "none.user_id"),
    *("codes.code", "pairs.(org, user_id)", "fulls.(user_id, org)", "sales.bills.user_id"),
}

#: A function for triggers that keeps order 5 as it is; orders go and change along with users, lines with orders.
KEEP = """
    CREATE TABLE users (id int PRIMARY KEY);
    CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE, kept bool);
    CREATE TABLE lines (id int PRIMARY KEY, order_id int REFERENCES orders ON DELETE CASCADE ON UPDATE CASCADE);
    INSERT INTO users SELECT generate_series(1, 9);
    INSERT INTO orders SELECT number, number, number = 5 FROM generate_series(1, 9) number;
    INSERT INTO lines SELECT number, number FROM generate_series(1, 9) number;
    CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NOT OLD.kept THEN RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END; END IF;
        IF TG_OP = 'DELETE' THEN RETURN NULL; END IF;
        NEW.user_id := OLD.user_id;
        RETURN NEW;
    END $$;
"""

#: Parents and children by ``BY``, with ``BOUNDS`` that some keys lie in.
PARTITIONED = """
    CREATE TABLE users (id int PRIMARY KEY, note text NOT NULL) PARTITION BY BY (id);
    CREATE TABLE users_1 PARTITION OF users FOR VALUES BOUNDS;
    CREATE TABLE orders (at int NOT NULL, id int, user_id int REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE,
        up int, PRIMARY KEY (at, id)) PARTITION BY BY (at);
    CREATE TABLE orders_1 PARTITION OF orders FOR VALUES BOUNDS;
    ALTER TABLE orders_1 ADD CHECK (id > 0);
    ALTER TABLE orders ADD FOREIGN KEY (at, up) REFERENCES orders (at, id) ON DELETE RESTRICT ON UPDATE RESTRICT;
    INSERT INTO users VALUES (1, 'a'), (2, 'b');
    INSERT INTO orders VALUES (1, 1, 1, NULL), (2, 2, 1, NULL), (1, 3, 2, 1);
"""
BOUNDS = {"RANGE": "FROM (1) TO (9)", "LIST": "IN (1, 2)", "HASH": "WITH (MODULUS 1, REMAINDER 0)"}


def partitioned(by: str) -> str:
    """The partitioned tables, by RANGE, LIST or HASH."""
    return PARTITIONED.replace("PARTITION BY BY", f"PARTITION BY {by}").replace("BOUNDS", BOUNDS[by])


def quoted(name: str) -> str:
    """A name as it stands in a statement."""
    return '"' + name.replace('"', '""') + '"'
