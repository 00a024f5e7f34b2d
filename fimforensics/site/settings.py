"""How Datasette is set for a case, and where its plugins and descriptions lie: in the wheel or in a checkout."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

from datasette.utils import parse_metadata

from fimforensics.errors import Problem
from fimforensics.site.questions import SHOWN

PACKAGE = Path(__file__).resolve().parent.parent
TEMPLATES = PACKAGE / "templates"
STATIC = PACKAGE / "static"

SETTINGS: dict[str, Any] = {
    "default_page_size": 50,
    "max_returned_rows": SHOWN,
    "sql_time_limit_ms": 3000,
    "facet_time_limit_ms": 1500,
    "suggest_facets": False,  # trying every column as a facet took 6.7 s at a million events
    "allow_download": False,
    "default_cache_ttl": 0,
    "template_debug": False,
    "trace_debug": False,
    "truncate_cells_html": 300,
}


def site_folder() -> Path:
    """The folder that holds `datasette_plugins/` and `metadata.yml`; Problem where the installation lacks them."""
    for folder in (PACKAGE / "_site", PACKAGE.parent):
        if (folder / "datasette_plugins").is_dir() and (folder / "metadata.yml").is_file():
            return folder
    raise Problem("the pages' files are not installed", where=str(PACKAGE), hint="Install fimforensics again")


def metadata(databases: list[str]) -> dict[str, Any]:
    """What metadata.yml says of a case, said of each of these databases."""
    told = parse_metadata((site_folder() / "metadata.yml").read_text(encoding="utf-8"))
    case = told["databases"]["case"]
    return {**told, "databases": {name: deepcopy(case) for name in databases}}


def describe(datasette: Any, cases: list[str]) -> None:
    """Says of these databases of a Datasette what metadata.yml says of a case, where nothing is said of them yet.

    Leans on the inside of Datasette 0.65: what could do it from outside is gone from 1.0.
    """
    told = datasette._metadata_local.setdefault("databases", {})
    missing = [name for name in cases if name not in told]
    if missing:
        told.update(metadata(missing)["databases"])
