"""How many rows may be made, and how many are where nobody says: for the settings and the command line alike."""

from __future__ import annotations

#: More rows a table than this are hardly meant.
MOST = 100_000_000
#: Seeds are whole numbers from 0 to this.
LAST_SEED = 2**31 - 1
#: How many rows ``dbproof data`` makes in each table where nobody says.
ROWS = 100
#: The seed where nobody says.
SEED = 1
