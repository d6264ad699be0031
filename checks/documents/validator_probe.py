"""Every rule of every validator refuses a document that breaks it.

Proves each rule by trying: in a scratch copy of the collection a document that satisfies the validator must be taken, and one
that breaks this rule and nothing else must be refused (error 121), by this rule: the server's own account of what was broken
names it (MongoDB 5.0 and later), or the rest of the validator has nothing against the document. Documents are compiled from the
validator, where there are some by changing one of them in one place: the field left out, another type, one less than `minimum`,
one element more than `maxItems`. What lies just at the limit must be taken. Where a validator is declared under `schemas`, its
rules are tried on the collection as it is, so that a rule that was loosened by hand shows. A validator that is `off`, or whose
action is `warn`, writes what it should refuse: one finding that tells how many, unless it is just as it is declared but for that,
which is validator-missing's to tell. No document of the database is touched.

What no document breaks alone (`minLength` beside a pattern that wants a letter) is broken with others, and the server has to
name it, or before 5.0 to find that the rule by itself refuses the document. A rule that no document was found for is not proven,
with the reason.

**Anti-pattern**

```python
def up(db):  # of a text `minimum` says nothing, and the price may be missing: {"price": "-5"} is taken, and so is {}
    db.create_collection("plans", validator={"$jsonSchema": {"properties": {"price": {"minimum": 0}}}})
```

**Best practice**

```python
def up(db):
    price = {"bsonType": "decimal", "minimum": 0}
    db.create_collection("plans", validator={"$jsonSchema": {"required": ["price"], "properties": {"price": price}}})
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from checks.declared.documents import DeclaredValidator
from checks.document_targets import Denied, DocumentTarget, Scratch, Stored
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.jsonschema.rules import DocumentRule, Query
from checks.pipelines.shell import quoted
from checks.probing.documents import VALIDATION, asking, is_taken, scratch_of, starts, told, words
from checks.rows.documents import Ask, Document, DocumentCompiler, Wrong
from checks.rows.missing import NoValue
from checks.schema.collections import Collection, CollectionKind, ValidationLevel, collection_reference, validator_reference
from checks.schema.validators import same
from checks.targets import StatementFailed

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.SANDBOX})
SUBJECTS = "validator rules"
PROVES = "refuse a bad document"

#: How many documents that break a rule are tried: of a type for one, another kind of number, null, and something else.
TRIED = 3
#: With more rules than this, one document does for each.
MANY = 200


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Try every rule of every validator, collection by collection."""
    judged = list(_judged(target))
    attached = [name for name, _ in judged if _is_attached(target.collections.collection.get(name))]
    with target.documents() as session, scratch_of(target, attached, indexes=False) as scratch:
        ask = None if isinstance(scratch, str) else asking(scratch)
        for name, declared in judged:
            collection = target.collections.collection.get(name)
            validator = declared.validator if declared else (collection and collection.validator) or {}
            if collection is None or name not in attached:
                yield from _none(name, validator, "its collection has no validator (validator-missing)")
                continue
            if ask is None or isinstance(scratch, str):
                yield from _none(name, validator, str(scratch))
                continue
            hints = list(_listed(collection.validator)) if declared else []
            compiler = DocumentCompiler(validator, documents=starts(collection, target, session), ask=ask, hints=hints)
            yield from _Probe(collection, declared, validator, compiler, scratch, ask).judged()


def _judged(target: DocumentTarget) -> Iterator[tuple[str, DeclaredValidator | None]]:
    """The collections that have a validator or should have one, with the declared one."""
    declared = {one.collection: one for one in target.expect.documents.validators}
    attached = [one.name for one in target.collections.all if _is_attached(one)]
    for name in sorted({*declared, *attached}):
        yield name, declared.get(name)


def _is_attached(collection: Collection | None) -> bool:
    return collection is not None and collection.kind is CollectionKind.COLLECTION and bool(collection.validator)


def _listed(validator: Any) -> Iterator[Any]:  # noqa: ANN401 - whatever a validator holds
    """The values of every enum: one that the declared validator refuses must be refused."""
    if isinstance(validator, Mapping):
        for name, inner in validator.items():
            yield from inner if name == "enum" and isinstance(inner, list) else _listed(inner)
    elif isinstance(validator, list):
        for one in validator:
            yield from _listed(one)


def _none(name: str, validator: Query, reason: str) -> Iterator[Judgement]:
    for rule in DocumentCompiler(validator).rules:
        yield NotProven(f"{name}: {rule.name}", reason)


