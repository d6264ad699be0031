"""Fills the empty collections of a MongoDB database with documents that its validators, indexes and references allow.

Documents are written here as bytes and sent in batches; the server takes or refuses each. Where only it can judge a validator,
documents that it took are what the next ones are made like.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from checks.declared.documents import DocumentReference
from checks.evidence import FilledTable
from checks.rows.document_sets.order import Turn, turns
from checks.rows.document_sets.parts import Keys
from checks.rows.document_sets.plan import CollectionPlan, Draw
from checks.rows.document_sets.planner import Planner
from checks.rows.document_sets.wishes import DocumentWishes
from checks.rows.sets.wishes import Wishes
from checks.schema.collections import CollectionKind, Collections
from checks.schema.names import TableName
from runner.data.generated.asking import Asking
from runner.data.generated.batches import Batches, Filling
from runner.data.generated.parents import keys_of, narrow
from runner.data.generated.retouched_documents import retouch
from runner.servers.interface import Address
from runner.servers.mongodb.sessions import session


def generate(
    address: Address,
    collections: Collections,
    wanted: Mapping[TableName, int],
    seed: int,
    wishes: Wishes,
    say: Callable[[str], object],
) -> tuple[FilledTable, ...]:
    """Fill every collection of ``wanted`` that is empty, as a superuser; ``say`` is told which one is being filled.

    What cannot be filled is left empty, with the reason. Raises PyMongoError where the server is lost.
    """
    empty = {name.name: number for name, number in wanted.items() if number and _is_empty(collections, name.name)}
    with session(address) as client, ExitStack() as stack:
        ask = Asking(client[collections.database], stack)
        asked = wishes if isinstance(wishes, DocumentWishes) else DocumentWishes(wishes.tenants, wishes.given)
        planner = Planner(collections, asked, seed, ask.fits)
        sender = stack.enter_context(ThreadPoolExecutor(1))
        run = Filling(client[collections.database], collections, planner, seed, ask, sender)
        names = {name.name: name for name in wanted}

        def can_begin(name: str, without: frozenset[DocumentReference]) -> bool:
            return not planner.planned(name, without).reason

        reasons: dict[str, str] = {}
        for turn in turns(empty, planner.references, can_begin, _behind(collections)):
            say(f"{turn.collection}, {turn.documents} documents")
            reasons[turn.collection] = _taken_turn(run, turn)
    return tuple(
        FilledTable(names[name], run.made[name], number, "" if run.made[name] >= number else reasons[name])
        for name, number in empty.items()
    )


def _behind(collections: Collections) -> Mapping[str, str]:
    """Of each view the collection that it shows, through other views."""
    shown = {one.name: str(one.options.get("viewOn", "")) for one in collections.all if one.kind is CollectionKind.VIEW}

    def base(name: str) -> str:
        return base(shown[name]) if name in shown else name

    return {name: base(name) for name in shown}


def _is_empty(collections: Collections, name: str) -> bool:
    found = collections.collection.get(name)
    return found is not None and found.readable and not found.documents


def _taken_turn(run: Filling, turn: Turn) -> str:
    """Fill one collection as far as its turn goes; gives why it has fewer documents than wanted, if it has."""
    if turn.stuck:
        return f"{min(one.label for one in turn.without)}: its references go in a circle that no document can begin"
    without, keys, lacking = turn.without, dict[str, Keys](), ""
    while True:
        plan = run.planner.planned(turn.collection, without)
        if plan.reason:
            return lacking or plan.reason
        keys = {draw.name: keys_of(run.database, plan, draw, turn.documents) for draw in plan.draws}
        barren = [draw for draw in plan.draws if not keys[draw.name].rows and not _begins(draw, plan)]
        if not barren:
            narrow(plan.draws, keys)
            reason = Batches(run, plan, keys, turn.documents).fill()
            retouch(run, turn.collection)
            return reason
        without |= {one for draw in barren if draw.reference for one in (draw.reference, *draw.also)}
        lacking = next(f"{_empty(draw, run)}, and {draw.reference.label} must refer to it" for draw in barren if draw.reference)


def _empty(draw: Draw, run: Filling) -> str:
    made = run.made[draw.collection] or getattr(run.collections.collection.get(draw.collection), "documents", 0)
    return f"{draw.collection} has no key that its schema allows" if made else f"{draw.collection} is empty"


def _begins(draw: Draw, plan: CollectionPlan) -> bool:
    """Whether a draw goes without keys at first: documents refer to those before them."""
    return draw.collection == plan.collection and bool(draw.own or draw.itself)


def fillable(collections: Collections) -> Sequence[TableName]:
    """The names of all collections that may hold documents of their own."""
    return [TableName("", one.name) for one in collections.all if one.kind is not CollectionKind.VIEW]
