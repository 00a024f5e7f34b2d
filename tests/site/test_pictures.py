"""The pictures of README and docs: pages of the sample case, each with what it is there to show.

With FIMFORENSICS_PICTURES=yes (`make pictures`) they are taken anew; else it is only looked whether they could be.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import hostile_evidence  # type: ignore[import-not-found]
import pytest
from conftest import SAMPLES, serving  # type: ignore[import-not-found]

from fimforensics.analyze import analyze
from fimforensics.ingest import Options, ingest
from fimforensics.serve import Ways

DOCS = Path(__file__).resolve().parents[2] / "docs"
WANTED = os.environ.get("FIMFORENSICS_PICTURES") == "yes"
MADE, CASE_ID = "2026-11-01T09:00:00.000000Z", "9b1f64c2-5a0d-4c1e-8f3b-2d7e9a6c0b54"
WIDE, PHONE = (1200, 800), (360, 740)


@dataclass(frozen=True)
class Picture:
    """A page by its address, in which numbers stand by their names; what must be seen on it; and how it is looked at."""

    name: str
    address: str
    shows: str
    size: tuple[int, int] = WIDE
    scheme: str = "light"


PICTURES = (
    Picture("case-page", "/case", "svg.heat-strip"),
    Picture("events-page", "/case/events?_facet=change_id", ".rows tbody tr"),
    Picture("findings-page", "/case/-/findings", ".finding.s-high"),
    Picture("file-page", "/case/files/{sshd}", "svg.lanes"),
    Picture("spread-page", "/case/contents/{content}", "svg.lanes circle"),
    Picture("trace-page", "/case/-/trace?of=web01:/usr/sbin/sshd&limit=14", "svg.trace g.node"),
    Picture("explore-page", "/case/-/explore?begin=finding%23{finding}&on=process%23{process}", "svg.explore g.node.chosen"),
    Picture("notes-page", "/case/-/notes", ".note-list .tag"),
    Picture("dark-page", "/case/-/explore?begin=finding%23{finding}", "svg.explore g.node", scheme="dark"),
    Picture("phone-page", "/case/processes/{process}", ".finding.s-high", PHONE),
)


@pytest.fixture(scope="module")
def case(sample_case: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample case; for pictures one that is always made at the same time."""
    if not WANTED:
        return sample_case
    made = tmp_path_factory.mktemp("pictured") / "case.db"
    with patch("uuid.uuid4", return_value=CASE_ID), patch("fimforensics.evidence.custody.now", return_value=MADE):
        ingest(made, [SAMPLES / name for name in ("portal", "rest", "export", "az")],
               Options(case_number="DEMO-1", examiner="Sample Examiner", case_key=hostile_evidence.KEY))
        analyze(made, ())
    return made


@pytest.fixture(scope="module")
def numbers(case: Path) -> dict[str, int]:
    """What the addresses name, by its number in this case: the first grave finding and all it speaks of."""
    with closing(sqlite3.connect(case)) as connection:
        finding, content, process = connection.execute(
            "SELECT id, content_id, process_id FROM findings WHERE severity = 'high' ORDER BY id").fetchone()
        sshd, = connection.execute("SELECT f.id FROM files f JOIN hosts h ON h.id = f.host_id WHERE h.name = 'web01' "
                                   "AND f.path = '/usr/sbin/sshd'").fetchone()
    return {"finding": finding, "content": content, "process": process, "sshd": sshd}


@pytest.fixture(scope="module")
def address(case: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server over it, with notes."""
    notes = tmp_path_factory.mktemp("pictured-notes") / "case.db.notes.db"
    with serving([case], ways=Ways(notes=True, notes_file=notes, owner="ann")) as found:
        yield found.rstrip("/")


@pytest.fixture(scope="module")
def noted(chromium: Any, address: str, numbers: dict[str, int]) -> None:
    """Two people's worth of notes, written as a person would."""
    tab = chromium.new_context().new_page()
    for path, tag, comment, held in (
            ("files/{sshd}", "false sshd", "Not from the package: its content is on three hosts only.", "malicious"),
            ("processes/{process}", "dropped", "Ran five minutes after php-fpm wrote it.", "malicious"),
            ("findings/{finding}", "begin here", "The first thing that is known of it.", "suspicious")):
        tab.goto(f"{address}/case/{path.format(**numbers)}")
        tab.get_by_label("Comment", exact=True).fill(comment)
        tab.get_by_role("button", name="Add the comment").click()
        tab.get_by_label("Tag", exact=True).fill(tag)
        tab.get_by_role("button", name="Add the tag").click()
        tab.get_by_role("button", name=held).click()
        tab.locator(f".disposition.{held}").first.wait_for()
    tab.context.close()


@pytest.mark.browser
@pytest.mark.parametrize("picture", PICTURES, ids=[one.name for one in PICTURES])
def test_the_page_shows_it(chromium: Any, address: str, numbers: dict[str, int], noted: None, picture: Picture) -> None:
    width, height = picture.size
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=picture.scheme)
    context.add_init_script("localStorage.setItem('fimforensics-tour', 'seen')")
    tab = context.new_page()
    tab.goto(address + picture.address.format(**numbers))
    shown = tab.locator(picture.shows).first
    shown.wait_for()
    assert shown.bounding_box()["y"] < height and tab.evaluate("document.documentElement.scrollWidth") <= width
    if WANTED:
        tab.mouse.move(0, 0)
        tab.screenshot(path=str(DOCS / f"{picture.name}.png"), animations="disabled")
    context.close()


def test_each_picture_is_shown_somewhere_and_none_is_missing() -> None:
    kept = {path.stem: path.stat().st_size for path in DOCS.glob("*.png")}
    assert set(kept) == {one.name for one in PICTURES} and sum(kept.values()) <= 1_900_000
    texts = "".join(one.read_text(encoding="utf-8") for one in (DOCS.parent / "README.md", *DOCS.glob("*.md")))
    assert set(re.findall(r"\((?:docs/)?([\w-]+)\.png\)", texts)) == set(kept)
