"""What became of the fields of one collection's documents, counted document by document; memory stays flat.

A field is a path as :mod:`checks.pipelines.fields` has it: names, ``[]`` for the elements of an array, ``*`` for an object whose
keys are data. A value that is not where it was is not lost while the same document holds it in a field that it had not: renamed,
put into an object or an array, or taken out of one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from checks.pipelines.fields import DEEPEST, KEYS_OF_FEW
from checks.pipelines.paths import Path, Within, label
from checks.survivals import ColumnSurvival, Loss
from runner.surviving.bson_values import became, exact, kind, leaves, opened, retyped, same, text
from runner.surviving.tally import SAMPLE, Tally
from runner.surviving.values import Family

#: Below so many characters a text may be in two fields by chance.
_SHORT = 3


class KeysAreData(Exception):
    """An object has too many names for each to be a field; it is in :attr:`Fields.maps` now, and all begins anew."""


@dataclass
class FieldTally:
    """One field so far: the documents in which it is ``gone``, and in which of them its value is elsewhere now."""

    gone: int = 0
    elsewhere: int = 0
    perhaps: int = 0
    homes: set[Path] | None = None
    gone_keys: list[str] = field(default_factory=list)
    values: Tally = field(default_factory=lambda: Tally(Family.OTHER, Family.OTHER, ["_id"]))
    was: Counter[str] = field(default_factory=Counter)
    now: Counter[str] = field(default_factory=Counter)
    retyped: bool = False

    @property
    def lost(self) -> int:
        """In how many documents it is gone with its value; what may be elsewhere by chance must always be in the same field."""
        return self.gone - self.elsewhere - (self.perhaps if self.homes else 0)


@dataclass
class Fields:
    """Every field of which something changed; ``maps`` are the objects whose keys are data."""

    maps: set[Path] = field(default_factory=set)
    tallies: dict[Path, FieldTally] = field(default_factory=dict)
    _names: Counter[Path] = field(default_factory=Counter)
    _known: set[Path] = field(default_factory=set)

    def take(self, key: object, old: dict[str, Any], new: dict[str, Any]) -> None:
        """Enter a document as it was and as it is; ``key`` is written out for the first few. Raises KeysAreData."""
        seen = _Document(self.maps)
        seen.objects(old, new, ())
        seen.resolve()
        for path, gone in seen.lost.items():
            self._gone(self._at(path), key, gone, seen)
        for path, change in seen.changes.items():
            self._changed(self._at(path), key, change)

    def again(self) -> Fields:
        """Nothing entered yet, with what is known of objects whose keys are data."""
        return Fields(self.maps)

    def columns(self, dropped: set[Path]) -> Iterator[ColumnSurvival]:
        """What is to be said of each, in the order of labels; ``dropped`` are those that no document has any more."""
        for path, one in sorted(self.tallies.items(), key=lambda each: label(each[0])):
            if path in dropped and one.lost:
                yield ColumnSurvival(label(path), _types(one.was), None, values=one.lost, keys=tuple(one.gone_keys))
            if (path not in dropped and one.lost) or one.values.changed or one.retyped:
                yield _column(path, one, 0 if path in dropped else one.lost)

    def _at(self, path: Path) -> FieldTally:
        if path not in self.tallies:
            self._count_names(path)
            self.tallies[path] = FieldTally()
        return self.tallies[path]

    def _count_names(self, path: Path) -> None:
        """Count each name on the way to a new field with the object that has it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._known:
                return
            self._known.add(path[:length])
            parent = path[: length - 1]
            self._names[parent] += 1
            if self._names[parent] > KEYS_OF_FEW and not isinstance(path[length - 1], Within):
                self.maps.add(parent)
                raise KeysAreData

    def _gone(self, one: FieldTally, key: object, gone: _Gone, seen: _Document) -> None:
        one.gone += 1
        one.was[gone.kind] += 1
        if not gone.distinct:
            one.perhaps += 1
            homes = {path for path, texts in seen.gained.items() if texts == gone.texts}
            one.homes = homes if one.homes is None else one.homes & homes
        elif all(each in seen.there for each in gone.texts):
            one.elsewhere += 1
            return
        if len(one.gone_keys) < SAMPLE:
            one.gone_keys.append(f"_id={key}")

    def _changed(self, one: FieldTally, key: object, change: _Change) -> None:
        one.was[kind(change.old)] += 1
        if change.new is not None:
            one.now[kind(change.new)] += 1
            one.retyped = one.retyped or retyped(kind(change.old), kind(change.new))
        one.values.enter([key], str(text(change.old)), text(change.new), change.loss)


@dataclass(frozen=True)
class _Gone:
    """What a field held that is gone: its single values as texts, in their order."""

    kind: str
    texts: Sequence[str]

    @property
    def distinct(self) -> bool:
        """Whether it is hardly by chance that another field holds the same."""
        return any(len(one) >= _SHORT and one not in ("true", "false") for one in self.texts)


