"""The explorer in a real browser: clicks, keys, pins by dragging, the slider; and one address is one picture everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import serving  # type: ignore[import-not-found]
from test_explore_page import HERE, ROWS, SAME, X_THINGS, X  # type: ignore[import-not-found]

from tests.analyses.building import made

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The case of the explorer's other tests."""
    return made(tmp_path_factory.mktemp("drawn"), ROWS)


@pytest.fixture(scope="module")
def address(case: Path) -> Iterator[str]:
    """A server over it."""
    with serving([case]) as found:
        yield found.rstrip("/")


@pytest.fixture
def tab(chromium: Any, address: str) -> Iterator[Any]:
    """A page on the explorer, and at its end nothing that it should not have done."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page, wrong = context.new_page(), []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith((address, "blob:")) else wrong.append(request.url))
    page.goto(f"{address}{HERE}?{X}")
    yield page
    assert wrong == []
    context.close()


def names(tab: Any) -> list[str]:
    """What the picture shows."""
    return tab.locator("svg.explore g.node .name").all_text_contents()


def query(tab: Any) -> str:
    """What the address asks for, as the page itself sees it."""
    return tab.evaluate("location.search")


def drawn(tab: Any) -> str:
    """The picture's text."""
    return tab.locator("svg.explore").evaluate("one => one.outerHTML")


def unfocused(tab: Any) -> str:
    """The picture's text without which of its links the tabulator goes to."""
    return re.sub(r' tabindex="[^"]*"', "", drawn(tab))


def test_expand_collapse_and_back(tab: Any) -> None:
    assert sorted(names(tab)) == sorted(X_THINGS) and tab.url.endswith("?of=file%232&open=file%232")
    tab.locator("g.node", has_text="x.exe[77]").locator("a.knob").click()
    tab.wait_for_url("**open=process*")
    assert {*X_THINGS, "CONTOSO\\eve", "a.txt"} <= set(names(tab))
    expanded = tab.url
    tab.locator("g.node", has_text="x.exe[77]").locator("a.knob").click()
    tab.wait_for_url("**?of=file%232&open=file%232")
    assert sorted(names(tab)) == sorted(X_THINGS)
    tab.go_back()
    tab.wait_for_url(expanded)
    tab.locator("g.node", has_text="a.txt").wait_for()
    tab.reload()
    assert tab.url == expanded and len(names(tab)) > len(X_THINGS)


def test_keys_do_what_the_mouse_does(tab: Any) -> None:
    tab.locator("g.node.start > a").first.focus()
    tab.keyboard.press("ArrowRight")
    focused = "document.activeElement.closest('g.node').dataset.key"
    process = tab.evaluate(focused)
    assert process.startswith("process#")
    tab.keyboard.press("p")
    tab.locator("g.node.pinned").wait_for()
    assert tab.evaluate(focused) == process and "pin=process" in query(tab)
    tab.keyboard.press("e")
    tab.locator(f"g.node.open[data-key='{process}']").wait_for()
    tab.keyboard.press("w")
    tab.wait_for_url("**pick=process*")
    assert "Pick the other" in tab.locator("#said").inner_text()
    tab.keyboard.press("x")
    tab.wait_for_url("**leave=process*")
    assert process not in tab.content().split("<svg")[1]
    assert tab.locator("p.unseen").inner_text().startswith("3 things")


def test_a_thing_is_chosen_and_told_beside(tab: Any) -> None:
    tab.locator("g.node", has_text="w3wp.exe").locator("a").first.click()
    tab.locator("aside.chosen h2", has_text="w3wp.exe[66]").wait_for()
    tab.locator("aside.chosen a", has_text="Expand").click()
    tab.locator("aside.chosen a", has_text="Collapse").wait_for()
    assert tab.evaluate("document.activeElement.textContent") == "Collapse"


