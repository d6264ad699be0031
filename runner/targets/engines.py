"""SQLAlchemy's engines without a pool, which write nothing by themselves."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine

_NOWHERE = logging.NullHandler()


def engine(url: str, creator: Callable[[], Any], **options: Any) -> Engine:  # noqa: ANN401 - create_engine's own
    """An engine on the sessions that ``creator`` makes; each is closed when it is given back.

    What interrupts the closing of a session (Ctrl-C) is raised, and would be logged with its traceback too: where nobody has set
    up logging that goes to the standard error.
    """
    logging.getLogger("sqlalchemy.pool").addHandler(_NOWHERE)
    return create_engine(url, creator=creator, poolclass=NullPool, **options)
