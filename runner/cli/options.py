"""The options of the subcommands, made from the table of settings."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from runner.settings.surface import ROWS, Kind, Row


def _option(name: str) -> Any:  # noqa: ANN401 - typer says no more of it
    row = ROWS[name]
    return typer.Option(*row.flags, help=row.help, metavar=_metavar(row), show_default=False)


def _metavar(row: Row) -> str | None:
    if row.kind is Kind.SWITCH:
        return None
    return "|".join(row.choices) if row.choices else row.kind.upper()


Path = Annotated[str | None, typer.Argument(metavar="PATH", help=ROWS["path"].help, show_default=False)]
Config = Annotated[str | None, _option("config")]
FailOn = Annotated[str | None, _option("fail_on")]
Compare = Annotated[str | None, _option("compare")]
ReportDir = Annotated[str | None, _option("report_dir")]
ShowValues = Annotated[bool | None, _option("show_values")]
Selftest = Annotated[str | None, _option("selftest")]
ShowAll = Annotated[bool | None, _option("all")]
Quiet = Annotated[bool | None, _option("quiet")]
AllowPullRequestTarget = Annotated[bool | None, _option("allow_pull_request_target")]
