"""A row that keeps every rule goes into its table, with everything in place.

Proves each table by trying: on a copy, in a transaction that is undone, a row that satisfies all that is declared of it (CHECKs,
NOT NULL, domains, enums, unique keys) is inserted with the parents that it refers to, in the face of every constraint, trigger,
rule and default, and must be taken. It has a value in each column of a reference, a unique key, an EXCLUDE constraint or an enum,
and is in each partial index; where that cannot be in one row, there is a row for each. The other probes show what is refused, and
this one that something is taken: a table that refuses everything passes all of them.

A function's body is not looked at when a table or a column that it names is dropped or renamed (PostgreSQL manual, "Dependency
Tracking"; SQLite and MariaDB look at a trigger when it fires), so a migration leaves a trigger behind on which every write
fails. Whether the trigger is what fails is found out by taking it away. What else refuses the row (an error that a trigger
raises, a setting that it wants, a function that the application's own sessions bring) is a rule that is not declared: the table
is not proven, and the reason is given.

Of a partitioned table one partition stands for all. Rules that no row was found for, types that are not known and tables that
refer to each other in a circle are not proven either.

**Anti-pattern**

```sql
-- The trigger on orders writes customer_name into the log, and nobody hears of it until the next order.
ALTER TABLE orders RENAME COLUMN customer_name TO buyer_name;
```

**Best practice**

```sql
ALTER TABLE orders RENAME COLUMN customer_name TO buyer_name;
CREATE OR REPLACE FUNCTION log_order() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO order_log (buyer) VALUES (NEW.buyer_name); RETURN NEW; END $$;
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import column, select
from sqlalchemy import table as core_table

from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.probing.rule_probes import is_lost
from checks.rows import mariadb, postgresql, sqlite
from checks.rows.compiled import Compiled, NewRow
from checks.rows.compiler import Compiler
from checks.rows.conditions import of_predicate
from checks.rows.judging import Dialect
from checks.rows.missing import NoValue
from checks.rows.sets.rules import columns_of_index
from checks.rows.terms import Condition
from checks.schema.model import Index, Table
from checks.schema.names import table_reference
from checks.targets import Accepted, Insert, Refused, RelationalTarget, Sandbox, StatementFailed, Verdict

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.SANDBOX})
SUBJECTS = "tables"
PROVES = "take a row that keeps every rule"

#: What says that something names a table, a column or a function that is not there, whatever the row is. MariaDB says something
#: else of a definer that is not there, who may well be in production.
BROKEN = frozenset({"42P01", "42703", "42883", "42P10", "SQLITE_ERROR", "1054", "1146", "1305"})
#: Which of SQLite's words say so: a function or a collation may be one that the application's sessions bring.
_SQLITE_SAYS = ("no such table", "no such column", "has no column named")
#: By SQLSTATE, what PostgreSQL names without a schema, and which an application's own search_path may find elsewhere.
_NAMED = {
    "42P01": ("pg_class", "relname", re.compile(r'relation "([^".]+)"')),
    "42883": ("pg_proc", "proname", re.compile(r'function "?([^".(]+)"?\(')),
}

_DIALECTS: Mapping[Engine, Dialect] = {Engine.POSTGRESQL: postgresql, Engine.SQLITE: sqlite, Engine.MARIADB: mariadb}


@dataclass(frozen=True)
class _Answer:
    """What became of a row and its parents: the server's answer to the last one that was written."""

    row: NewRow
    verdict: Verdict


