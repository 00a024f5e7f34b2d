"""The house's look: readable pairs of colours, no address elsewhere, nothing inline, no script needed."""

from __future__ import annotations

import re
from itertools import pairwise, product

import pytest
from conftest import Browser  # type: ignore[import-not-found]

from fimforensics.site.settings import STATIC, TEMPLATES

CSS = (STATIC / "site.css").read_text(encoding="utf-8")
THEMES = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", block)) for block in re.findall(r":root \{(.*?)\}", CSS, re.S)]
PAIRS = [
    *product(("ink", "quiet", "link", "seen", "bad", "warn"), ("paper", "sheet", "soft")),
    ("ink", "bad-paper"),
    ("ink", "warn-paper"),
    ("link", "bad-paper"),
    ("link", "warn-paper"),
    ("paper", "link"),
]


def luminance(colour: str) -> float:
    """Relative luminance as WCAG has it."""
    parts = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    channels = [int(parts[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1, 2], ids=["light", "dark", "print"])
def test_text_is_readable(theme: int) -> None:
    colours = {**THEMES[0], **THEMES[theme]}
    assert {
        pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2)
        for pair in PAIRS
        if contrast(colours[pair[0]], colours[pair[1]]) < 4.5
    } == {}
    parts = {name: round(contrast(colours[name], colours["sheet"]), 2) for name in ("bar-0", "bar-1", "bar-2", "focus")}
    assert min(parts.values()) >= 3, parts


def test_contrast_is_computed_right() -> None:
    assert round(contrast("#000", "#ffffff"), 1) == 21.0 and contrast("#777777", "#777777") == 1.0


def test_templates_hold_nothing_that_the_headers_forbid() -> None:
    for path in set(TEMPLATES.glob("*.html")) - {TEMPLATES / "certificate.html"}:  # that is a file of its own, and no page
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|\|safe\b", text), path.name
    assert not re.search(r"url\(|@import|expression", CSS)


def test_pages_say_what_assistive_programs_ask(normal: Browser) -> None:
    for address in (
        "/",
        "/case",
        "/case/events?_facet=host_id",
        "/case/events/1",
        "/case/one_machine?host=a",
        "/case?sql=select+1",
        "/nothing",
    ):
        page = normal.get(address).text
        assert page.startswith('<!DOCTYPE html>\n<html lang="en">') and page.count("<main") == 1 and page.count("<h1") == 1, (
            address
        )
        assert re.search(r"<title>[^<]+</title>", page) and "<script" in page and 'href="#content"' in page
        assert set(re.findall(r"<script.*?</script>", page, re.S)) == {page[page.index("<script"):page.index("</script>") + 9]}
        assert page.count('<script type="module" src="/-/fimforensics/site.js?') == 1
        for field in re.findall(r"<(?:input|select|textarea)[^>]*>", page):
            named = re.search(r'id="([^"]+)"', field)
            assert (
                'type="hidden"' in field
                or "aria-label" in field
                or 'type="checkbox"' in field
                or (named and f'for="{named.group(1)}"' in page)
            ), (address, field)
        found = re.findall(r'\sid="([^"]+)"', page)
        assert len(found) == len(set(found)), address
        levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
        assert all(after <= before + 1 for before, after in pairwise(levels)), (address, levels)
