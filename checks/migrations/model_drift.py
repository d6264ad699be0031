"""The application's models are what its migrations make.

Proves it by the migration tool's own comparison, on a copy of the database that all migrations were applied to: `alembic check`,
`flask db check`, `manage.py makemigrations --check`. A model without its migration passes every test that makes its tables from
the models (`create_all`), and fails in production. Each difference is then applied to the copy and the two are compared again:
what the tool still finds is none (Alembic's "What does Autogenerate Detect (and what does it not detect?)": defaults that the
server writes in its own way, types that have no other name) and is a notice, as are types that SQLite takes for the same
("Datatypes In SQLite", affinity), a table that no model knows, as tables are made without models too, and the models of an
installed package.

Models that are printed as SQL (Prisma's `migrate diff --from-empty`, the setting `models`) are made in an empty database of the
same server, and the two are compared as that server describes them.

Differences that base has too are known. A tool that is given no models (`target_metadata = None`) has nothing to compare.

**Anti-pattern**

```python
class Order(Base):
    note: Mapped[str | None]  # and no revision that adds it: every SELECT of an order fails after the release
```

**Best practice**

```python
def upgrade():
    op.add_column("orders", sa.Column("note", sa.String(), nullable=True))
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.drift import Drift, DriftKind, DriftOperation
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.targets import Target

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.EVIDENCE})
SUBJECTS = "sets of models"
PROVES = "are what the migrations make"

#: The subject where nothing differs.
ALL = "models"


def run(target: Target) -> Iterator[Judgement]:
    """Judge what the migration tool said; nothing where it is given no models."""
    drift = target.evidence.drift
    if drift is None:
        return
    if drift.gap:
        yield NotProven(ALL, drift.gap)
    elif not drift.operations:
        yield Proven(ALL)
    else:
        yield from (_finding(subject, drift) for subject in dict.fromkeys(one.subject for one in drift.operations))


def _finding(subject: str, drift: Drift) -> Finding:
    of = [one for one in drift.operations if one.subject == subject]
    weightiest = next((one for one in of if not _weighs_little(one)), None)
    first = weightiest or of[0]
    return Finding(
        subject=subject,
        message="; ".join(one.words for one in of) + _because(first),
        remedy=_remedy(first, drift),
        severity=Severity.NOTICE if weightiest is None else None,
        place=first.place,
        objects=first.objects,
        evidence={"differences": [one.words for one in of], "command": drift.command},
    )


def _weighs_little(one: DriftOperation) -> bool:
    return bool(one.none) or one.foreign or one.kind is DriftKind.UNKNOWN_TABLE


def _because(one: DriftOperation) -> str:
    if one.none:
        return f" (which is no difference: {one.none})"
    return " (the model of an installed package)" if one.foreign else ""


def _remedy(one: DriftOperation, drift: Drift) -> str:
    if one.none:
        return "Write the model as the database has it, or leave it out of the comparison (`include_object`, `compare_type`)."
    if one.foreign:
        return "Set what the package asks for (`DEFAULT_AUTO_FIELD`), or take the version whose migrations fit its models."
    if one.kind is DriftKind.UNKNOWN_TABLE:
        return "Import its model in env.py, or leave the table out of the comparison (`include_name`) if it has none on purpose."
    if one.kind is DriftKind.UNKNOWN:
        return "Take it into the models, or write the migration that takes it away."
    written = f" (`{drift.write}`)" if drift.write else ""
    return f"Write the migration{written} and read what it does, or take the change back in the models."
