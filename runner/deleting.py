"""The application's own command deletes a document that has children, on a copy, and what became of both is kept as evidence.

For each declared delete rule a parent with children is looked for, and all else that would keep it is taken away first, so that
what happens is about this rule. A refusal is held against the same parent without children: a command that never deletes anything
refuses nothing. The copy is a fork of the server, where the database has its own name and the application's user may write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from checks.declared.documents import DocumentReference
from checks.declared.expectations import Expectations
from checks.documents import dangling_reference
from checks.evidence import DeleteAttempt, Evidence
from checks.interface import Finding, Outcome
from checks.pipelines.keys import shown
from checks.pipelines.references import asked_by_itself, sides
from checks.schema.collections import CollectionKind, Collections
from checks.schema.model import Action
from checks.targets import Role, StatementFailed
from runner import git
from runner.document_keys import filter_of, first_of, has_all, keys_of, not_followed
from runner.errors import ServerFailed, ToolFailed, UsageError
from runner.migrations import hearing, node
from runner.migrations.inside.refusals import answer_of
from runner.migrations.interface import Broke, Elsewhere, Project
from runner.plan import Built, Plan
from runner.programs import deleting, fields_of
from runner.servers.interface import Database, Golden, Server
from runner.servers.mongodb.copying import copy_database
from runner.servers.mongodb.sessions import session
from runner.servers.names import shortened
from runner.settings.model import MigrationSettings
from runner.targets.mongodb import MongoTarget

if TYPE_CHECKING:
    from pymongo.database import Database as Documents

    Client = Any

CHECK = "delete-handling-probe"

#: So many parents are looked at for one that can be deleted, and so many children of it are followed one by one.
_PARENTS = 200
_CHILDREN = 1_000


def deleted(
    plan: Plan, expect: Expectations, one: Built, say: Callable[[str], None] = lambda _: None, root: Path | None = None
) -> Built:
    """A database with what became of each declared delete rule that the settings have a command for.

    ``say`` hears which is tried. ``root`` is the checkout whose programs are run, the user's own without one. Raises DbproofError
    where no copy can be made.
    """
    rules = [one for one in expect.documents.references if one.on_delete and one.parent.collection in expect.documents.deletes]
    if not rules or one.evidence.failure is not None:
        return one
    settings = plan.settings.migrations or MigrationSettings(tool="declared")
    root = root or plan.root
    project = Project(root, root / settings.directory, settings, plan.root, database=plan.name)
    node.link(project)
    attempts = dict[str, DeleteAttempt]()
    with ExitStack() as stack:
        try:
            server = stack.enter_context(one.server.fork())
        except ServerFailed as failed:
            return _with(one, {rule.label: DeleteAttempt(gap=failed.message) for rule in rules})
        database = server.open(Golden(server.database(one.golden.database.name)))
        client = stack.enter_context(session(database.private))
        trying = _Trying(project, server, database, expect, client)
        for number, rule in enumerate(rules):
            say(f"deleting for {rule.label}")
            if number == 0 and len(rules) > 1:
                trying.keep_aside()
            elif number:
                trying.restore()
            attempts[rule.label] = trying.attempt_or_gap(rule)
    return _with(one, attempts)


def _with(one: Built, attempts: Mapping[str, DeleteAttempt]) -> Built:
    return replace(one, evidence=replace(one.evidence, deletes=attempts))


def deleted_on_base(plan: Plan, expect: Expectations, base: Built, head: Sequence[Outcome]) -> Built:
    """Base with what base's own programs do, where head's did something wrong."""
    if not isinstance(plan.base, git.Base) or not any(one.check == CHECK and one.findings for one in head):
        return base
    with git.files_of(plan.root, plan.base) as root:
        return deleted(plan, expect, base, root=root)


@dataclass(frozen=True)
class _Family:
    """A parent, the key by which children name it, and those children, as they were before."""

    rule: DocumentReference
    parent: Mapping[str, Any]
    naming: Mapping[str, Any]
    children: Mapping[Any, int]
    count: int


@dataclass(frozen=True)
class _Ended:
    """How the command ended: ``failed`` with what it said last, or ``gap``, why nothing can be concluded from it."""

    failed: bool = False
    said: str = ""
    gap: str = ""


@dataclass
class _Trying:
    """One copy for all attempts, brought back before each to what it was at first.

    ``digests`` are those of its collections then, ``dangled`` says how many of which references dangled.
    """

    project: Project
    server: Server
    database: Database
    expect: Expectations
    client: Client
    digests: Mapping[str, str] = field(default_factory=dict)
    dangled: Mapping[str, int] | None = None

    @property
    def here(self) -> Documents[dict[str, Any]]:
        return cast("Documents[dict[str, Any]]", self.client[self.database.name])

    @property
    def _aside(self) -> str:
        return shortened(self.database.name, "_aside")

    def keep_aside(self) -> None:
        """Keep a second copy, from which what an attempt changes is brought back."""
        copy_database(self.client, self.database.name, self._aside)
        self.digests = self._digests()

    def restore(self) -> None:
        """Bring back the collections that differ."""
        now = self._digests()
        different = {name for name in now.keys() | self.digests.keys() if now.get(name) != self.digests.get(name)}
        for name in different:
            self.here.drop_collection(name)
        copy_database(self.client, self._aside, self.database.name, different & self.digests.keys())

    def attempt_or_gap(self, rule: DocumentReference) -> DeleteAttempt:
        """An attempt; what the server does not do for us is a gap of it."""
        from pymongo.errors import PyMongoError

        known = self._collections.collection
        for name in (rule.child.collection, rule.parent.collection):
            if name in known and known[name].kind is not CollectionKind.COLLECTION:
                return DeleteAttempt(gap=f"{name} is a {known[name].kind}")
        try:
            return self.attempt(rule)
        except PyMongoError as error:
            return DeleteAttempt(gap=answer_of(error)[1])
        except StatementFailed as failed:
            return DeleteAttempt(gap=failed.gap or failed.said)

    def attempt(self, rule: DocumentReference) -> DeleteAttempt:
        """Delete a parent as the application does, and see."""
        command = self.expect.documents.deletes[rule.parent.collection]
        if gap := not_followed(rule):
            return DeleteAttempt(gap=gap)
        family = self._family(rule, fields_of(command))
        if family is None:
            needs = f" and a value of {', '.join(fields_of(command))}"
            return DeleteAttempt(gap=f"no document of {rule.parent.collection} has children here{needs}")
        cleared = self._clear_the_way(family)
        before = self.digests if self.digests and not cleared else self._digests()
        dangling = {} if rule.on_delete is Action.RESTRICT else self._dangling_before(cleared)
        ended = self._run(command, family.parent)
        found = replace(self._seen(family, before), refused=ended.failed, said=ended.said, gap=ended.gap)
        if ended.gap:
            return found
        if rule.on_delete is Action.RESTRICT:
            return replace(found, alone=self._alone(command, family)) if ended.failed and not found.changed else found
        after = {} if ended.failed else self._dangling()
        new = {label: count - dangling.get(label, 0) for label, count in after.items() if count > dangling.get(label, 0)}
        return replace(found, dangling=tuple(new.items()))

    def _family(self, rule: DocumentReference, needed: Sequence[str]) -> _Family | None:
        """The first parent that has children, and a value for all that the command wants to know of it."""
        two = sides(rule, self._collections)
        pipeline = [*two.child_keys(), {"$group": {"_id": "$_id"}}, {"$limit": _PARENTS}]
        for found in self.here[rule.child.collection].aggregate(pipeline, allowDiskUse=True):
            key = tuple(found["_id"].values()) if rule.further else (found["_id"],)
            if not all(map(asked_by_itself, key)):
                continue
            parent = self.here[rule.parent.collection].find_one(filter_of(rule.parents, key))
            if parent is not None and has_all(parent, needed) and (family := self._of(rule, parent, key)):
                return family
        return None

    def _of(self, rule: DocumentReference, parent: Mapping[str, Any], key: Sequence[Any]) -> _Family | None:
        naming = filter_of(rule.children, key)
        children = self.here[rule.child.collection]
        found = {one["_id"]: len(keys_of(one, rule.children)) for one in children.find(naming, limit=_CHILDREN)}
        if rule.child.collection == rule.parent.collection:
            found.pop(parent["_id"], None)
        return _Family(rule, parent, naming, found, children.count_documents(naming)) if found else None

    def _clear_the_way(self, family: _Family) -> int:
        """Take away the children by which other rules would keep the parent, or keep a child that is to go with it: how many."""
        cleared = 0
        for other in self.expect.documents.references:
            if other == family.rule or other.on_delete is not Action.RESTRICT or not_followed(other):
                continue
            kept = list[Mapping[str, Any]]()
            if other.parent.collection == family.rule.parent.collection:
                kept.append(family.parent)
            if other.parent.collection == family.rule.child.collection and family.rule.on_delete is Action.CASCADE:
                kept += self.here[other.parent.collection].find({"_id": {"$in": list(family.children)}})
            ours = list(family.children) if other.child.collection == family.rule.child.collection else []
            for key in (key for one in kept for key in keys_of(one, other.parents)):
                query = {"$and": [filter_of(other.children, key), {"_id": {"$nin": ours}}]}
                cleared += self.here[other.child.collection].delete_many(query).deleted_count
        return cleared

    def _seen(self, family: _Family, before: Mapping[str, str]) -> DeleteAttempt:
        """What became of the parent and of each child."""
        after = self._digests()
        changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        children = self.here[family.rule.child.collection]
        left = {one["_id"]: one for one in children.find({"_id": {"$in": list(family.children)}})}
        naming = {one["_id"] for one in children.find({"$and": [family.naming, {"_id": {"$in": list(left)}}]}, {"_id": 1})}
        others = {id_: len(keys_of(one, family.rule.children)) for id_, one in left.items() if id_ not in naming}
        return DeleteAttempt(
            key=", ".join(f"{path.dotted}={shown(first_of(family.parent, path))}" for path in family.rule.parents),
            children=family.count,
            changed=tuple(changed),
            parent_left=self._there(family),
            named=len(naming),
            moved=sum(keys >= family.children[id_] for id_, keys in others.items()),
            emptied=sum(keys < family.children[id_] for id_, keys in others.items()),
            gone=len(family.children) - len(left),
        )

    def _there(self, family: _Family) -> bool:
        return self.here[family.rule.parent.collection].find_one({"_id": family.parent["_id"]}, {"_id": 1}) is not None

    def _alone(self, command: str, family: _Family) -> str:
        """Why the same parent is not deleted without its children either; empty where it is."""
        self.here[family.rule.child.collection].delete_many({"$and": [family.naming, {"_id": {"$ne": family.parent["_id"]}}]})
        ended = self._run(command, family.parent)
        if ended.gap or ended.failed:
            return ended.gap or ended.said
        return "it ends well, and the document is still there" if self._there(family) else ""

    def _run(self, command: str, parent: Mapping[str, Any]) -> _Ended:
        on = self.database.addresses.get(Role.OWNER) or self.database.addresses[Role.ADMIN]
        ended = _Ended()
        try:
            with closing(hearing.events(deleting(command, parent, self.project, on))) as heard:
                for event in heard:
                    if isinstance(event, Broke):
                        ended = _Ended(gap=f"the command {event.said}") if event.timed_out else _Ended(True, event.said)
                    elif isinstance(event, Elsewhere):
                        ended = _Ended(gap=f"the command wanted to connect to {event.address}, which is not our server")
        except (ToolFailed, UsageError) as failed:
            return _Ended(gap=failed.message)
        return ended

    def _digests(self) -> Mapping[str, str]:
        """A digest of the documents of each collection, made by the server; a time series lies in a collection behind it."""
        found = self.here.command("dbHash")["collections"]
        return {name.removeprefix("system.buckets."): digest for name, digest in found.items()}

    def _dangling_before(self, cleared: int) -> Mapping[str, int]:
        """What dangles before the command, which is the same each time where nothing had to be taken away."""
        if cleared:
            return self._dangling()
        if self.dangled is None:
            self.dangled = self._dangling()
        return self.dangled

    def _dangling(self) -> Mapping[str, int]:
        """How many references dangle, by the reference."""
        with self._target() as target:
            found = list(dangling_reference.run(target))
        return {one.subject: one.count or 0 for one in found if isinstance(one, Finding)}

    @cached_property
    def _collections(self) -> Collections:
        with self._target() as target:
            return target.collections

    def _target(self) -> MongoTarget:
        return MongoTarget(self.server, None, self.database, self.expect, Evidence())
