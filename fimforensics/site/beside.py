"""Another case that is served beside the one a page is of, opened for as long as one question takes, as hard as any."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fimforensics.site.database import address
from fimforensics.site.readonly import harden


@contextmanager
def opened(path: str) -> Iterator[sqlite3.Connection]:
    """A connection to the case in this file that only reads; closed afterwards."""
    connection = sqlite3.connect(address(Path(path)), uri=True)
    try:
        harden(connection)
        yield connection
    finally:
        connection.close()
