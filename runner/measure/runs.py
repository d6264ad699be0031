"""How often and how long declared queries are measured, the same for every engine."""

from __future__ import annotations

#: Runs that fill the caches and are not counted.
WARM_UPS = 2

#: Runs that count; the values of each come from another row, as far as there are rows.
RUNS = 7

#: A query is stopped after so many times its limit, but not before :data:`PATIENCE` seconds.
HOPELESS = 5
PATIENCE = 2.0

#: How long looking for values may take, in seconds.
SAMPLING = 60.0
