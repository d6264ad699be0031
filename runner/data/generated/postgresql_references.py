"""References of a PostgreSQL table that is filled: its parents' keys, what had to wait, rows whose parent is not there."""

from __future__ import annotations

from checks.rows.sets.language import Keys
from checks.rows.sets.plan import Referred, TablePlan
from checks.rows.sets.postgresql import filling_later, listing, quoted, suited, table_name
from checks.schema.model import Catalogue, ForeignKey
from runner.data.generated.postgresql_worker import Worker, sent, sql


def keys_of(referred: Referred, plan: TablePlan, worker: Worker) -> Keys:
    """The parent's keys: as they were made where that is known, else in a temporary table."""
    key, suiting = referred.key, suited(referred, plan)
    made = worker.made.get((key.parent, key.parent_columns[0]))
    if made is not None and len(key.columns) == 1 and not (referred.shared or referred.carried or suiting):
        return Keys("", key.parent_columns, made.rows, made=made)
    return _listed(referred, suiting, worker)


def _listed(referred: Referred, suiting: str, worker: Worker) -> Keys:
    """The parent's keys in a temporary table, made once for all references that need the same."""
    key, shared = referred.key, tuple(dict.fromkeys(referred.shared.values()))
    columns = tuple(dict.fromkeys((*key.parent_columns, *referred.carried.values())))
    known = (key.parent, columns, shared, suiting)
    if known not in worker.keys:
        worker.wait()
        name = f"dbproof_keys_{len(worker.keys) + 1}"
        partitioned = worker.catalogue.table[key.parent].partitioned
        made = worker.driver.execute(sql(listing(name, key.parent, columns, shared, suiting, partitioned)).encode())
        worker.driver.execute(f"ANALYZE {sql(quoted(name))}".encode())
        worker.keys[known] = Keys(name, columns, made.rowcount, shared)
    return worker.keys[known]


def refer(plan: TablePlan, referred: Referred, worker: Worker) -> None:
    """Fill in a reference that had to wait; where the server refuses, it stays NULL."""
    import psycopg

    try:
        worker.driver.execute(*sent(filling_later(plan, referred, worker.seed, _listed(referred, "", worker))))
    except psycopg.Error:
        if worker.driver.closed:
            raise


def take_away(key: ForeignKey, catalogue: Catalogue, worker: Worker) -> int:
    """Delete the rows that have no parent by a reference, and give how many there were."""
    pairs = zip(key.columns, key.parent_columns, strict=True)
    same = " AND ".join(f"parent.{quoted(theirs)} = child.{quoted(mine)}" for mine, theirs in pairs)
    given = " AND ".join(f"child.{quoted(mine)} IS NOT NULL" for mine in key.columns)
    child, parent = (
        f"{'' if catalogue.table[name].partitioned else 'ONLY '}{table_name(name)}" for name in (key.table, key.parent)
    )
    text = f"DELETE FROM {child} AS child WHERE {given} AND NOT EXISTS (SELECT 1 FROM {parent} AS parent WHERE {same})"
    return worker.driver.execute(sql(text).encode()).rowcount
