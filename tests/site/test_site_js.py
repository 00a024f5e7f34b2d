"""What every page can do in a real browser: copy a hash, choose a time on the bars, take the tour; and what it says without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import serving  # type: ignore[import-not-found]
from test_chart import ROWS  # type: ignore[import-not-found]

from tests.analyses.building import digest, made


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven events on six days of nine."""
    return made(tmp_path_factory.mktemp("timed"), ROWS)


@pytest.fixture(scope="module")
def address(case: Path) -> Iterator[str]:
    """A server over it."""
    with serving([case]) as found:
        yield found.rstrip("/")


@pytest.fixture
def tab(chromium: Any, address: str) -> Iterator[Any]:
    """A page, and at its end nothing that it should not have done."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    page, wrong = context.new_page(), []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    assert wrong == []
    context.close()


pytestmark = pytest.mark.browser


def test_a_hash_is_copied_whole(tab: Any, address: str) -> None:
    tab.goto(address + "/case/events?host_id=1&_sort=time")
    tab.get_by_role("button", name="Copy " + (digest("web10") or "")[:8]).focus()
    tab.keyboard.press("Enter")
    tab.locator("p.unseen", has_text="Copied").wait_for()
    assert tab.evaluate("navigator.clipboard.readText()") == digest("web10")


def test_a_time_is_chosen_by_mouse_and_by_keys(tab: Any, address: str) -> None:
    tab.goto(address + "/case/events")
    told, svg = tab.locator("form.brush output"), tab.locator("figure[data-chart] svg")
    assert told.inner_text() == "7 events"
    box = svg.bounding_box()
    bar = box["width"] / 9
    tab.mouse.move(box["x"] + 2.5 * bar, box["y"] + 30)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 4.5 * bar, box["y"] + 30, steps=3)
    tab.mouse.up()
    assert told.inner_text() == "3 events"
    assert tab.get_by_label("From", exact=True).input_value() == "2026-10-12"
    assert tab.get_by_label("until before").input_value() == "2026-10-15"
    tab.get_by_role("slider", name="Last bar of the chosen time").focus()
    tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("ArrowLeft")
    assert told.inner_text() == "2 events"
    tab.get_by_role("button", name="Events of this time").click()
    tab.wait_for_url("**time__gte=2026-10-12&time__lt=2026-10-13")
    assert "2 rows" in tab.locator("p.status").inner_text() and told.inner_text() == "2 events"


def test_the_tour_is_offered_once_and_can_be_taken_again(tab: Any, address: str) -> None:
    tab.goto(address + "/")
    tab.get_by_role("button", name="Show me around").click()
    assert tab.evaluate("document.activeElement.textContent").startswith("1 of ")
    for _ in range(20):
        tab.keyboard.press("ArrowRight")
    assert tab.locator(".tour h2").inner_text().endswith("Trust it") and tab.locator("footer.toured").count() == 1
    tab.keyboard.press("Escape")
    assert tab.locator(".tour").count() == 0
    tab.goto(address + "/case")
    assert tab.locator(".tour-offer").count() == 0
    tab.goto(address + "/case/-/help")
    tab.get_by_role("link", name="Show me around on the case's page").click()
    tab.locator(".tour h2").wait_for()
    tab.get_by_role("button", name="End the tour").click()


def test_not_now_is_remembered(tab: Any, address: str) -> None:
    tab.goto(address + "/case/hosts")
    assert tab.locator(".tour-offer").count() == 0
    tab.goto(address + "/case")
    tab.get_by_role("button", name="Not now").click()
    tab.reload()
    tab.locator(".brush-ends").wait_for()
    assert tab.locator(".tour-offer").count() == 0


def test_this_machines_zone_is_offered_and_not_taken(tab: Any, address: str) -> None:
    tab.goto(address + "/case/events")
    zone = tab.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    assert tab.locator(f"#zones option[value='{zone}']").count() == 1 and tab.get_by_label("Show times in").input_value() == "UTC"
