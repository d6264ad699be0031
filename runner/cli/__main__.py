"""``python -m runner.cli`` is ``dbproof``."""

import sys

from runner.cli import main

sys.exit(main())