@dataclass(frozen=True)
class _Rule:
    """What a row meets only with a value in each of ``columns``, and of a partial index only ``where`` its predicate holds."""

    columns: frozenset[str]
    where: Condition | None = None

    @property
    def said(self) -> str:
        """For a reason: ``email, state (the predicate of one_active)``."""
        names = ", ".join(sorted(self.columns))
        return f"{names} ({self.where.name})".lstrip() if self.where else names


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Insert a good row into every table."""
    with target.sandbox() as sandbox:
        compiler = Compiler(target.catalogue, _DIALECTS[target.engine], sandbox.rows)
        for table in target.catalogue.tables:
            if table.partition_of is None:
                yield _judged(_Probe(table, target, sandbox, compiler))


def _judged(probe: _Probe) -> Judgement:
    subject = probe.table.name.label()
    try:
        return probe.judgement()
    except NoValue as reason:
        return NotProven(subject, str(reason))
    except StatementFailed as failure:
        if is_lost(failure):
            raise
        return NotProven(subject, failure.gap or f"it could not be tried: {failure}")


@dataclass(frozen=True)
class _Probe:
    """One table that is to take a row."""

    table: Table
    target: RelationalTarget
    sandbox: Sandbox
    compiler: Compiler

    @property
    def subject(self) -> str:
        return self.table.name.label()

    def judgement(self) -> Judgement:
        """One row for all rules; where that is not taken, the plainest row, and one for each rule that it does not meet."""
        rules = _rules(self.table, self.compiler.dialect)
        if rules and self._is_met(rules):
            return Proven(self.subject)
        plain = self.compiler.satisfying(self.table.name)
        answer = self._tried(plain)
        if not _is_taken(answer.verdict):
            return self._not_taken(plain, answer)
        lacking = [rule for rule in rules if not self._is_met([rule])]
        if not lacking:
            return Proven(self.subject)
        names = "; ".join(rule.said for rule in lacking)
        return NotProven(self.subject, f"it takes a row, but none that keeps every rule was found with a value in {names}")

    def _is_met(self, rules: Sequence[_Rule]) -> bool:
        """Whether a row goes in that has a value in every column of these rules, and is in their indexes."""
        columns = sorted({name for rule in rules for name in rule.columns})
        where = [rule.where for rule in rules if rule.where is not None]
        try:
            compiled = self.compiler.with_values(self.table.name, columns, where)
        except NoValue:
            return False
        good = not (compiled.unknown or compiled.breaks or compiled.orphan)
        return good and _is_taken(self._tried(compiled).verdict)

    def _tried(self, compiled: Compiled) -> _Answer:
        with self.sandbox.trial() as trial:
            for row in compiled.rows:
                verdict = trial.write(Insert(row.table, row.values))
                if not _is_taken(verdict):
                    break
        return _Answer(row, verdict)

    def _not_taken(self, compiled: Compiled, answer: _Answer) -> Judgement:
        if answer.row.table != compiled.table.name:
            return NotProven(self.subject, f"a row of {answer.row.table.label()} has to be there, and {_words(answer.verdict)}")
        if isinstance(answer.verdict, Refused) and self._is_broken(answer.verdict, compiled):
            return self._broken(compiled, answer.verdict)
        return NotProven(self.subject, _why(compiled) or f"the row that keeps every rule was not taken: {_words(answer.verdict)}")

    def _is_broken(self, refused: Refused, compiled: Compiled) -> bool:
        """Whether what is around the table fails, and not the row; the application's sessions may have what ours lack."""
        if refused.code not in BROKEN or self._is_elsewhere(refused):
            return False
        with self.sandbox.trial((), [compiled.table.name]) as trial:
            row = compiled.rows[-1]
            return trial.write(Insert(row.table, row.values)) == Accepted(1)

    def _is_elsewhere(self, refused: Refused) -> bool:
        """Whether something of that name is there all the same, in another schema or for other arguments."""
        if self.target.engine is Engine.SQLITE:
            return not any(words in refused.said for words in _SQLITE_SAYS)
        if self.target.engine is not Engine.POSTGRESQL or refused.code not in _NAMED:
            return False
        relation, name, pattern = _NAMED[refused.code]
        source = core_table(relation, column(name), schema="pg_catalog")
        found = [select(source.c[name]).where(source.c[name] == one).limit(1) for one in pattern.findall(refused.said)]
        return any(self.sandbox.rows(query) for query in found)

    def _broken(self, compiled: Compiled, refused: Refused) -> Finding:
        triggers = tuple(trigger.reference for trigger in compiled.table.triggers)
        who = f"a trigger ({', '.join(one.name for one in triggers)})" if triggers else "a rule, a default or a CHECK"
        return Finding(
            subject=self.subject,
            message=f"{self.subject} takes no row at all: {who} names something that is not there",
            remedy="Write the trigger or its function anew with the names of today, or drop it.",
            objects=(*triggers, table_reference(self.table.name)),
            code=refused.code,
            said=refused.said,
            evidence={"table": self.subject, "triggers": [one.name for one in triggers]},
        )


def _rules(table: Table, dialect: Dialect) -> list[_Rule]:
    """The rules other than CHECKs. A key that the server gives (a default, a number of its own) is left to it."""
    by_itself = {column.name for column in table.columns if column.default or column.identity or column.generated}
    keys = (_Rule(frozenset(key.columns)) for key in table.foreign_keys if key.enforced and not key.mismatch)
    once = (_of_index(index, table, by_itself, dialect) for index in table.indexes if index.unique or index.constraint == "x")
    labels = (_Rule(frozenset({column.name}) - by_itself) for column in table.columns if column.enum_labels)
    generated = {column.name for column in table.columns if column.generated}
    found = dict.fromkeys((*keys, *once, *labels))
    return [rule for rule in found if (rule.columns or rule.where) and not rule.columns & generated]


def _of_index(index: Index, table: Table, by_itself: set[str], dialect: Dialect) -> _Rule:
    """Of an index of expressions the columns that they are made of."""
    named = columns_of_index(index, table) if None in index.columns else [name for name in index.columns if name]
    return _Rule(frozenset(named) - by_itself, of_predicate(index, table, dialect))


def _is_taken(verdict: Verdict) -> bool:
    return isinstance(verdict, Accepted) and verdict.rows > 0


def _why(compiled: Compiled) -> str:
    """What is wrong with the row itself; empty where nothing is."""
    if compiled.unknown:
        return f"type {compiled.unknown[0].type}"
    if compiled.breaks:
        names = ", ".join(condition.name for condition in compiled.breaks)
        said = next(filter(None, compiled.breaks.values()), "")
        return f"no row was found that satisfies {names}" + (f": {said}" if said else "")
    return compiled.orphan


def _words(verdict: Verdict) -> str:
    if isinstance(verdict, Refused):
        return f"{verdict.code} {verdict.said}"
    return "it vanished without an error: a trigger or a rule swallows it"
