"""Five stories walked in a browser: each ends on the page that names who did it, after at most six clicks on what is seen.

With FIMFORENSICS_PICTURES=yes (`make pictures`) the walks leave their pictures and their text in `docs/`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from conftest import serving  # type: ignore[import-not-found]
from walks import FOLDER, MOST_CLICKS, WALKS, Walk, told, walked  # type: ignore[import-not-found]

from tests.analyses.building import made
from tests.analyses.stories import STORIES

SIZE = {"width": 1120, "height": 700}
WANTED = os.environ.get("FIMFORENSICS_PICTURES") == "yes"
MADE, CASE_ID = "2026-11-01T09:00:00.000000Z", "9b1f64c2-5a0d-4c1e-8f3b-2d7e9a6c0b54"


def test_every_story_with_somebody_to_blame_is_walked() -> None:
    assert {walk.story for walk in WALKS} == set(STORIES) - {"review"}
    assert max(len(walk.steps) for walk in WALKS) <= MOST_CLICKS


@pytest.mark.browser
@pytest.mark.parametrize("walk", WALKS, ids=[walk.name for walk in WALKS])
def test_the_walk_ends_at_the_culprit(chromium: Any, tmp_path: Path, walk: Walk) -> None:
    with patch("uuid.uuid4", return_value=CASE_ID), patch("fimforensics.evidence.custody.now", return_value=MADE):
        case = made(tmp_path, *STORIES[walk.story]()).rename(tmp_path / f"{walk.name}.db")  # the same on every picture
    context = chromium.new_context(viewport=SIZE)
    with serving([case]) as address:
        tab = context.new_page()
        seen = list(walked(tab, address, walk, _keep(walk) if WANTED else None))
        heading, said = tab.locator("h1").inner_text(), tab.locator("main").inner_text()
    context.close()
    assert len(seen) - 1 <= MOST_CLICKS and len(set(seen)) == len(seen)
    assert heading.startswith(walk.culprit)
    assert [fact for fact in walk.facts if fact not in said] == []


def test_the_walks_are_told_in_the_docs_with_a_picture_of_each_page() -> None:
    if WANTED:
        (FOLDER / "walks.md").write_text(told(), encoding="utf-8")
    assert (FOLDER / "walks.md").read_text(encoding="utf-8") == told(), "run: make pictures"
    shown = set(re.findall(r"\(walks/([\w-]+\.png)\)", told()))
    kept = {path.name: path.stat().st_size for path in (FOLDER / "walks").glob("*")}
    assert set(kept) == shown == {f"{walk.name}-{at}.png" for walk in WALKS for at in range(1, len(walk.steps) + 2)}
    assert sum(kept.values()) <= 3_000_000


def _keep(walk: Walk) -> Any:
    """Takes a picture of the page as it stands, with a frame round the link that will be followed."""
    def keep(tab: Any, number: int, link: Any) -> None:
        if link is not None:
            link.scroll_into_view_if_needed()
            link.evaluate("one => { one.style.outline = '3px solid #c2570c'; one.style.outlineOffset = '3px'; }")
        (FOLDER / "walks").mkdir(exist_ok=True)
        tab.screenshot(path=str(FOLDER / "walks" / f"{walk.name}-{number}.png"))
    return keep
