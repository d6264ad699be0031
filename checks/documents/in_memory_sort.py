"""No declared query sorts in memory that must not.

Proves, for every query under `[databases.NAME.queries]` that says `in_memory_sort = false`, that its order comes from an index:
the server's own account of its execution (MongoDB's manual, "Explain Results", the stage `SORT`) holds no sort. Of all other
queries, that no sort went to disk: what the server may sort in memory is limited (100 MB, the manual's "Sort and Index Use"), and
what is beyond that is written to files, or refused where the query does not allow it.

The index that gives an order has the fields that must equal something first, then those of the sort, then those of ranges.

**Anti-pattern**

```toml
[databases.docs.queries.latest_of_a_company]
collection = "subscriptions"                           # index on company_name alone
find = { company_name = "{companies.company_name}" }
sort = ["-created_at"]                                 # every page sorts all of a company's
```

**Best practice**

```toml
[databases.docs.queries.latest_of_a_company]
collection = "subscriptions"                           # index on company_name, -created_at
find = { company_name = "{companies.company_name}" }
sort = ["-created_at"]
in_memory_sort = false
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.document_targets import DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.measured import MemorySort
from checks.pipelines.queries import LookedInto, looked_into, plan_in_words, serving
from checks.schema.collections import collection_reference

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.EVIDENCE, Need.ANY_ROWS})
SUBJECTS = "declared queries"
PROVES = "sort by an index, or as they may"


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge every query by the sorts that the server executed for it."""
    for one in looked_into(target):
        if one.examined is None:
            yield NotProven(one.query.name, one.gap)
        elif one.examined.sort is None or (one.query.in_memory_sort and not one.examined.sort.disk):
            yield Proven(one.query.name)
        else:
            yield _finding(one, one.examined.sort, target)


def _finding(one: LookedInto, sort: MemorySort, target: DocumentTarget) -> Finding:
    where = "on disk, as memory did not do" if sort.disk else "in memory"
    by = f" by ({', '.join(sort.fields)})" if sort.fields else ""
    return Finding(
        subject=one.query.name,
        message=f"{one.query.name}: sorts {sort.bytes} bytes{by} {where}{plan_in_words(one.examined)}",
        remedy=serving(one.query, one.examined, target)
        or "Sort before documents are grouped or changed, by fields that an index holds in that order; or sort fewer of them.",
        severity=Severity.WARNING if one.query.in_memory_sort else None,
        objects=(collection_reference(one.query.collection),),
        evidence={"sorted_by": list(sort.fields), "bytes": sort.bytes, "on_disk": sort.disk},
    )
