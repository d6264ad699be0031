"""The planner: which commands lead from what stands to what is declared, and in which order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from checks.declared.documents import DeclaredIndex, DeclaredValidator
from checks.schema.collections import CollectionIndex
from runner.declaring.comparing import steps
from runner.declaring.index_steps import definition
from runner.declaring.standing import Standing
from runner.declaring.steps import Policy, StepKind, Steps

NAME = (("name", 1),)
PLAIN = CollectionIndex("name_idx", NAME)
UNIQUE = CollectionIndex("name_unique", NAME, unique=True)
EXPIRING = CollectionIndex("name_idx", NAME, expire_after_seconds=60)
TEXT = CollectionIndex("words", (("text", "text"),))
USUAL = Policy()
BEFORE_5 = Policy(version=(4, 4))
DROPPING = Policy(drop_undeclared=True)
SCHEMA: Mapping[str, Any] = {"$jsonSchema": {"required": ["name"]}}


def planned(
    wanted: list[CollectionIndex],
    held: list[CollectionIndex],
    policy: Policy = USUAL,
    **more: Any,
) -> Steps:
    definitions = {one.name: {"v": 2, **definition(one)} for one in held}
    there = {"c": Standing("c", definitions=definitions, **more)}
    return steps([], [DeclaredIndex("c", one) for one in wanted], there, policy)


def said(made: Steps) -> list[tuple[str, str]]:
    return [(str(step.kind), step.label) for step in made.all]


def test_the_plain_index_is_built_before_the_unique_one_goes() -> None:
    made = planned([PLAIN], [UNIQUE])
    assert said(made) == [("build", "c.name_idx"), ("drop", "c.name_unique")]
    assert "name_idx stands in its place" in made.all[1].why


def test_a_server_that_has_not_both_drops_first() -> None:
    assert said(planned([PLAIN], [UNIQUE], BEFORE_5)) == [("drop", "c.name_unique"), ("build", "c.name_idx")]


def test_other_undeclared_indexes_stay_unless_they_are_to_go() -> None:
    other = CollectionIndex("town_idx", (("town", 1),), unique=True)
    kept = planned([PLAIN], [PLAIN, other])
    assert (kept.all, kept.left) == ((), ("c.town_idx stays: it is not declared",))
    dropped = planned([PLAIN], [PLAIN, other], DROPPING)
    assert (said(dropped), dropped.left) == ([("drop", "c.town_idx")], ())


def test_an_index_under_another_name_stays_unless_it_is_to_go() -> None:
    renamed = CollectionIndex("name_1", NAME)
    kept = planned([PLAIN], [renamed])
    assert kept.all == ()
    assert kept.left == ("c.name_1 stays: it is what c.name_idx is to be, under another name",)
    assert said(planned([PLAIN], [renamed], DROPPING)) == [("drop", "c.name_1"), ("build", "c.name_idx")]


def test_one_that_differs_is_dropped_and_built_under_its_name() -> None:
    held = CollectionIndex("name_idx", NAME, unique=True)
    made = planned([PLAIN], [held])
    assert said(made) == [("drop", "c.name_idx"), ("build", "c.name_idx")]
    assert made.all[0].why == "to build it anew: it is unique, expected not unique"


@pytest.mark.parametrize(
    ("wanted", "held", "change"),
    [
        (EXPIRING, CollectionIndex("name_idx", NAME, expire_after_seconds=5), {"expireAfterSeconds": 60}),
        (EXPIRING, PLAIN, {"expireAfterSeconds": 60}),
        (CollectionIndex("name_idx", NAME, hidden=True), PLAIN, {"hidden": True}),
        (PLAIN, CollectionIndex("name_idx", NAME, hidden=True), {"hidden": False}),
    ],
)
def test_what_can_be_changed_in_place_is_not_built_anew(
    wanted: CollectionIndex, held: CollectionIndex, change: dict[str, object]
) -> None:
    (step,) = planned([wanted], [held]).all
    assert step.kind is StepKind.CHANGE
    assert step.command == {"collMod": "c", "index": {"name": "name_idx", **change}}


def test_what_expires_and_is_to_last_is_built_anew() -> None:
    assert said(planned([PLAIN], [EXPIRING])) == [("drop", "c.name_idx"), ("build", "c.name_idx")]
    assert said(planned([EXPIRING], [PLAIN], BEFORE_5)) == [("drop", "c.name_idx"), ("build", "c.name_idx")]


def test_a_second_text_index_is_impossible_unless_the_first_goes() -> None:
    held = CollectionIndex("old_words", (("title", "text"),), options={"weights": {"title": 1}})
    (step,) = planned([TEXT], [held]).all
    assert step.impossible.startswith("c has another text index, old_words")
    assert said(planned([TEXT], [held], DROPPING)) == [("drop", "c.old_words"), ("build", "c.words")]
    assert not any(step.impossible for step in planned([TEXT], [held], DROPPING).all)


@pytest.mark.parametrize(
    ("index", "more", "words"),
    [
        (PLAIN, {"kind": "view"}, "is a view"),
        (UNIQUE, {"kind": "timeseries"}, "is a time series"),
        (EXPIRING, {"options": {"capped": True}}, "is capped"),
        (CollectionIndex("i", (("a", 1), ("b", 1)), expire_after_seconds=1), {}, "on one field"),
        (CollectionIndex("i", (("_id", 1),), expire_after_seconds=1), {}, "not on _id"),
        (CollectionIndex("i", (("a", "hashed"),), unique=True), {}, "cannot be unique"),
    ],
)
def test_what_no_server_takes(index: CollectionIndex, more: dict[str, Any], words: str) -> None:
    (step,) = planned([index], [], **more).all
    assert words in step.impossible


def test_the_sixty_fifth_index_is_impossible() -> None:
    held = [CollectionIndex(f"i{number}", ((f"f{number}", 1),)) for number in range(62)]
    room, none = planned([PLAIN, TEXT], held).all
    assert not room.impossible
    assert "takes 64 in all" in none.impossible


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({}, "its validator: it has none"),
        ({"validator": {"x": 1}}, "its validator: it has another"),
        ({"validator": SCHEMA, "validationLevel": "moderate"}, "its validator: validationLevel is moderate"),
        ({"validator": SCHEMA, "validationAction": "warn"}, "its validator: validationAction is warn"),
    ],
)
def test_a_validator_says_why(options: dict[str, Any], why: str) -> None:
    (step,) = steps([DeclaredValidator("c", SCHEMA)], [], {"c": Standing("c", options=options)}, USUAL).all
    assert (step.kind, step.why) == (StepKind.VALIDATOR, why)
    assert step.command == {"collMod": "c", "validator": SCHEMA, "validationLevel": "strict", "validationAction": "error"}


def test_a_validator_as_declared_needs_nothing() -> None:
    held = {"c": Standing("c", options={"validator": SCHEMA})}
    assert steps([DeclaredValidator("c", SCHEMA)], [], held, USUAL) == Steps()
    logging = {"c": Standing("c", options={"validator": SCHEMA, "validationAction": "errorAndLog"})}
    assert steps([DeclaredValidator("c", SCHEMA)], [], logging, USUAL) == Steps()
    other = {"d": Standing("d", options={"validator": SCHEMA})}
    assert [step.kind for step in steps([DeclaredValidator("c", SCHEMA)], [], other, USUAL).all] == [StepKind.CREATE]


def test_a_view_takes_no_validator() -> None:
    (step,) = steps([DeclaredValidator("c", SCHEMA)], [], {"c": Standing("c", "view")}, USUAL).all
    assert step.impossible == "c is a view, which takes no validator"
