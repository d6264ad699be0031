"""After which statements the server may be asked what they did, by the word they begin with, which is also the server's tag."""

from __future__ import annotations

import re

from runner.recorder.stamps import room

#: What begins a statement that writes nothing: after such a one no counters are read, also because a transaction that has read
#: something takes no other level of isolation any more.
QUIET = frozenset(
    {"begin", "start", "savepoint", "release", "set", "reset", "show", "discard", "deallocate", "prepare", "declare", "fetch"}
    | {"move", "close", "listen", "unlisten", "notify"}
)
#: Of what these lock the recorder's event trigger has told when they end.
TOLD = frozenset({"alter", "comment", "create", "drop", "grant", "revoke"})
#: The next transaction in the message may still choose its level of isolation.
_ENDS = frozenset({"commit", "end", "rollback", "abort"})
#: The only statements that take no snapshot but do something, after which the level may still be chosen.
_BEFORE_A_SNAPSHOT, _CHOOSES = frozenset({"lock", "checkpoint"}), frozenset({"set", "begin", "start"})
_FIRST = re.compile(r"\s*(\w+)", re.ASCII)


def first_word(text: str) -> str:
    """The word that a statement begins with, in lower case; empty where it begins with something else."""
    found = _FIRST.match(text)
    return found[1].lower() if found else ""


def room_after(text: str, number: int, following: str | None) -> str:
    """Room to ask what the ``number``-th statement of a message did, nothing where that may not be asked, or not there.

    ``following`` is the next statement of the message. After the last one, ``None``, the relay asks when it has been answered.
    """
    word = first_word(text)
    if following is None or word in QUIET | _ENDS:
        return ""
    if word in _BEFORE_A_SNAPSHOT and first_word(following) in _CHOOSES:
        return ""
    return room(number, locks=word not in TOLD)
