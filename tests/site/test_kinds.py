"""The list of kinds of pages is whole: every route, every page of ours and every template is met by one of its addresses."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from conftest import Browser  # type: ignore[import-not-found]
from kinds import LOGIN, NOTED, NOTED_TWINS, WRONG, pages, twins  # type: ignore[import-not-found]

from fimforensics import passwords, serve
from fimforensics.serve import Ways
from fimforensics.site.settings import TEMPLATES
from fimforensics.site.shelf import OWN, ROWS

# Datasette's own routes that the guard refuses or that are files of its own.
STOCK = re.compile(r"/-/(?:static|metadata|plugins|settings|config|threads|databases|actor|auth-token|logout|permissions|"
                   r"messages|allow-debug|patterns)|/favicon|/:memory:|.*\\\.db\$|\^/-/fimforensics/")


def test_every_route_is_met(sample_case: Path, tmp_path: Path) -> None:
    """Those that are only there with notes, or for shared pages, too."""
    passwords.put(tmp_path / "people", "ann", "correct horse battery")
    served = serve.build([sample_case], Ways(notes=True, notes_file=tmp_path / "n.db", passwords=tmp_path / "people"))
    asyncio.run(served.invoke_startup())
    met = [address.partition("?")[0] for address in (*pages(sample_case), *twins(sample_case), *NOTED, *NOTED_TWINS, LOGIN)]
    unmet = [route.pattern for route, _ in served._routes()
             if not STOCK.match(route.pattern) and not any(route.match(address) for address in met)]
    serve.close(served)
    assert unmet == [], "give each of them an address in kinds.py"


def test_every_page_and_template_is_met(noted_sample: Browser, sample_case: Path) -> None:
    sample, met = noted_sample, [*pages(sample_case), *NOTED]
    assert [name for name in OWN if f"/case/-/{name}" not in met] == []
    assert [table for table in ROWS if not any(address.startswith(f"/case/{table}/") for address in met)] == []
    answers = {address: sample.get(address).status_code for address in met}
    # Where the question is a bad one the page says so, with its forms, and the status that tells it.
    bad = {address: status for address, status in answers.items() if status != 200 and not (status == 400 and "?" in address)}
    assert bad == {}
    files = {address: sample.get(address).status_code for address in (*twins(sample_case), *NOTED_TWINS)}
    assert {address: status for address, status in files.items() if status != 200} == {}
    assert {address: status for address in WRONG if (status := sample.get(address).status_code) not in (400, 404)} == {}
    used = {name for _, name in sample.served.jinja_env.cache}
    used |= {"login.html", "certificate.html"}  # tried where pages are shared, and where a case is certified
    assert [path.name for path in sorted(TEMPLATES.glob("*.html")) if path.name not in used] == []
