"""A pipeline in parts: where documents come into it, and up to which stage they can be told from each other.

The stages are those of MongoDB's manual, "Aggregation Stages".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from checks.schema.collections import Collection, CollectionKind

Stage: TypeAlias = Mapping[str, Any]
Known: TypeAlias = Mapping[str, Collection]

#: Stages after which documents are still those of the collection, with all of their fields.
_WHOLE = frozenset({"$match", "$limit", "$skip", "$sample", "$geoNear", "$unwind"})
#: Those of them after which there are as many as before.
_EACH = frozenset({"$sort", "$addFields", "$set", "$setWindowFields", "$lookup", "$graphLookup"})
#: Stages that only leave fields out, or name them anew: the same documents come without them.
_SHAPING = frozenset({"$project", "$unset"})
#: Stages that keep some documents back.
_FILTERS = frozenset({"$match", "$redact"})


@dataclass(frozen=True)
class Entry:
    """A place where documents come into a pipeline.

    ``stages`` upon ``source`` bring them; they are what comes out, or lie in it ``within`` a path. ``later`` are the stages that
    what they bring goes through after that, and ``rest`` those of them that can be run upon it. ``of`` is what they are
    documents of.
    """

    source: str
    stages: Sequence[Stage]
    of: str
    rest: Sequence[Stage] = ()
    later: Sequence[Stage] = ()
    within: tuple[str, ...] = ()

    @property
    def returned(self) -> bool:
        """Whether what comes in comes out as it is."""
        return all(map(_keeps_whole, self.later))

    @property
    def filtered(self) -> bool:
        """Whether a later stage may keep some of the documents back."""
        return any(name in _FILTERS for name in operators(list(self.later)))


def entries(name: str, stages: Sequence[Stage], known: Known) -> Iterator[Entry]:
    """Every place where documents come into a pipeline upon a collection or a view."""
    source, all_stages = unfolded(name, stages, known)
    yield from _entries(source, _bare(all_stages), (), known)


def _entries(source: str, stages: Sequence[Stage], later: Sequence[Stage], known: Known) -> Iterator[Entry]:
    """``later`` are stages that a pipeline around this one has for what comes out of it."""
    own: list[Stage] = []
    split = 0
    for number, stage in enumerate(stages):
        ((operator, given),) = stage.items() if len(stage) == 1 else (("", None),)
        after = [*stages[number + 1 :], *later]
        if operator == "$facet" and isinstance(given, Mapping):
            for branch in given.values():
                yield from _entries(source, [*own, *branch], after, known)
            split = len(own) + 1
        if operator == "$unionWith":
            inner = given.get("pipeline", ()) if isinstance(given, Mapping) else ()
            base, inner = unfolded(_brought_in(stage), inner, known)
            yield from _entries(base, inner, after, known)
            continue
        own.append(stage)
    if not split:
        yield _of_one(source, own, later)
    yield from _looked_up(source, own, later, split)


def _of_one(source: str, stages: Sequence[Stage], later: Sequence[Stage]) -> Entry:
    """The entry of the documents that a pipeline is upon."""
    whole = next((number for number, stage in enumerate(stages) if not _keeps_whole(stage)), len(stages))
    while whole and stages[whole - 1].keys() <= _EACH:  # what is looked up for them, say, costs the server time for nothing
        whole -= 1
    return Entry(source, stages[:whole], source, stages[whole:], [*stages[whole:], *later])


def _looked_up(source: str, stages: Sequence[Stage], later: Sequence[Stage], split: int) -> Iterator[Entry]:
    """The entries of what is looked up for the documents of a pipeline; what is before a ``split`` is told for each branch."""
    for number, stage in enumerate(stages, 1):
        given = next(iter(stage.values()), None)
        if number > split and (of := _brought_in(stage)) and isinstance(given, Mapping):
            rest = stages[number:]
            yield Entry(source, stages[:number], of, rest, [*rest, *later], tuple(str(given.get("as", "")).split(".")))


def _keeps_whole(stage: Stage) -> bool:
    return stage.keys() <= _WHOLE | _EACH


def behind(entry: Entry) -> Entry:
    """The same documents, as far as they are left, where they come out of all that can be run."""
    return replace(entry, stages=[*entry.stages, *entry.rest], rest=(), later=entry.later[len(entry.rest) :])


def deeper(stages: Sequence[Stage], known: Known) -> Iterator[str]:
    """The collections that are brought in by what is looked up: by a pipeline of its own, or as it is a view."""
    for stage in stages:
        looked_up = "$unionWith" not in stage and _brought_in(stage)
        for inner in _pipelines(stage):
            yield from each_brought_in(inner) if looked_up else deeper(inner, known)
        if looked_up:
            yield from each_brought_in(unfolded(looked_up, (), known)[1])


def unfolded(name: str, stages: Sequence[Stage], known: Known) -> tuple[str, list[Stage]]:
    """A pipeline upon a view as one upon the collection that the view is of, however many views lie between."""
    found = list(stages)
    while (one := known.get(name)) and one.kind is CollectionKind.VIEW:
        name, found = str(one.options.get("viewOn", "")), [*one.options.get("pipeline", ()), *found]
    return name, found


def sources(name: str, known: Known) -> frozenset[str]:
    """The collections that what goes by a name is made of: itself, or those that a view reads."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        if (one := waiting.pop()) not in found:
            found.add(one)
            base, stages = unfolded(one, (), known)
            waiting += [base, *each_brought_in(stages)]
    return frozenset(found)


def each_brought_in(stages: Sequence[Stage]) -> Iterator[str]:
    """Every collection that a pipeline, or a pipeline in it, brings in."""
    for stage in stages:
        if name := _brought_in(stage):
            yield name
        for inner in _pipelines(stage):
            yield from each_brought_in(inner)


def _brought_in(stage: Stage) -> str:
    """The collection that a stage brings in, empty for none."""
    for name, given in stage.items():
        if name in ("$lookup", "$graphLookup", "$unionWith"):
            called = given.get("from", given.get("coll")) if isinstance(given, Mapping) else given
            return called if isinstance(called, str) else ""
    return ""


def operators(stages: object) -> Iterator[str]:
    """The stages of a pipeline and of the pipelines in them, whatever it is that was given for one."""
    for stage in stages if isinstance(stages, list) else ():
        if isinstance(stage, Mapping):
            yield from map(str, stage)
            for inner in _pipelines(stage):
                yield from operators(inner)


def _pipelines(stage: Stage) -> Iterator[list[Stage]]:
    """The pipelines within a stage."""
    for name, given in stage.items():
        if isinstance(given, Mapping):
            found = given.values() if name == "$facet" else [given.get("pipeline")] if name in ("$lookup", "$unionWith") else []
            yield from (one for one in found if isinstance(one, list))


def _bare(stages: Sequence[Stage]) -> list[Stage]:
    """A pipeline in which what is looked up keeps its fields: that a ``$project`` at the end hides some keeps nothing back."""
    found: list[Stage] = []
    for stage in stages:
        given = stage.get("$lookup")
        if isinstance(given, Mapping) and isinstance(given.get("pipeline"), list):
            inner = list(given["pipeline"])
            while inner and inner[-1].keys() <= _SHAPING:
                inner.pop()
            found.append({"$lookup": {**given, "pipeline": inner}})
        else:
            found.append(stage)
    return found
