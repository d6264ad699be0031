"""The settings of a run, in one table: file key = environment = flag = input.

Everything that names such a setting is made from this table or compared with it by a test: the options of the command line, the
reading of ``DBPROOF_*`` and ``INPUT_*``, the inputs of action.yml, the table in the README.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class FailOn(StrEnum):
    """From which severity on a new finding fails the run."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"
    NEVER = "never"


class Selftest(StrEnum):
    """How many faults are planted to see the checks find them: none, one of each kind while there is time, or all."""

    OFF = "off"
    SAMPLE = "sample"
    FULL = "full"


class Kind(StrEnum):
    """What a setting's value is."""

    TEXT = "text"
    PATH = "path"
    CHOICE = "choice"
    SWITCH = "switch"


@dataclass(frozen=True)
class Row:
    """One setting of a run. ``name`` is its name in Python; where it can stand is said by the four properties below."""

    name: str
    kind: Kind
    help: str
    example: str
    default: str
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    in_file: bool = True
    in_environment: bool = True
    in_action: bool = True
    positional: bool = False

    @property
    def key(self) -> str | None:
        """The key in the settings file, or ``None``."""
        return self.name if self.in_file else None

    @property
    def variable(self) -> str | None:
        """The environment variable, or ``None``."""
        return f"DBPROOF_{self.name.upper()}" if self.in_environment else None

    @property
    def flag(self) -> str:
        """What the command line calls it: ``--fail-on``, or ``PATH`` for the argument."""
        return self.name.upper() if self.positional else f"--{self._dashed}"

    @property
    def flags(self) -> tuple[str, ...]:
        """The flag and its aliases; a switch that the file may turn on can be turned off again."""
        negated = f"/--no-{self._dashed}" if self.kind is Kind.SWITCH and self.in_file else ""
        return (f"{self.flag}{negated}", *self.aliases)

    @property
    def input(self) -> str | None:
        """The input of the GitHub action, or ``None``."""
        return self._dashed if self.in_action else None

    @property
    def input_variable(self) -> str | None:
        """How GitHub hands the input over: ``INPUT_FAIL-ON``."""
        return f"INPUT_{self._dashed.upper()}" if self.in_action else None

    @property
    def _dashed(self) -> str:
        return self.name.replace("_", "-")


SURFACE = (
    Row(
        "path",
        Kind.PATH,
        "The repository's root: where the settings file stands and what its paths start from.",
        "services/shop",
        ".",
        in_file=False,
        in_environment=False,
        positional=True,
    ),
    Row(
        "config",
        Kind.PATH,
        "The settings file, instead of dbproof.toml or [tool.dbproof] in pyproject.toml at the root.",
        "ci/dbproof.toml",
        "dbproof.toml",
        in_file=False,
    ),
    Row(
        "fail_on",
        Kind.CHOICE,
        "From which severity on a new finding fails the run; never only reports.",
        "warning",
        "error",
        choices=tuple(FailOn),
    ),
    Row(
        "compare",
        Kind.TEXT,
        "The git revision whose findings are known already, or nothing to judge everything.",
        "main",
        "what the CI system says",
        aliases=("--base",),
    ),
    Row("report_dir", Kind.PATH, "The directory that the reports are written to.", "build/dbproof", "dbproof-report"),
    Row(
        "show_values",
        Kind.SWITCH,
        "Show key values of rows and the server's DETAIL, which may quote rows.",
        "true",
        "false",
    ),
    Row(
        "selftest",
        Kind.CHOICE,
        "How many faults to plant on copies, to see the checks find them: sample is one of each kind while there is time.",
        "full",
        "sample",
        choices=tuple(Selftest),
        in_action=False,
    ),
    Row("all", Kind.SWITCH, "List the known findings too, not only their number.", "true", "false", in_file=False),
    Row(
        "quiet",
        Kind.SWITCH,
        "Show findings and the verdict only, no stages.",
        "true",
        "false",
        in_file=False,
        in_action=False,
    ),
    Row(
        # Not in the file: it belongs to the change, which is what is not trusted.
        "allow_pull_request_target",
        Kind.SWITCH,
        "Run although the event is pull_request_target, whose secrets and token the change's code could reach.",
        "true",
        "false",
        in_file=False,
    ),
)

#: The input of the action that makes it look at a database that exists (`dbproof check`) instead of migrating one.
URL_ENV = Row(
    "url_env",
    Kind.TEXT,
    "The environment variable that holds the address of a database: look at it instead of migrating a new one.",
    "DATABASE_URL",
    "",
    in_file=False,
    in_environment=False,
)

ROWS: Mapping[str, Row] = {row.name: row for row in SURFACE}


def markdown_table() -> str:
    """The table for the README, one line a setting."""
    head = ("Settings file", "Environment", "Flag", "Action input", "Default", "What it does")
    return "\n".join(_line(cells) for cells in (head, ("---",) * len(head), *map(_cells, SURFACE))) + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    flag = ", ".join(_code(name) for name in (row.flag, *row.aliases))
    default = _code(row.default) if " " not in row.default else row.default
    return (_code(row.key), _code(row.variable), flag, _code(row.input), default, row.help)


def _code(text: str | None) -> str:
    return f"`{text}`" if text else ""


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
