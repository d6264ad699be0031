"""Everything that happens around the checks: settings, servers, migrations, evidence, reports."""

__version__ = "0.1.0"
