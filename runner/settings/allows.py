"""``[[allow]]``: findings that the repository accepts, each with its reason."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from runner.settings.values import Section, Text, setting


class AllowSettings(Section):
    """A finding that is accepted: its check, a pattern of its subject, why, and until when."""

    check: Text = Field(description="The check's id.", examples=["unindexed-foreign-key"])
    subject: Text = Field(
        description="The finding's subject; * stands for any text, ? for one character.", examples=["audit_log.*"]
    )
    reason: Text = Field(
        description="Why it is right here; the reports repeat it.", examples=["append only, parents are never deleted"]
    )
    until: date | None = setting(None, "The last day on which it counts as accepted.", date(2027, 6, 30))
