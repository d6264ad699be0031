"""From what is declared and what stands to the commands between them. Nothing is asked of a server here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from checks.declared.documents import DeclaredIndex, DeclaredValidator
from checks.schema.collections import CollectionKind, ValidationAction, ValidationLevel, collection_reference, validator_reference
from checks.schema.validators import same
from runner.declaring.index_steps import Indexes
from runner.declaring.standing import Standing
from runner.declaring.steps import Policy, Step, StepKind, Steps


def steps(
    validators: Sequence[DeclaredValidator],
    indexes: Sequence[DeclaredIndex],
    there: Mapping[str, Standing],
    policy: Policy,
) -> Steps:
    """What has to be done, validators first, then collection by collection the indexes."""
    made = [step for declared in validators for step in _validator(declared, there.get(declared.collection), policy)]
    if policy.drop_validators:
        made += _undeclared_validators(validators, there)
    left: list[str] = []
    for name in dict.fromkeys(one.collection for one in indexes):
        planner = Indexes(name, [one for one in indexes if one.collection == name], there.get(name, Standing(name)), policy)
        made += planner.steps()
        left += planner.left()
    return Steps(tuple(made), tuple(left))


def _validator(declared: DeclaredValidator, held: Standing | None, policy: Policy) -> Iterator[Step]:
    rules = _rules(declared, policy)
    if held is None:
        yield _created(declared, rules)
    elif not _same_rules(held.rules, rules):
        yield _attached(declared, held, rules)


def _rules(declared: DeclaredValidator, policy: Policy) -> Mapping[str, Any]:
    moderate = declared.collection in policy.moderate
    return {
        "validator": declared.validator,
        "validationLevel": str(ValidationLevel.MODERATE if moderate else ValidationLevel.STRICT),
        "validationAction": "error",
    }


def _created(declared: DeclaredValidator, rules: Mapping[str, Any]) -> Step:
    name = declared.collection
    made = (collection_reference(name), declared.reference)
    return Step(StepKind.CREATE, name, {"create": name, **rules}, "the collection, with its validator", declared.place, made)


def _attached(declared: DeclaredValidator, held: Standing, rules: Mapping[str, Any]) -> Step:
    name, why, made = declared.collection, _why(held, rules), (declared.reference,)
    impossible = f"{name} is a {held.kind}, which takes no validator" if held.kind != CollectionKind.COLLECTION else ""
    command = {"collMod": name, **rules}
    return Step(StepKind.VALIDATOR, name, command, why, declared.place, made, impossible=impossible)


def _same_rules(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """``errorAndLog`` refuses as ``error`` does."""
    refuse = {ValidationAction.ERROR, ValidationAction.ERROR_AND_LOG}
    actions = {one["validationAction"], other["validationAction"]}
    alike = len(actions) == 1 or actions <= refuse
    return alike and one["validationLevel"] == other["validationLevel"] and same(one["validator"], other["validator"])


def _why(held: Standing, rules: Mapping[str, Any]) -> str:
    if not held.validator:
        return "its validator: it has none"
    if not same(held.validator, rules["validator"]):
        return "its validator: it has another"
    told = [
        f"{name} is {held.rules[name]}" for name in ("validationLevel", "validationAction") if held.rules[name] != rules[name]
    ]
    return f"its validator: {', '.join(told)}"


def _undeclared_validators(validators: Sequence[DeclaredValidator], there: Mapping[str, Standing]) -> Iterator[Step]:
    kept = {one.collection for one in validators}
    for name, held in there.items():
        if held.validator and name not in kept:
            why = "its validator, which is not declared"
            yield Step(StepKind.VALIDATOR, name, {"collMod": name, "validator": {}}, why, dropped=(validator_reference(name),))
