"""Which pages there are: those of a row, by its table, and those of a whole case, by the name in their address."""

from __future__ import annotations

from fimforensics.site.twins import Page

ROWS: dict[str, Page] = {
}
OWN: dict[str, Page] = {
}
