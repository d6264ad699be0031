"""The same key twice is refused by a unique index, by that very one, and taken where the index is declared not unique.

Proves each unique index, and each index under `indexes` in `[databases.NAME.expect]`, by trying: in a scratch copy of the
collection, without documents, a document is inserted, and a second one with the same key and otherwise different. A unique index
must refuse it (error 11000) and be the one that is named; a third with another key must be taken. Compound keys, elements of
arrays (one in common is enough), hidden and expiring indexes are tried in the same way; with a collation that does not tell case
apart, the key in other letters must be refused too. Documents outside of a partial index's filter, and without the field of a
sparse one, may have what key they like. Where an index is declared *not* unique, the second document must be taken: an index that
was made unique lets a company hold one subscription, for ever. Documents are compiled as for validator-probe and obey the
validator; where none is found, nothing is proven, and the reason is given. No document of the database is touched.

**Anti-pattern**

```python
def up(db):  # "the index by company name" of companies, copied: now a company can hold one subscription
    db.subscriptions.create_index("company_name", unique=True, name="company_name_unique")
```

**Best practice**

```toml
[databases.docs.expect.indexes.subscriptions]         # said in so many words, it is tried with two documents
company_name_idx = { keys = ["company_name"] }
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from checks.declared.documents import DeclaredIndex
from checks.document_targets import Denied, DocumentTarget, Scratch, Stored
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.jsonschema.rules import Query, whole
from checks.probing.documents import TAKEN, asking, keys_of, scratch_of, starts, words
from checks.rows.documents import Ask, Document, DocumentCompiler
from checks.rows.missing import NoValue
from checks.schema.collections import Collection, CollectionIndex, CollectionKind, index_reference
from checks.schema.indexes import create, drop
from checks.targets import StatementFailed

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.SANDBOX})
SUBJECTS = "unique and declared indexes"
PROVES = "refuse the same key twice, or take it where they are not unique"

#: Kinds of index of which the server makes no unique one, or in which no field has a key of its own.
_WITHOUT_KEYS = frozenset({"text", "hashed", "geoHaystack"})
#: So many further documents are thought of for one with another key.
_OTHERS = 5
#: The strength up to which a collation does not tell case apart (the server's manual, "Collation").
_NO_CASE = 2


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Try two documents with one key for every index, collection by collection."""
    judged = [(collection, _indexes(collection, target)) for collection in target.collections.all]
    names = [collection.name for collection, indexes in judged if indexes]
    if not names:
        return
    with target.documents() as session, scratch_of(target, names) as scratch:
        if isinstance(scratch, str):
            yield from (NotProven(f"{one.name}.{index.name}", scratch) for one, indexes in judged for index, _ in indexes)
            return
        ask = asking(scratch)
        for collection, indexes in judged:
            documents = starts(collection, target, session) if indexes else ()
            for index, declared in indexes:
                yield _Probe(collection, index, declared, target, scratch, ask, documents).judged()


_Declared = DeclaredIndex | None


def _indexes(collection: Collection, target: DocumentTarget) -> list[tuple[CollectionIndex, _Declared]]:
    """The indexes that are tried, with what is declared of them.

    Of a unique one that is not there index-drift tells; where one that is not unique is gone, another may stand in its place.
    """
    if collection.kind is not CollectionKind.COLLECTION or not collection.readable:
        return []
    declared = {one.index.name: one for one in target.expect.documents.indexes if one.collection == collection.name}
    there = [one for one in collection.indexes if one.name in declared or (one.unique and one.name != "_id_")]
    gone = [one.index for one in declared.values() if not one.index.unique and one.index.name not in collection.index]
    return [(one, declared.get(one.name)) for one in (*there, *gone) if _has_keys(one)]


def _has_keys(index: CollectionIndex) -> bool:
    return not any(kind in _WITHOUT_KEYS or "$**" in name for name, kind in index.keys)