@dataclass(frozen=True)
class _Change:
    """A value that is another one, or of another type, now; without a ``loss`` it is the same."""

    old: Any
    new: Any
    loss: Loss | None


@dataclass
class _Document:
    """One document as it was beside what it is."""

    maps: set[Path]
    lost: dict[Path, _Gone] = field(default_factory=dict)
    gained: dict[Path, list[str]] = field(default_factory=dict)
    changes: dict[Path, _Change] = field(default_factory=dict)
    there: set[str] = field(default_factory=set)
    torn: list[tuple[Path, Any, Any]] = field(default_factory=list)

    def objects(self, old: dict[str, Any], new: dict[str, Any], path: Path) -> None:
        """Go through the fields of an object."""
        data = path in self.maps
        for name, value in old.items():
            if name not in new:
                self._lose((*path, Within.ANY if data else name), value)
            elif not same(value, new[name]):
                self._values(value, new[name], (*path, Within.ANY if data else name))
        for name in new.keys() - old.keys():
            self._gain((*path, Within.ANY if data else name), new[name])

    def resolve(self) -> None:
        """When all has been gone through: whether what is built in another way holds what it held."""
        self.there.update(one for texts in self.gained.values() for one in texts)
        for path, old, new in self.torn:
            held = [str(text(one)) for _, one in leaves(old)]
            now = {str(text(one)) for _, one in leaves(new)}
            missing = [one for one in held if one not in now and one not in self.there]
            self._change(path, old, new, _of_parts(held, missing, now))

    def _values(self, old: Any, new: Any, path: Path) -> None:  # noqa: ANN401 - what a document may hold
        old, new = opened(old), opened(new)
        deep = len(path) >= DEEPEST
        if isinstance(old, dict) and isinstance(new, dict) and not deep:
            self.objects(old, new, path)
        elif isinstance(old, list) and isinstance(new, list) and not deep:
            self._arrays(old, new, path)
        elif isinstance(old, list | dict) or isinstance(new, list | dict):
            self.torn.append((path, old, new))
        elif old is None:
            self._gain(path, new)
        else:
            self._single(old, new, path)

    def _single(self, old: Any, new: Any, path: Path) -> None:  # noqa: ANN401 - what a document may hold
        loss = Loss.EMPTIED if new is None else became(old, new)
        self._change(path, old, new, loss)
        if loss and new is not None:
            self._gain(path, new)

    def _arrays(self, old: list[Any], new: list[Any], path: Path) -> None:
        if len(old) != len(new) and not Counter(map(exact, old)) - Counter(map(exact, new)):
            return
        if len(new) < len(old):
            self.torn.append((path, old, new))
            return
        below = (*path, Within.EACH)
        for was, now in zip(old, new, strict=False):
            if not same(was, now):
                self._values(was, now, below)
        for more in new[len(old) :]:
            self._gain(below, more)

    def _lose(self, path: Path, value: Any) -> None:  # noqa: ANN401 - what a document may hold
        texts = [str(text(one)) for _, one in leaves(value)]
        if texts:
            before = self.lost[path].texts if path in self.lost else ()
            self.lost[path] = _Gone(kind(value), [*before, *texts])

    def _gain(self, path: Path, value: Any) -> None:  # noqa: ANN401 - what a document may hold
        for where, one in leaves(value, path):
            self.gained.setdefault(where, []).append(str(text(one)))

    def _change(self, path: Path, old: Any, new: Any, loss: Loss | None) -> None:  # noqa: ANN401 - what a document may hold
        """Of several values of one field in one document the first that lost something speaks for all."""
        if loss is None and (new is None or not retyped(kind(old), kind(new))):
            return
        known = self.changes.get(path)
        if known is None or (known.loss is None and loss is not None):
            self.changes[path] = _Change(old, new, loss)


def _of_parts(held: Sequence[str], missing: Sequence[str], now: set[str]) -> Loss | None:
    if not missing:
        return None
    if not now:
        return Loss.EMPTIED
    return Loss.CUT if len(missing) < len(held) else Loss.OTHER


def _column(path: Path, one: FieldTally, emptied: int) -> ColumnSurvival:
    losses = one.values.losses + Counter({Loss.EMPTIED: emptied} if emptied else {})
    keys = [*one.values.keys, *one.gone_keys]
    return ColumnSurvival(
        name=label(path),
        type=_types(one.was),
        now=label(path),
        now_type=_types(one.now) or "null",
        changed=one.values.changed + emptied,
        merged=one.values.merged if one.retyped else 0,
        retyped=one.retyped,
        losses=dict(losses),
        keys=tuple(keys[:SAMPLE]),
    )


def _types(counted: Counter[str]) -> str:
    """``int``, ``int or string``: the commonest first."""
    return " or ".join(name for name, _ in sorted(counted.items(), key=lambda one: (-one[1], one[0])))
