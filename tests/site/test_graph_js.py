"""What the graph's script adds in a real browser: zoom, move, time, PNG; by keys too, without a complaint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import serving  # type: ignore[import-not-found]
from test_trace_page import ROWS  # type: ignore[import-not-found]

from tests.analyses.building import made

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page of a trace, served."""
    with serving([made(tmp_path_factory.mktemp("graph"), ROWS)]) as found:
        yield found + "case/-/trace?of=web:C:%5Ctmp%5Cx.exe"


@pytest.fixture
def tab(chromium: Any, address: str) -> Iterator[Any]:
    """A tab on the page; at its end nothing may have been complained about or asked of another machine."""
    context = chromium.new_context(viewport={"width": 900, "height": 700})
    page, found = context.new_page(), []
    page.on("console", lambda message: found.append(message.text))
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("request", lambda request: request.url.startswith(
        (address.partition("case/")[0], "blob:")) or found.append(request.url))
    page.goto(address)
    page.wait_for_selector(".graph-tools")
    yield page
    context.close()
    assert found == []


def width(tab: Any) -> float:
    """How wide the drawing is."""
    return float(tab.locator("svg.trace").get_attribute("width"))


def test_zoom_by_button_and_key(tab: Any) -> None:
    natural = width(tab)
    tab.get_by_role("button", name="Larger").click()
    assert width(tab) == natural * 1.25
    tab.locator(".graph-view").focus()
    tab.keyboard.press("-")
    assert width(tab) == natural
    tab.keyboard.press("0")
    assert width(tab) < natural and width(tab) <= tab.locator(".graph-view").evaluate("view => view.clientWidth") + 1


def test_dragging_moves_and_follows_no_link(tab: Any, address: str) -> None:
    view = tab.locator(".graph-view")
    tab.get_by_role("button", name="Larger").click()
    before = view.evaluate("view => view.scrollLeft")
    box = tab.locator(".node.start rect.box").bounding_box()
    x, y = box["x"] + 20, box["y"] + 20
    tab.mouse.move(x, y)
    tab.mouse.down()
    tab.mouse.move(x - 60, y, steps=4)
    tab.mouse.up()
    assert view.evaluate("view => view.scrollLeft") == before + 60 and tab.url == address
    tab.locator(".node.start a").click()
    tab.wait_for_url("**/case/files/*")


def test_time_makes_later_steps_pale(tab: Any) -> None:
    slider = tab.get_by_label("Up to")
    assert tab.locator("svg .later").count() == 0
    slider.focus()
    tab.keyboard.press("Home")
    assert tab.locator("output").inner_text() == "2026-10-12 00:00:00 UTC"
    assert [tab.locator(pale).count() for pale in ("svg .node.later", "svg .edge.later", "tr.later")] == [5, 5, 5]
    tab.keyboard.press("ArrowRight")
    assert tab.locator("svg .node.later").count() == 3
    tab.get_by_role("button", name="Replay").click()
    tab.get_by_role("button", name="Stop").click()
    tab.keyboard.press("Tab")


def test_the_picture_is_kept_as_png(tab: Any, tmp_path: Path) -> None:
    with tab.expect_download() as waiting:
        tab.get_by_role("button", name="PNG").click()
    waiting.value.save_as(tmp_path / "trace.png")
    head = (tmp_path / "trace.png").read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(head[16:20], "big") == 2 * width(tab)
