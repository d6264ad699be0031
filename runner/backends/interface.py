"""What a run asks of an engine beyond its servers: to load rows, record statements, measure queries, hand out targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from checks.declared.expectations import Expectations
from checks.evidence import Evidence, LoadedFile, Made
from checks.interface import Check
from checks.measured import QueryTiming
from checks.schema.names import ObjectReference
from checks.targets import Role, Target
from runner.data.generated.filled import Filled, Say, WantedRows, WrittenRows
from runner.data.own.loading import NO_PROGRAMS, Programs
from runner.data.own.sources import Entry
from runner.migrations.interface import Event
from runner.recorder.recording import Recording
from runner.servers.interface import Database, Golden, Server
from runner.surviving.interface import Surviving, SurvivingDocuments
from runner.traffic.interface import Busy
from runner.undoing.interface import States


class Backend(Protocol):
    """A module per engine; the module itself is the implementation."""

    @property
    def CHECKS(self) -> Mapping[str, Check[Any]]:
        """The registry of the checks that judge this engine's databases."""
        ...

    @property
    def states(self) -> States[Any]:
        """How states of a database are compared when migrations are undone."""
        ...

    @property
    def surviving(self) -> Surviving | SurvivingDocuments | None:
        """How base's rows are compared with head's; ``None`` where that is not done yet."""
        ...

    @property
    def traffic(self) -> Busy | None:
        """How new migrations are watched while others work; ``None`` where that is not done."""
        ...

    def load(
        self, root: Path, files: Sequence[Entry], database: Database, role: Role, programs: Programs = NO_PROGRAMS
    ) -> tuple[LoadedFile, ...]:
        """Load files with rows (paths relative to ``root``) in order, up to the first that is refused.

        ``programs`` starts the project's own that make rows. Raises UsageError for a missing file or a form that cannot be loaded
        here.
        """
        ...

    def fill(self, database: Database, wanted: WantedRows, say: Say) -> Filled:
        """Fill the tables that are still empty with rows compiled from the schema; ``say`` is told which one is being filled.

        What cannot be filled stays empty, with the reason. Raises UsageError where rows are not made for the engine yet.
        """
        ...

    def write_down(self, database: Database, file: Path) -> WrittenRows:
        """Write all rows to a file. Raises OSError, and UsageError where that is not done for the engine yet."""
        ...

    def heed(self, database: Database) -> None:
        """From here on the migrations are new ones: record what only matters of those (locks), where the engine can."""
        ...

    def watched(self, database: Database) -> AbstractContextManager[Database]:
        """The database at addresses where new migrations are watched statement by statement, where the engine can.

        What they did is in the server's log then, and :meth:`recording` tells it.
        """
        ...

    def arrived(self, server: Server, database: Database, mark: int, told: Sequence[Event]) -> bool:
        """Whether a session of the project's came to the database since ``mark``; ``told`` is what its program said."""
        ...

    def recording(
        self, server: Server, database: Database, mark: int, told: Sequence[Event], after: Sequence[Recording]
    ) -> Recording:
        """What was executed since ``mark``, from the server's log, else from what the program told.

        ``after`` are the recordings that went before in this database or in what it was copied from.
        """
        ...

    def provenance(
        self, database: Database, recordings: Sequence[Recording], revisions: Mapping[str, str]
    ) -> Mapping[ObjectReference, Made]:
        """Which statement made each object that exists; ``revisions`` names the revision of each migration file."""
        ...

    def measure(self, database: Database, expect: Expectations) -> tuple[QueryTiming, ...]:
        """The declared queries, measured while nothing else runs."""
        ...

    def weigh(self, database: Database, expect: Expectations, evidence: Evidence) -> Evidence:
        """The evidence with what only a copy tells that may be changed: what indexes gain, what writes cost. Nothing else runs.

        Raises ServerFailed.
        """
        ...

    def target(
        self, server: Server, golden: Golden | None, database: Database, expect: Expectations, evidence: Evidence
    ) -> AbstractContextManager[Target]:
        """What the checks are handed; without ``golden`` the database itself is read."""
        ...
