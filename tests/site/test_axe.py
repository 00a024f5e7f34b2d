"""Every kind of page by the rules of WCAG 2.2, A and AA, in light and dark; with keys alone; and as narrow as a phone.

Four sites are looked at: the stories with notes on them, hostile texts with notes, a case of nothing, and the login of shared
pages. Whatever a page folds away is opened first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from conftest import empty_case, serving  # type: ignore[import-not-found]
from kinds import LOGIN, NOTED, TABLES, WRONG, kinds  # type: ignore[import-not-found]
from noting import THINGS, Writer, number_of  # type: ignore[import-not-found]

from fimforensics import passwords, serve
from fimforensics.serve import Ways

pytestmark = pytest.mark.browser
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
SITES = ("stories", "hostile", "nothing", "login")
OF_NOTHING = ("/", "/case", "/case/events", "/case/files", "/case/-/findings", "/case/-/coverage", "/case/-/evidence",
              "/case/-/search?q=a", "/case/-/explore", "/case/-/trace", "/case/-/compare", "/case/-/notes", "/case/-/help",
              *TABLES[:1], *WRONG)
# Only what is broken comes back: each rule, and the first of what breaks it.
BROKEN = """options => axe.run(document, {...options, resultTypes: ['violations']}).then(found => found.violations.map(
    one => [one.id, one.nodes.slice(0, 3).map(node => node.html.slice(0, 160))]))"""
OPEN = "() => { for (const one of document.querySelectorAll('details')) one.open = true; }"
# All that can be operated takes the focus and shows it, and nothing jumps the order of the page.
BY_KEYS = """() => {
    const bad = [];
    const operated = 'a[href], button, input:not([type=hidden]), select, textarea, summary';
    for (const one of document.querySelectorAll(operated + ', [tabindex]')) {
        const said = one.outerHTML.slice(0, 80);
        if (!one.checkVisibility({visibilityProperty: true}) || !one.getBoundingClientRect().width || one.disabled) continue;
        if (one.tabIndex === -1 && !one.matches(operated)) continue;
        one.focus();
        if (document.activeElement !== one) bad.push('no focus: ' + said);
        else if (getComputedStyle(one).outlineStyle === 'none' && !one.closest('svg')) bad.push('unseen: ' + said);
        // In a picture one thing takes the focus, and arrow keys lead from there.
        if (one.tabIndex > 0 || one.tabIndex < 0 && !one.closest('svg')) bad.push('out of order: ' + said);
    }
    return bad;
}"""


@pytest.fixture(scope="session")
def noted(stories_case: Path, hostile_case: Path, words: list[str],
          tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Ways, list[str]]]:
    """Each site's case, how it is served, and its pages; notes are written before any browser runs."""
    folder = tmp_path_factory.mktemp("axe")
    passwords.put(folder / "people", "ann", "correct horse battery")
    known = {name: Ways(notes=True, notes_file=folder / f"{name}.notes") for name in SITES}
    _note(stories_case, known["stories"], ["look at this again", "by hand"])
    _note(hostile_case, known["hostile"], words[:5])
    shared = Ways(notes=True, notes_file=folder / "login.notes", passwords=folder / "people")
    return {"stories": (stories_case, known["stories"], [*kinds(stories_case), *NOTED, *WRONG]),
            "hostile": (hostile_case, known["hostile"], [*kinds(hostile_case), *NOTED, *WRONG]),
            "nothing": (empty_case(folder / "nothing.db"), known["nothing"], [*OF_NOTHING]),
            "login": (stories_case, shared, [LOGIN])}


@pytest.fixture(scope="module")
def sites(noted: dict) -> Iterator[dict[str, tuple[str, list[str]]]]:
    """Each site's address, and its pages."""
    with ExitStack() as stack:
        yield {name: (stack.enter_context(serving([case], ways=ways)), pages) for name, (case, ways, pages) in noted.items()}


def _note(case: Path, ways: Ways, texts: list[str]) -> None:
    """A note of each sort on a thing of each kind that the case has."""
    writer = Writer([case], ways)
    for table in THINGS:
        try:
            number = number_of(table, case)
        except TypeError:  # none of these
            continue
        said = [("star", ""), ("tag", "patch night"), ("disposition", "suspicious"), *(("comment", one) for one in texts)]
        for do, value in said:
            assert writer.say(do, value, table, number).status_code in (303, 400), (table, do, value)
    serve.close(writer.served)


@pytest.mark.parametrize("site", SITES)
def test_no_rule_is_broken(chromium: Any, sites: dict, site: str) -> None:
    (address, pages), broken = sites[site], {}
    tab = chromium.new_context().new_page()
    for path in pages:
        tab.emulate_media(color_scheme="light")
        tab.goto(address + path[1:])
        tab.evaluate(OPEN)
        tab.evaluate(AXE_SCRIPT)
        for scheme in ("light", "dark"):
            tab.emulate_media(color_scheme=scheme)
            rules = COLOURS if (site, scheme) == ("hostile", "dark") else RULES  # of the same pages with other texts
            for rule, found in tab.evaluate(BROKEN, {"runOnly": rules}):
                broken[path, scheme, rule] = found
    tab.context.close()
    assert not broken, "\n".join(f"{where}: {what}" for where, what in broken.items())


@pytest.mark.parametrize("site", SITES)
def test_keys_reach_everything_and_a_phone_shows_it(chromium: Any, sites: dict, site: str) -> None:
    (address, pages), bad = sites[site], {}
    tab = chromium.new_context(viewport={"width": 360, "height": 740}).new_page()
    for path in pages:
        tab.goto(address + path[1:])
        tab.keyboard.press("Tab")
        skip, width = tab.evaluate("[document.activeElement.className, document.documentElement.scrollWidth]")
        tab.evaluate(OPEN)
        opened = tab.evaluate("document.documentElement.scrollWidth")
        tab.evaluate(AXE_SCRIPT)
        small = tab.evaluate(BROKEN, {"runOnly": {"type": "rule", "values": ["target-size"]}})
        found = [*tab.evaluate(BY_KEYS), *(f"too small: {one}" for _, some in small for one in some),
                 *([] if skip == "skip" else ["the first key does not lead to the text"]),
                 *([] if max(width, opened) <= 360 else [f"{width} wide, {opened} unfolded"])]
        if found:
            bad[path] = found[:4]
    tab.context.close()
    assert not bad, "\n".join(f"{where}: {what}" for where, what in bad.items())
