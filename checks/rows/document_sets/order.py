"""The order in which collections are filled: parents first, and circles of references begun where a field may be missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from checks.declared.documents import DocumentReference

#: Of a collection at which a circle begins, one in so many documents comes before its parents do.
FIRST = 10


@dataclass(frozen=True)
class Turn:
    """A collection whose turn it is, to have so many documents in all, without the references of ``without``.

    ``stuck`` says that it refers to itself through others in a way that no document can begin.
    """

    collection: str
    documents: int
    without: frozenset[DocumentReference] = frozenset()
    stuck: bool = False


def turns(
    wanted: Mapping[str, int],
    references: Sequence[DocumentReference],
    can_begin: Callable[[str, frozenset[DocumentReference]], bool],
    behind: Mapping[str, str],
) -> Iterator[Turn]:
    """Every wanted collection, in the order of names where nothing else decides.

    ``can_begin`` says whether a collection has documents without some of its references, ``behind`` of views what they show.
    """
    of_child: dict[str, list[DocumentReference]] = {}
    for one in references:
        of_child.setdefault(one.child.collection, []).append(one)
    left, begun = dict(sorted(wanted.items())), set[str]()
    while left:
        ready = next((name for name in left if not _waiting(of_child.get(name, ()), left, begun, behind)), None)
        if ready is not None:
            yield Turn(ready, left.pop(ready))
            continue
        waiting = {name: _waiting(of_child.get(name, ()), left, begun, behind) for name in left}
        first = next((name for name in left if name not in begun and can_begin(name, waiting[name])), None)
        if first is None:
            stuck = next(iter(left))
            yield Turn(stuck, left.pop(stuck), waiting[stuck], stuck=stuck not in begun)
            continue
        begun.add(first)
        yield Turn(first, max(1, left[first] // FIRST), waiting[first])


def _waiting(
    own: Sequence[DocumentReference], left: Mapping[str, int], begun: set[str], behind: Mapping[str, str]
) -> frozenset[DocumentReference]:
    """Those of a collection's references that are to others that have no documents yet."""
    parents = ((one, behind.get(one.parent.collection, one.parent.collection)) for one in own)
    return frozenset(one for one, name in parents if name != one.child.collection and name in left and name not in begun)
