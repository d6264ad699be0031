"""The report formats, by name."""

from __future__ import annotations

from collections.abc import Mapping

from runner.reports import json_report, junit, metrics, summary
from runner.reports.interface import Reporter

#: Every format; all of them are always written.
REPORTERS: Mapping[str, Reporter] = {"junit": junit, "json": json_report, "summary": summary, "metrics": metrics}
