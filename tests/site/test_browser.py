"""The pages in a real browser: nothing runs, nothing complains, nothing is asked of another machine; keys suffice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import serving  # type: ignore[import-not-found]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(hostile_case: Path) -> Iterator[str]:
    """A server over the hostile case."""
    with serving([hostile_case]) as found:
        yield found


@pytest.fixture
def page(chromium: Any, address: str) -> Iterator[tuple[Any, list[str]]]:
    """A page and what it did that it should not."""
    context = chromium.new_context()
    found: list[str] = []
    page = context.new_page()
    page.on("dialog", lambda dialog: (found.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("console", lambda message: found.append(f"console {message.text}"))
    page.on("pageerror", lambda error: found.append(f"error {error}"))
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith(address) or request.url.startswith("data:") else found.append(f"request {request.url}")
        ),
    )
    page.on("download", lambda download: found.append(f"download {download.url}"))
    yield page, found
    context.close()


PATHS = [
    "",
    "case",
    "case/events",
    "case/events?_all=1",
    "case/events?_facet=host_id&_facet=new_data",
    "case/hosts/1",
    "case/snapshots",
    "case/registry_changes",
    "case/one_machine?host=%3Cscript%3Ealert(9)%3C/script%3E",
    "case?sql=select+name+from+hosts",
    "case/events_flat",
    "case/MDCFileIntegrityMonitoringEvents",
    "-/versions",
    *(f"case/events/{number}" for number in range(1, 26, 2)),
]


def test_hostile_pages_do_nothing(page: tuple[Any, list[str]], address: str) -> None:
    tab, found = page
    for path in PATHS:
        answer = tab.goto(address + path)
        assert answer.status == 200, path
        assert tab.locator("main h1").count() == 1, path
        assert (found, path) == ([], path)


def test_on_a_phone_nothing_is_wider_than_the_screen(page: tuple[Any, list[str]], address: str) -> None:
    tab, _ = page
    tab.set_viewport_size({"width": 360, "height": 740})
    for path in (
        "",
        "case",
        "case/events",
        "case/events/4",
        "case/hosts/1",
        "case/registry_changes",
        "case?sql=select+name+from+hosts",
    ):
        tab.goto(address + path)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_at_1280_a_row_is_one_line_and_the_page_does_not_scroll_sideways(page: tuple[Any, list[str]], address: str) -> None:
    tab, _ = page
    tab.set_viewport_size({"width": 1280, "height": 900})
    for path in ("", "case", "case/events", "case/files", "case/registry_values", "case/registry_changes", "case/events_flat"):
        tab.goto(address + path)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 1280, path
        heights = tab.evaluate("Array.from(document.querySelectorAll('.rows tbody tr')).map(row => row.offsetHeight)")
        assert all(height <= 30 for height in heights), (path, heights)
    tab.goto(address + "case/events")
    assert tab.evaluate("(box => box.scrollWidth - box.clientWidth)(document.querySelector('.rows'))") == 0


def test_keys_suffice_and_focus_is_seen(page: tuple[Any, list[str]], address: str) -> None:
    tab, _ = page
    tab.goto(address + "case/events")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    assert tab.locator(".skip").bounding_box()["x"] >= 0
    seen = []
    for _ in range(36):
        tab.keyboard.press("Tab")
        seen.append(tab.evaluate("[document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]"))
    assert {style for _, style in seen} == {"solid"}
    assert {"A", "SELECT", "INPUT"} <= {tag for tag, _ in seen}


def test_a_question_is_asked_by_keyboard_alone(page: tuple[Any, list[str]], address: str) -> None:
    tab, found = page
    tab.goto(address + "case/one_machine")
    tab.get_by_label("host").focus()
    tab.keyboard.type("invoice")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("table")
    assert "invoice\\u202egnp.exe" in tab.inner_text("main") and found == []


def test_dark_and_light_differ(page: tuple[Any, list[str]], address: str) -> None:
    tab, _ = page
    shown = []
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        tab.goto(address)
        shown.append(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert shown == ["rgb(251, 250, 247)", "rgb(21, 25, 27)"]


def test_a_title_cannot_end_itself(page: tuple[Any, list[str]], address: str) -> None:
    tab, found = page
    tab.goto(address)
    assert (tab.title(), found) == ("</title><script>alert(4)</script>: case · fimforensics", [])


def test_on_paper_nothing_is_wider_than_the_sheet(page: tuple[Any, list[str]], address: str) -> None:
    tab, _ = page
    tab.set_viewport_size({"width": 720, "height": 1020})
    tab.emulate_media(media="print")
    for path in ("", "case/events", "case/events/4", "case/hosts/1", "case/files/1", "case/-/evidence", "case/-/coverage"):
        tab.goto(address + path)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 720, path
        assert not tab.get_by_role("navigation", name="Main").is_visible(), path
