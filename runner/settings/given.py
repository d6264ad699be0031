"""What was given outside the settings file: flags, inputs of the GitHub action, the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runner.errors import UsageError
from runner.settings.surface import SURFACE, URL_ENV, Kind, Row
from runner.settings.wording import did_you_mean

#: Names that begin like a setting and are none: where initialised clusters are kept, and the mark of our own children.
NOT_SETTINGS = frozenset({"DBPROOF_CACHE", "DBPROOF_CHILD"})

#: What GitHub itself hands to a container action beside its inputs.
NOT_INPUTS = frozenset({"INPUT_ARGS", "INPUT_ENTRYPOINT"})


@dataclass(frozen=True)
class Given:
    """A value that was given outside the file, and by what: ``--fail-on``, ``input fail-on``, ``DBPROOF_FAIL_ON``."""

    value: object
    origin: str


def given(arguments: Mapping[str, object], environment: Mapping[str, str]) -> Mapping[str, Given]:
    """What was given outside the file, by name: flags and inputs before the environment.

    ``arguments`` are the parsed options by name, ``None`` for one that is not there. Inputs count only where
    ``GITHUB_ACTIONS`` is ``true``; an empty value counts as none. Raises UsageError with everything that is wrong.
    """
    faults = [*_unknown(environment)]
    found: dict[str, Given] = {}
    for row in SURFACE:
        try:
            value = _argument(row, arguments) or _text(row, environment)
        except ValueError as wrong:
            faults.append(str(wrong))
            continue
        if value is not None:
            found[row.name] = value
    if faults:
        raise UsageError("\n".join(faults))
    return found


def on_github(environment: Mapping[str, str]) -> bool:
    """Whether inputs of the GitHub action are to be read."""
    return environment.get("GITHUB_ACTIONS") == "true"


def refuse_strangers(arguments: Mapping[str, object], environment: Mapping[str, str]) -> None:
    """Run no code of a stranger's where the repository's secrets are in reach. Raises UsageError, unless it is allowed.

    Source: GitHub's "Events that trigger workflows": ``pull_request_target`` runs for forks too, with secrets and a token that
    writes.
    """
    if not on_github(environment) or environment.get("GITHUB_EVENT_NAME") != "pull_request_target":
        return
    allowed = given(arguments, environment).get("allow_pull_request_target")
    if allowed is None or allowed.value is not True:
        raise UsageError(
            "the event is pull_request_target: the change's code would run with this repository's secrets and token in reach",
            "Use `on: pull_request`, which gives forks neither. Where only people that you trust can set this workflow off: "
            "`with: { allow-pull-request-target: true }`, or --allow-pull-request-target.",
        )


def _argument(row: Row, arguments: Mapping[str, object]) -> Given | None:
    value = arguments.get(row.name)
    if value is None:
        return None
    if isinstance(value, str) and not value:
        raise ValueError(f"{row.flag}: is empty; expected something like '{row.example}'")
    return Given(os.fspath(value) if isinstance(value, os.PathLike) else value, row.flag)


def _text(row: Row, environment: Mapping[str, str]) -> Given | None:
    if on_github(environment) and row.input_variable and (text := environment.get(row.input_variable, "").strip()):
        return Given(_read(row, text, f"input {row.input}"), f"input {row.input}")
    if row.variable and (text := environment.get(row.variable, "").strip()):
        return Given(_read(row, text, row.variable), row.variable)
    return None


_SWITCH = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def _read(row: Row, text: str, origin: str) -> object:
    if row.kind is not Kind.SWITCH:
        return text
    if text.lower() not in _SWITCH:
        raise ValueError(f"{origin}: expected 'true' or 'false', found something else")
    return _SWITCH[text.lower()]


def _unknown(environment: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each variable that looks like a setting and is none."""
    variables = {row.variable for row in SURFACE if row.variable}
    for name in _named(environment, "DBPROOF_"):
        if name not in variables | NOT_SETTINGS:
            yield f"{name}: no such setting{did_you_mean(name, variables)}"
    inputs = {row.input_variable: row.input for row in (*SURFACE, URL_ENV) if row.input and row.input_variable}
    for name in _named(environment, "INPUT_") if on_github(environment) else ():
        if name not in inputs.keys() | NOT_INPUTS:
            unknown = name.removeprefix("INPUT_").lower()
            yield f"input {unknown}: no such input{did_you_mean(unknown, inputs.values())}"


def _named(environment: Mapping[str, str], prefix: str) -> list[str]:
    return sorted(name for name in environment if name.startswith(prefix))
