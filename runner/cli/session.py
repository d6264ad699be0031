"""What every subcommand works with: the environment, the secrets that must not be shown, the output, the settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from runner.errors import DbproofError, Exit
from runner.output import Output
from runner.redaction import Redactor
from runner.settings.given import on_github, refuse_strangers
from runner.settings.surface import ROWS

if TYPE_CHECKING:
    from runner.settings.load import Loaded


class Session:
    """One call of dbproof. Settings are loaded when a subcommand asks, as ``--help`` needs none of it."""

    def __init__(self, environment: Mapping[str, str], redactor: Redactor) -> None:
        self.environment = environment
        self.redactor = redactor
        self.report_dir = ROWS["report_dir"].default

    def load(self, arguments: Mapping[str, object], detecting: bool = True) -> Loaded:
        """The settings, their secrets registered. Raises UsageError."""
        from runner.settings.load import load, root_of
        from runner.settings.secrets import secrets

        refuse_strangers(arguments, self.environment)
        loaded = load(root_of(arguments, self.environment), arguments, self.environment, detecting=detecting)
        self.report_dir = loaded.settings.report_dir
        self.hide(secrets(loaded.settings, self.environment))
        return loaded

    def hide(self, values: Iterable[str]) -> None:
        """Register secrets."""
        for value in values:
            self.redactor.add(value)

    def failed(self, error: DbproofError) -> Exit:
        """Show an error that ended the call before there was a report, on GitHub where its steps show it; the exit code."""
        output = self.output()
        output.error(error)
        if on_github(self.environment):
            from runner.github import publish_failure

            publish_failure(error, output)
        return error.exit

    def output(self, quiet: bool = False) -> Output:
        """An output that knows every secret of this session."""
        return Output(self.redactor, quiet, environment=self.environment)


#: What a subcommand's parsed line comes to. It runs when the parser is done, as typer ends a closed pipe with exit code 1.
Action = Callable[[Session], Exit]
