"""Turns what a child says into events: lines, steps of Alembic, connections elsewhere, missing settings, and its end."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from checks.evidence import Place, Statement
from checks.schema.names import ObjectKind, ObjectReference
from runner import children
from runner.child_environment import withheld
from runner.children import Command, Finished
from runner.errors import ToolFailed
from runner.lines import Line
from runner.migrations import guessing
from runner.migrations.inside.effects import Effects, changed
from runner.migrations.inside.refusals import refusal
from runner.migrations.inside.shell import statement
from runner.migrations.interface import Began, Broke, Came, Elsewhere, Ended, Event, Paused, Ran, Said, SchemaRow

#: How many of the last lines stand for the words of a tool that failed without telling us why.
_LAST_WORDS = 5

#: A line of Node's stack, which says where and not what.
_FRAME = re.compile(r"at .*:\d+:\d+\)?")

#: How often a program is asked again for what else it insists on.
_ROUNDS = 20

#: Takes a message of the program's that is no event.
Told = Callable[[Mapping[str, Any]], None]


@dataclass
class _State:
    """Where the child is: the revision under way, and the failure that it told of."""

    revision: str | None = None
    place: Place | None = None
    broke: Broke | None = None
    said: list[str] = field(default_factory=list)
    effects: Effects = field(default_factory=Effects)


def reading(command: Command, told: Told = lambda _: None) -> Generator[Event, None, None]:
    """As :func:`events`, for a program that only reads.

    Where it insists on settings it is asked again with placeholders for them, so that all of them can be said at once.
    """
    with closing(events(command, told)) as heard:
        for event in heard:
            yield _insisted(event, command) if isinstance(event, Elsewhere) and event.wanted else event


def _insisted(first: Elsewhere, command: Command) -> Elsewhere:
    last, wanted = first, list(first.wanted)
    for _ in range(_ROUNDS):
        more = guessing.filled(wanted, command.environment)
        differing = None if command.varying is None else command.varying | more.keys()
        again = _elsewhere_of(replace(command, environment={**command.environment, **more}, varying=differing))
        last = again or last
        new = [name for name in (again.wanted if again else ()) if name not in wanted]
        if not new:
            break
        wanted += new
    read = guessing.by_likeness([*first.read, *last.read])
    return replace(first, read=read, wanted=tuple(wanted), withheld=withheld([*wanted, *read], command.environment))


def _elsewhere_of(command: Command) -> Elsewhere | None:
    with closing(events(command)) as heard, suppress(ToolFailed):
        return next((event for event in heard if isinstance(event, Elsewhere)), None)
    return None


def events(
    command: Command, told: Told = lambda _: None, there: Mapping[str, Sequence[str]] | None = None
) -> Generator[Event, None, None]:
    """Run a program and yield its events; ends after the first :class:`Elsewhere` or :class:`Broke`.

    ``told`` is handed each message of the program that is no event; ``there`` are the collections with the names of their indexes
    before it started, for programs that tell what they send and not what that did. Raises :class:`ToolFailed` where it cannot be
    started, or where its Python lacks a module.
    """
    state = _State()
    state.effects.know(there or {})
    with closing(children.listen(command)) as heard:
        for one in heard:
            if isinstance(one, Line):
                yield Said(one.text)
            elif isinstance(one, Finished):
                yield from _end(one, command, state)
            elif (event := _event(one.body, state, command.environment)) is not None:
                yield event
                if isinstance(event, Elsewhere):
                    return
            else:
                told(one.body)


def _event(body: Mapping[str, Any], state: _State, handed: Mapping[str, str]) -> Event | None:
    match body.get("event"):
        case "began":
            state.revision, state.place = str(body["revision"]), _place(body)
            return Began(state.revision)
        case "ended":
            return Ended(str(body["revision"]), float(body["seconds"]))
        case "came":
            return Came()
        case "ran":
            return _ran(body)
        case "sent":
            return _sent(body, state.effects)
        case "paused":
            return Paused(int(body["number"]), _place(body), str(body.get("irreversible", "")))
        case "broke":
            state.broke = state.broke or _broke(body, state)
        case "elsewhere" | "wanted":
            return _elsewhere(body, handed)
        case "lacking":
            raise lacking(body)
    return None


def _broke(body: Mapping[str, Any], state: _State) -> Broke:
    revision, command = body.get("revision"), body.get("command")
    told = {**body, **_server_s_words(body["server"])} if body.get("server") else body
    return Broke(
        revision=None if revision is None else str(revision),
        place=_place(body) or state.place,
        statement=statement(command) if command else str(body.get("statement", "")),
        said=str(told.get("said", "")),
        code=str(told.get("code", "")),
        detail=str(told.get("detail", "")),
    )


def _server_s_words(server: Mapping[str, Any]) -> Mapping[str, str]:
    """MongoDB's error as a program in another language than ours told it, in words that quote no document."""
    code = server.get("code")
    said, detail = refusal(code, str(server.get("errmsg", "")), server)
    return {"said": said, "code": "" if code is None else str(code), "detail": detail}