@dataclass
class _Probe:
    """The trial of one collection's rules: of the declared ones, where there are."""

    collection: Collection
    declared: DeclaredValidator | None
    validator: Query
    compiler: DocumentCompiler
    scratch: Scratch
    ask: Ask
    written: list[str] = field(default_factory=list)

    def judged(self) -> Iterator[Judgement]:
        """One judgement of each rule; of all together where no rule can be tried, or none is heeded."""
        rules = self.compiler.rules
        wrong = self._valid_one()
        if wrong is not None:
            yield from _each(wrong, self.collection.name, rules)
            return
        tried = [(rule, *self._compiled(rule)) for rule in rules]
        answers = iter(self._inserted([one.document for _, bad, _ in tried for one in bad]))
        said = [self._of(rule, list(zip(bad, islice(answers, len(bad)), strict=True)), reason) for rule, bad, reason in tried]
        if self._is_heeded:
            yield from self._at_limits(rules, said)
            return
        told_already = self.declared is not None and same(self.validator, self.collection.validator)
        if self.written and not told_already:
            yield self._unheeded(len(rules))
        reason = "its validator is not heeded" + (" (validator-missing)" if told_already else "")
        yield from (NotProven(f"{self.collection.name}: {rule.name}", reason) for rule in rules)

    @property
    def _is_heeded(self) -> bool:
        return self.collection.validation_level is not ValidationLevel.OFF and self.collection.validation_action.refuses

    def _valid_one(self) -> Judgement | None:
        """What is wrong where a document that satisfies everything does not go in; ``None`` where it does."""
        name = self.collection.name
        try:
            good = self.compiler.satisfying()
        except NoValue as reason:
            return self._closed() or NotProven(name, str(reason))
        answer = self._inserted([good])[0]
        if is_taken(answer):
            return None
        if self.declared and isinstance(answer, Denied) and answer.code == VALIDATION and self.ask(self.validator, good):
            return self._refuses(answer)
        return NotProven(name, f"a document that satisfies it is not taken: {words(answer)}")

    def _closed(self) -> Finding | None:
        """A validator that takes nothing at all: no field is allowed but some, and ``_id`` is not among these."""
        schema = (self.collection.validator or {}).get("$jsonSchema", {})
        known = (*schema.get("properties", ()), *schema.get("patternProperties", ()))
        if schema.get("additionalProperties") is not False or "_id" in known or schema.get("patternProperties"):
            return None
        if is_taken(self._inserted([{}])[0]):
            return None
        return self._finding(
            " (takes nothing)",
            f"{self.collection.name} takes no document: additionalProperties is false, and _id is not among the properties",
            "Name _id among the properties: properties: {_id: {}, …}",
        )

    def _compiled(self, rule: DocumentRule) -> tuple[list[Wrong], str]:
        try:
            return list(islice(self.compiler.violations(rule), TRIED if len(self.compiler.rules) <= MANY else 1)), ""
        except NoValue as reason:
            together = self.compiler.together(rule)
            return [together] if together else [], str(reason)

    def _inserted(self, documents: Sequence[Document]) -> Sequence[Stored | Denied]:
        """What becomes of each document; nothing stays."""
        try:
            answers = self.scratch.insert_each(self.collection.name, documents)
        except StatementFailed:
            if len(documents) == 1:
                raise
            answers = [self._alone(one) for one in documents]
        self.scratch.delete(self.collection.name, {})
        return answers

    def _alone(self, document: Document) -> Stored | Denied:
        try:
            return self.scratch.insert(self.collection.name, document)
        except StatementFailed as failure:  # one that is too large, for one
            return Denied(failure.code, failure.said)

    def _of(self, rule: DocumentRule, tried: Sequence[tuple[Wrong, Stored | Denied]], reason: str) -> Judgement:
        subject = f"{self.collection.name}: {rule.name}"
        doubts = [reason] if reason and not tried else []
        for bad, answer in tried:
            if is_taken(answer) and self._is_collated(rule):
                return NotProven(subject, "the collation of its collection decides what is equal")
            if is_taken(answer) and self.ask({"$nor": [self.validator]}, bad.document):
                self.written.append(rule.name)
                return self._taken(subject, bad)
            doubts.append(self._doubt(rule, bad, answer, reason))
        doubt = next(filter(None, doubts), "")
        return NotProven(subject, doubt) if doubt else Proven(subject)

    def _is_collated(self, rule: DocumentRule) -> bool:
        """Whether a rule compares texts as its collection does, and so takes what the same query elsewhere refuses."""
        return "collation" in self.collection.options and "$jsonSchema" not in rule.alone

    def _doubt(self, rule: DocumentRule, bad: Wrong, answer: Stored | Denied, reason: str) -> str:
        """Why it does not show that the rule refuses; with a ``reason`` nothing breaks it alone: the server has to name it."""
        if not isinstance(answer, Denied) or is_taken(answer):
            return "the server finds nothing wrong with the document that should break it"
        if reason:
            by_it = rule.label in answer.broken if answer.broken else self.ask({"$nor": [rule.alone]}, bad.document)
            return "" if by_it else reason
        return "" if self._is_by(rule, bad, answer) else f"something else refuses what breaks it: {words(answer)}"

    def _is_by(self, rule: DocumentRule, bad: Wrong, answer: Denied) -> bool:
        """Whether it was this rule: the server names it alone, or the rest of the validator takes the document."""
        return answer.code == VALIDATION and (answer.broken == (rule.label,) or self.ask(rule.without, bad.document))

    def _at_limits(self, rules: Sequence[DocumentRule], said: Sequence[Judgement]) -> Iterator[Judgement]:
        """What was said of each rule; but one that refuses what lies just at its limit is not right."""
        limits = [(rule, self.compiler.at_limit(rule)) for rule in rules]
        known = [(rule, document) for rule, document in limits if document is not None]
        answers = self._inserted([document for _, document in known])
        refused = {rule: answer for (rule, _), answer in zip(known, answers, strict=True) if not is_taken(answer)}
        documents = dict(known)
        for rule, judgement in zip(rules, said, strict=True):
            answer = refused.get(rule)
            if isinstance(answer, Denied) and isinstance(judgement, Proven) and self.ask(self.validator, documents[rule]):
                yield self._too_strict(judgement.subject, rule, answer)
            else:
                yield judgement

    def _taken(self, subject: str, bad: Wrong) -> Finding:
        name, rule = self.collection.name, bad.rule
        whose = "its declared rule" if self.declared else "its rule"
        return self._finding(
            subject,
            f"{name} takes a document {told(bad.changed, hidden=not rule.solved)}, which {whose} refuses: {rule.label}",
            self._attach() if self.declared else "See what lets the document past the validator, and state the rule again.",
            whole=True,
        )

    def _too_strict(self, subject: str, rule: DocumentRule, answer: Denied) -> Finding:
        whose = "its declared validator" if self.declared else "its validator as the server reads it"
        return self._finding(
            subject,
            f"{self.collection.name} refuses a document at the limit of {rule.label}, which {whose} takes: {answer.said}",
            self._attach(),
            whole=True,
        )

    def _refuses(self, answer: Denied) -> Finding:
        name = self.collection.name
        return self._finding(
            " (refuses)", f"{name} refuses a document that its declared validator takes: {answer.said}", self._attach()
        )

    def _unheeded(self, rules: int) -> Finding:
        collection, many = self.collection, len(self.written)
        off = collection.validation_level is ValidationLevel.OFF
        why = "its validator's level is off" if off else "its validator's action is warn"
        documents = f"of {rules} documents, each of which breaks a rule, {many} {'was' if many == 1 else 'were'} written"
        message = f"{collection.name} takes what it should refuse, as {why}: {documents}"
        return self._finding(" (weak)", message, self._attach())

    def _attach(self) -> str:
        file = f", validator: <{self.declared.place.file}>" if self.declared and self.declared.place else ""
        options = 'validationLevel: "strict", validationAction: "error"'
        return f"db.runCommand({{collMod: {quoted(self.collection.name)}{file}, {options}}})"

    def _finding(self, subject: str, message: str, remedy: str, *, whole: bool = False) -> Finding:
        name = self.collection.name
        return Finding(
            subject=subject if whole else f"{name}{subject}",
            message=message,
            remedy=remedy,
            severity=None if self.declared or whole else Severity.WARNING,
            objects=(validator_reference(name), collection_reference(name)),
        )


def _each(wrong: Judgement, name: str, rules: Sequence[DocumentRule]) -> Iterator[Judgement]:
    """What is wrong with a whole validator, and of each rule that it could not be tried for that."""
    if isinstance(wrong, Finding):
        yield wrong
    reason = wrong.reason if isinstance(wrong, NotProven) else "no document that satisfies the validator is taken"
    yield from (NotProven(f"{name}: {rule.name}", reason) for rule in rules)