def test_dragging_pins_at_a_place_that_the_address_holds(tab: Any) -> None:
    box = tab.locator("g.node", has_text="w3wp.exe").locator("rect.box")
    at = box.bounding_box()
    tab.mouse.move(at["x"] + 60, at["y"] + 10)
    tab.mouse.down()
    tab.mouse.move(at["x"] + 90, at["y"] + 150, steps=4)
    tab.mouse.up()
    tab.wait_for_url(re.compile(r"pin=process%23\d+%40\d+%2C\d+"))
    moved = tab.locator("g.node.pinned rect.box").bounding_box()
    assert abs(moved["x"] - at["x"] - 30) <= 2 and abs(moved["y"] - at["y"] - 140) <= 2
    before = unfocused(tab)
    tab.reload()
    assert unfocused(tab) == before


def test_the_slider_stands_in_the_address_and_replays(tab: Any) -> None:
    slider = tab.get_by_role("slider")
    slider.focus()
    tab.keyboard.press("Home")
    assert "at=2026-10-12T08" in query(tab) and tab.locator("svg .edge.later").count() == 1
    assert tab.locator("table.graph-relations tr.later").count() == 1
    tab.locator("svg a[href*='at=']").first.wait_for()
    pale = unfocused(tab)
    tab.reload()
    assert unfocused(tab) == pale  # as the server draws it
    tab.get_by_role("button", name="Replay").click()
    tab.get_by_role("button", name="Stop").click()
    slider.focus()
    tab.keyboard.press("End")
    assert "at=" not in query(tab) and tab.locator("svg .later").count() == 0
    tab.locator("g.node", has_text="x.exe[77]").locator("a.knob").click()
    tab.wait_for_url("**open=process*")
    assert "at=" not in query(tab)


def test_who_comes_back_from_a_page_finds_the_picture_as_it_was(tab: Any) -> None:
    tab.locator("g.node", has_text="x.exe[77]").locator("a").first.click()
    tab.locator("aside.chosen h2", has_text="x.exe[77]").wait_for()
    tab.get_by_role("slider").focus()
    tab.keyboard.press("Home")
    tab.locator("svg a[href*='at=']").first.wait_for()
    left, before = query(tab), unfocused(tab)
    tab.get_by_role("link", name="Its page").click()
    tab.wait_for_url("**/processes/*")
    tab.go_back()
    tab.locator("aside.chosen h2", has_text="x.exe[77]").wait_for()
    assert query(tab) == left and unfocused(tab) == before


def test_the_form_narrows_and_adds(tab: Any) -> None:
    tab.get_by_label("became").check()
    tab.get_by_role("button", name="Apply").click()
    tab.wait_for_url("**relation=became")
    assert names(tab) == ["x.exe", "x.exe[77]"]
    tab.get_by_label("Add").fill("web:C:\\data\\b.txt")
    tab.keyboard.press("Enter")
    tab.locator("g.node", has_text="b.txt").wait_for()


def test_png(tab: Any, tmp_path: Path) -> None:
    with tab.expect_download() as waiting:
        tab.get_by_role("button", name="PNG").click()
    waiting.value.save_as(tmp_path / "graph.png")
    assert (tmp_path / "graph.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_one_address_is_one_picture_in_two_sessions_and_two_servers(chromium: Any, case: Path, address: str) -> None:
    found = []
    with serving([case]) as other:
        for where in (address, address, other.rstrip("/")):
            context = chromium.new_context()
            page = context.new_page()
            page.goto(f"{where}{HERE}?{SAME}")
            page.locator("p.graph-tools").first.wait_for()
            found.append((drawn(page), page.evaluate("fetch('explore.svg' + location.search).then(got => got.text())")))
            context.close()
    assert len(set(found)) == 1 and "g class=\"node" in found[0][0]


def test_without_javascript_the_links_do_it(chromium: Any, address: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}{HERE}?{X}")
    page.locator("g.node", has_text="x.exe[77]").locator("a.knob").click()
    page.wait_for_url("**open=process*")
    assert len(names(page)) > len(X_THINGS)
    page.get_by_role("link", name="◂ earlier").click()
    page.wait_for_url("**at=2026*")
    assert page.locator("svg .later").count() > 0
    context.close()