def _sent(body: Mapping[str, Any], effects: Effects) -> Event | None:
    """What a command did that a program told of as it was sent."""
    name, command = str(body["name"]), body["command"]
    reply = body.get("reply") or {}
    made, dropped = effects.done(name, command, reply)
    if not made and not dropped and name != "collMod" and not changed(name, command, reply):
        return None
    return _ran({**body, "text": statement(command), "made": made, "dropped": dropped})


def _ran(body: Mapping[str, Any]) -> Ran:
    seconds = body.get("seconds")
    return Ran(
        Statement(
            text=str(body.get("text", "")),
            place=_place(body),
            revision=None if body.get("revision") is None else str(body["revision"]),
            seconds=seconds if isinstance(seconds, int | float) else None,
            made=tuple(map(_reference, body.get("made", ()))),
            dropped=tuple(map(_reference, body.get("dropped", ()))),
        ),
        gone=tuple((str(kind), str(name)) for kind, name in body.get("gone", ())),
        there=tuple(SchemaRow(*map(str, row)) for row in body.get("there", ())),
        rows=int(body.get("rows", 0)),
    )


def _reference(told: Mapping[str, Any]) -> ObjectReference:
    return ObjectReference(
        ObjectKind(str(told["kind"])), str(told.get("schema", "")), str(told.get("relation", "")), str(told.get("name", ""))
    )


def _elsewhere(body: Mapping[str, Any], handed: Mapping[str, str]) -> Elsewhere:
    read = guessing.by_likeness(str(name) for name in body.get("read", ()))
    wanted = tuple(str(name) for name in body.get("names", ()))
    known = withheld(dict.fromkeys([*wanted, *read]), handed)
    return Elsewhere(str(body.get("address", "")), read, known, wanted)


def _place(body: Mapping[str, Any]) -> Place | None:
    file, line = body.get("file"), body.get("line")
    return None if file is None else Place(str(file), line if isinstance(line, int) else None)


def lacking(body: Mapping[str, Any]) -> ToolFailed:
    """The error for a module that the project's Python does not have."""
    place = _place(body)
    where = f"{place}: " if place else ""
    remedy = (
        'Let `setup` install what the project needs (setup = "uv sync --frozen"), name its interpreter (`python`), '
        "or, where the module is the project's own, set `directory` to where it is found, or PYTHONPATH in `env`."
    )
    return ToolFailed(f"{where}the project's Python has no module '{body.get('module')}'", remedy)


def _end(finished: Finished, command: Command, state: _State) -> Iterator[Event]:
    if finished.timed_out:
        said = f"did not end within {command.timeout:g} s and was ended"
        yield Broke(state.revision, state.place, "", said, timed_out=True)
    elif state.broke is not None:
        yield state.broke
    elif finished.status:
        yield Broke(state.revision, state.place, "", _last_words(finished, command))


def _last_words(finished: Finished, command: Command) -> str:
    tail = [line.strip() for line in finished.tail if line.strip()]
    lines = [line for line in tail if not _FRAME.fullmatch(line)] or tail
    how = f"ended by signal {-finished.status}" if finished.status < 0 else f"ended with status {finished.status}"
    program = shlex.join((Path(command.arguments[0]).name, *command.arguments[1:]))
    return "\n".join(lines[-_LAST_WORDS:]) or f"`{program}` {how} and said nothing"