class _Probe:
    """The trial of one index: what is declared of it has to hold, else what it says of itself."""

    def __init__(
        self,
        collection: Collection,
        index: CollectionIndex,
        declared: _Declared,
        target: DocumentTarget,
        scratch: Scratch,
        ask: Ask,
        documents: Sequence[Document],
    ) -> None:
        self._name = collection.name
        self._validator = collection.validator
        self._index = index
        self._others = [one for one in collection.indexes if one.unique and one.name != index.name]
        self._wanted = declared.index if declared else index
        self._declared = declared
        others = (one for one in target.expect.documents.indexes if one.collection == collection.name)
        self._unique = {one.index.name for one in others if one.index.unique}
        self._scratch = scratch
        self._ask = ask
        self._documents = documents
        self._subject = f"{collection.name}.{index.name}"

    def judged(self) -> Judgement:
        """One judgement; nothing stays in the scratch."""
        try:
            wrong = self._same_key() or self._spelt_otherwise() or self._outside()
        except NoValue as reason:
            wrong = NotProven(self._subject, str(reason))
        except StatementFailed as failure:
            if not failure.code and not failure.gap:
                raise
            wrong = NotProven(self._subject, f"it could not be tried: {failure}")
        finally:
            self._clear()
        return wrong or Proven(self._subject)

    def _clear(self) -> None:
        self._scratch.delete(self._name, {})

    def _compiler(self, *clauses: Query) -> DocumentCompiler:
        """Of documents that the validator takes and these queries match; each has a value in every field of the index."""
        return self._compiler_of([replace(self._wanted, unique=True), *self._others], *clauses)

    def _compiler_of(self, indexes: Sequence[CollectionIndex], *clauses: Query) -> DocumentCompiler:
        validator = whole([one for one in (self._validator, *clauses) if one])
        return DocumentCompiler(validator, indexes, documents=self._documents, ask=self._ask)

    def _same_key(self) -> Judgement | None:
        """What is wrong with the same key in two documents, and with another one; ``None`` where nothing is."""
        inside = self._wanted.partial_filter
        compiler = self._compiler(*([inside] if inside else []))
        first = compiler.satisfying()
        key = keys_of(first, self._index.fields)
        answer = self._scratch.insert(self._name, first)
        if isinstance(answer, Denied):
            return NotProven(self._subject, f"the first document is not taken: {words(answer)}")
        again = self._scratch.insert(self._name, compiler.satisfying(key, number=1))
        if self._wanted.unique:
            return self._must_refuse(again, first, "the same key") or self._another(compiler, key)
        return self._must_take(again)

    def _must_refuse(self, answer: Stored | Denied, first: Document, what: str) -> Judgement | None:
        if isinstance(answer, Denied):
            named = answer.code == TAKEN and answer.index == self._index.name
            return None if named else NotProven(self._subject, f"something else refuses the second document: {words(answer)}")
        if not self._scratch.documents().count(self._name, {"_id": first["_id"]}):
            return NotProven(self._subject, "the first document expired before the second came")
        return self._finding(
            f"{self._name} takes {what} twice ({self._fields}): {self._index.name} is declared unique, and is not"
        )

    def _must_take(self, answer: Stored | Denied) -> Judgement | None:
        """An index that is declared not unique, and another that nobody declared, must let a second document in."""
        if not isinstance(answer, Denied):
            return None
        if answer.code != TAKEN or (answer.index in self._unique and answer.index != self._index.name):
            return NotProven(self._subject, f"something else refuses the second document: {words(answer)}")
        by = "it is unique" if answer.index == self._index.name else f"{answer.index} is unique"
        return self._finding(
            f"{self._name} refuses a second document with the same {self._fields}, as {by}: "
            f"{self._index.name} is declared not unique",
            answer,
        )

    def _another(self, compiler: DocumentCompiler, key: Mapping[str, Any]) -> Judgement | None:
        """A document with another key must be taken; where there is room for one only or another index refuses, nobody knows."""
        for number in range(2, 2 + _OTHERS):
            other = compiler.satisfying(number=number)
            if keys_of(other, self._index.fields) == key:
                continue
            answer = self._scratch.insert(self._name, other)
            if not isinstance(answer, Denied):
                return None
            if answer.code != TAKEN or answer.index == self._index.name:
                return NotProven(self._subject, f"one with another key is not taken: {words(answer)}")
        return None

    def _spelt_otherwise(self) -> Judgement | None:
        """Where the collation does not tell case apart, the key in other letters is the same key."""
        collation = self._wanted.collation or {}
        if not self._wanted.unique or collation.get("strength", 3) > _NO_CASE or collation.get("caseLevel"):
            return None
        self._clear()
        compiler = self._compiler(*([self._wanted.partial_filter] if self._wanted.partial_filter else []))
        first = compiler.satisfying()
        key = keys_of(first, self._index.fields)
        other = {path: value.swapcase() if type(value) is str else value for path, value in key.items()}
        try:
            second = compiler.satisfying(other, number=1)
        except NoValue:
            return None
        if other == key or isinstance(self._scratch.insert(self._name, first), Denied):
            return None
        return self._must_refuse(self._scratch.insert(self._name, second), first, "the same key in other letters")

    def _outside(self) -> Judgement | None:
        """Two documents with one key that the index must leave alone: outside of its filter, or without its field."""
        for clause, why in self._left_alone():
            self._clear()
            compiler = self._compiler_of(self._others, clause)
            try:
                first = compiler.satisfying()
                key = keys_of(first, self._index.fields)
                second = compiler.satisfying(key, number=1)
            except NoValue:  # every document is inside
                continue
            if isinstance(self._scratch.insert(self._name, first), Denied):
                continue
            answer = self._scratch.insert(self._name, second)
            if isinstance(answer, Denied) and answer.index == self._index.name:
                return self._finding(f"{self._name} refuses a second document with the same {self._fields} {why}", answer)
        return None

    def _left_alone(self) -> Iterator[tuple[Query, str]]:
        if not self._wanted.unique:
            return
        if self._wanted.partial_filter:
            yield {"$nor": [self._wanted.partial_filter]}, f"outside of the filter of {self._index.name}"
        if self._wanted.sparse:
            missing = [{field: {"$exists": False}} for field in self._index.fields]
            yield whole(missing), f"that is missing, and {self._index.name} is sparse"

    @property
    def _fields(self) -> str:
        return " and ".join(self._index.fields)

    def _finding(self, message: str, answer: Denied | None = None) -> Finding:
        wanted = replace(self._wanted, name=self._index.name)
        by = answer.index if answer is not None else self._index.name
        build = [create(self._name, wanted)] if by == self._index.name else []
        return Finding(
            subject=self._subject,
            message=message,
            remedy=f"{'; '.join([drop(self._name, by), *build])}. No document is touched.",
            objects=(index_reference(self._name, by), index_reference(self._name, self._index.name)),
            code=answer.code if answer else "",
        )
