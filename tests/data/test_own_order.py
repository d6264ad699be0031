"""Files of tables in the order of their references: parents first, circles together, and the line of a row without a parent."""

from __future__ import annotations

import pytest
from own_databases import ENGINES, SHOP, Make
from own_databases import on as on

from checks.evidence import LoadedFile, Place
from checks.interface import Engine


@pytest.mark.parametrize("engine", ENGINES)
def test_a_row_without_its_parent_is_told_by_its_line(on: Make, engine: Engine) -> None:
    shop = on(engine)
    shop.execute(*SHOP)
    shop.execute("INSERT INTO users (id, name) VALUES (1, 'A')")
    ids = [1] * 1200 + [99, 98, 1]
    shop.write(
        orders__csv="id,user_id\n" + "".join(f"{number},{user}\n" for number, user in enumerate(ids)),
        orders__jsonl="".join(f'{{"id": {number}, "user_id": {user}}}\n' for number, user in enumerate(ids)),
    )
    for name, line in (("orders.csv", 1202), ("orders.jsonl", 1201)):
        failure = shop.refused(name)
        assert failure.place == Place(name, line)
        assert failure.code == {"postgresql": "23503", "sqlite": "SQLITE_CONSTRAINT_FOREIGNKEY", "mariadb": "1452"}[engine.value]
    assert shop.rows("SELECT count(*) FROM orders") == [(0,)]


TREE = (
    "CREATE TABLE nodes (id integer PRIMARY KEY, parent_id integer, FOREIGN KEY (parent_id) REFERENCES nodes (id))",
    "CREATE TABLE a_leaf (id integer PRIMARY KEY, node_id integer NOT NULL, FOREIGN KEY (node_id) REFERENCES nodes (id))",
)


@pytest.mark.parametrize("engine", ENGINES)
def test_parents_go_first_and_rows_may_refer_to_later_ones(on: Make, engine: Engine) -> None:
    shop = on(engine)
    shop.execute(*TREE)
    (shop.root / "seeds").mkdir()
    (shop.root / "seeds" / ".hidden.csv.swp").write_text("")
    (shop.root / "seeds" / "README.md").write_text("what they are")
    for number, entry in enumerate(("seeds", "seeds/*.csv")):
        (shop.root / "seeds" / "a_leaf.csv").write_text(f"id,node_id\n{number},{number + 20}\n")
        (shop.root / "seeds" / "nodes.csv").write_text(f"id,parent_id\n{number + 10},{number + 20}\n{number + 20},\n")
        assert shop.load(entry) == (LoadedFile("seeds/nodes.csv"), LoadedFile("seeds/a_leaf.csv"))
    (shop.root / "seeds" / "nodes.csv").write_text("id,parent_id\n3,3\n4,5\n5,99\n")
    first, second = shop.load("seeds")
    assert first.refused is not None
    assert (first.refused.place, second) == (Place("seeds/nodes.csv", 4), LoadedFile("seeds/a_leaf.csv"))
    assert shop.rows("SELECT count(*) FROM nodes") == [(4,)]


CIRCLE = {
    Engine.POSTGRESQL: (
        "CREATE TABLE a (id int PRIMARY KEY, b_id int NOT NULL)",
        "CREATE TABLE b (id int PRIMARY KEY, a_id int NOT NULL REFERENCES a)",
        "ALTER TABLE a ADD CONSTRAINT a_b FOREIGN KEY (b_id) REFERENCES b DEFERRABLE",
    ),
    Engine.SQLITE: (
        "CREATE TABLE a (id int PRIMARY KEY, b_id int NOT NULL REFERENCES b)",
        "CREATE TABLE b (id int PRIMARY KEY, a_id int NOT NULL REFERENCES a)",
    ),
    Engine.MARIADB: (
        "CREATE TABLE a (id int PRIMARY KEY, b_id int NOT NULL)",
        "CREATE TABLE b (id int PRIMARY KEY, a_id int NOT NULL, FOREIGN KEY (a_id) REFERENCES a (id))",
        "ALTER TABLE a ADD CONSTRAINT a_b FOREIGN KEY (b_id) REFERENCES b (id)",
    ),
}


@pytest.mark.parametrize("engine", ENGINES)
def test_tables_that_refer_to_each_other_share_a_transaction(on: Make, engine: Engine) -> None:
    shop = on(engine)
    shop.execute(*CIRCLE[engine])
    (shop.root / "seeds").mkdir()
    (shop.root / "seeds" / "a.csv").write_text("id,b_id\n1,1\n")
    (shop.root / "seeds" / "b.csv").write_text("id,a_id\n1,1\n")
    assert [one.refused for one in shop.load("seeds")] == [None, None]
    (shop.root / "seeds" / "a.csv").write_text("id,b_id\n2,2\n3,4\n")
    (shop.root / "seeds" / "b.csv").write_text("id,a_id\n2,2\n")
    first, second = shop.load("seeds")
    assert first.refused is not None
    assert (first.refused.place, second) == (Place("seeds/a.csv", 3), LoadedFile("seeds/b.csv"))
    assert shop.rows("SELECT count(*) FROM a") == [(1,)]


def test_a_circle_that_no_key_lets_pass_says_so(on: Make) -> None:
    shop = on(Engine.POSTGRESQL)
    shop.execute(*(statement.removesuffix(" DEFERRABLE") for statement in CIRCLE[Engine.POSTGRESQL]))
    (shop.root / "seeds").mkdir()
    (shop.root / "seeds" / "a.csv").write_text("id,b_id\n1,1\n")
    (shop.root / "seeds" / "b.csv").write_text("id,a_id\n1,1\n")
    failure = shop.refused("seeds")
    assert failure.place == Place("seeds/a.csv", 2)
    assert failure.said.endswith("; a and b refer to each other, and this key is not DEFERRABLE")
