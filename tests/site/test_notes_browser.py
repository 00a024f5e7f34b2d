"""Notes by keys alone, in a real browser: typed, sent, taken back; nothing complains; single keys can be switched off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import serving  # type: ignore[import-not-found]
from noting import EVENTS  # type: ignore[import-not-found]

from fimforensics.serve import Ways
from tests.analyses.building import made

pytestmark = pytest.mark.browser


def test_notes_are_written_by_keys(chromium: Any, tmp_path: Path) -> None:
    case = made(tmp_path, EVENTS, analyses=None)
    with serving([case], ways=Ways(notes=True, owner="ann")) as address:
        context = chromium.new_context()
        tab, found = context.new_page(), list[str]()
        tab.on("console", lambda message, found=found: found.append(message.text))
        tab.on("pageerror", lambda error, found=found: found.append(str(error)))
        tab.goto(address + "case/hosts/1")
        tab.keyboard.press("c")
        tab.keyboard.type("stands on srv, n t s d")
        tab.keyboard.press("Control+Enter")
        tab.wait_for_selector(".words:has-text('stands on srv')")
        tab.keyboard.press("t")
        tab.keyboard.type("c2")
        tab.keyboard.press("Enter")
        tab.wait_for_selector(".said .tag")
        tab.keyboard.press("s")
        tab.wait_for_selector("text=Take your star away")
        tab.keyboard.press("d")
        tab.keyboard.press("Tab")
        tab.keyboard.press("Enter")
        tab.wait_for_selector(".disposition.suspicious")
        tab.get_by_role("button", name="Take back your comment").click()
        tab.wait_for_selector("text=took this back")
        tab.locator(".keys summary").click()
        tab.get_by_label("Single keys work on this browser").uncheck()
        tab.locator("h1").click()
        tab.keyboard.press("n")
        tab.goto(address + "case/hosts/1")
        tab.keyboard.press("c")
        assert tab.evaluate("document.activeElement.tagName") == "BODY"
        tab.locator(".keys summary").click()
        tab.get_by_label("Single keys work on this browser").check()
        tab.locator("h1").click()
        tab.keyboard.press("n")
        tab.wait_for_url("**/case/-/notes")
        assert found == [] and tab.locator(".note-list > li").count() == 1
        context.close()
