"""The repository's own rows fit its own schema.

Proves that every data file of the settings (`data.load`) loads into what the migrations made. A seed that the schema refuses
means that one of the two is wrong: the rows that developers and demonstrations start from are rows that production cannot hold.
The finding stands at the file and line of the statement, the record or the object, with the server's code and words; the files
after it are not loaded.

**Anti-pattern**

```sql
INSERT INTO orders (buyer_id, total) VALUES (1, 0);    -- while a new CHECK says total > 0
```

**Best practice**

```sql
INSERT INTO orders (buyer_id, total) VALUES (1, 1250); -- the seed is changed with the migration that tightens the schema
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.evidence import LoadedFile
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.targets import Target

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB, Engine.MONGODB})
NEEDS = frozenset({Need.EVIDENCE})
SUBJECTS = "data files"
PROVES = "load"

#: What MongoDB's codes ask for.
_REMEDIES = {
    "121": "Correct the document, or the validator that refuses it; they are changed together.",
    "11000": "Correct the document, or the unique index that it meets: the same value stands in another document already.",
}


def run(target: Target) -> Iterator[Judgement]:
    """Judge every data file by what became of it; those after a refused one were not tried."""
    broken = ""
    for loaded in target.evidence.loaded:
        if broken:
            yield NotProven(loaded.file, f"not reached, {broken} was refused")
        elif loaded.refused and target.evidence.incomplete:
            yield NotProven(loaded.file, "the migrations failed")
            broken = loaded.file
        else:
            yield _judge(loaded)
            broken = loaded.file if loaded.refused else ""


def _judge(loaded: LoadedFile) -> Judgement:
    refused = loaded.refused
    if refused is None:
        return Proven(loaded.file)
    return Finding(
        subject=loaded.file,
        message=f"the rows of {loaded.file} do not fit the schema",
        remedy=_REMEDIES.get(refused.code, "Correct the rows, or the migration that refuses them; they are changed together."),
        place=refused.place,
        code=refused.code,
        said=refused.said,
        detail=refused.detail,
        evidence={"statement": refused.statement},
    )
