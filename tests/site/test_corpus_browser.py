"""The hostile corpus in a real Chromium without a network: nothing runs, opens, asks or complains on any kind of page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from conftest import CHROMIUM, serving  # type: ignore[import-not-found]
from inert import HIDDEN  # type: ignore[import-not-found]
from kinds import NOTED, WRONG, kinds  # type: ignore[import-not-found]

from fimforensics.serve import Ways

pytestmark = pytest.mark.browser
NARROW = 360
# Reported as a console message: what the policy stopped, and what evidence would do if it could.
REPORTS = """
addEventListener('securitypolicyviolation', event => console.error('policy: ' + event.violatedDirective, event.blockedURI));
addEventListener('error', event => console.error('error: ' + (event.message || event.target.outerHTML)), true);
"""
# What of the page as it stands in the browser, after all scripts, is not ours.
LOOKED = """() => {
    const bad = [];
    for (const element of document.querySelectorAll('*')) {
        for (const {name, value} of element.attributes) {
            if (name.startsWith('on') || name === 'srcdoc') bad.push(element.tagName + ' ' + name);
            if (['href', 'src', 'action', 'formaction', 'xlink:href', 'poster', 'data'].includes(name)) {
                const address = new URL(value, document.baseURI);
                if (address.origin !== location.origin && !value.startsWith('data:image/')) bad.push(name + '=' + value);
            }
        }
    }
    for (const tag of ['iframe', 'object', 'embed', 'base', 'frame', 'applet', 'video', 'audio', 'style', 'portal']) {
        if (document.querySelector(tag)) bad.push(tag);
    }
    if (document.querySelectorAll('h1').length !== 1) bad.push('h1');
    return [bad, document.documentElement.scrollWidth, document.title + document.body.innerText];
}"""


@pytest.fixture(scope="module")
def address(corpus_case: Path, corpus_ways: Ways) -> Iterator[str]:
    """A server over the corpus' case, with its notes."""
    with serving([corpus_case], ways=corpus_ways) as found:
        yield found


def test_no_kind_of_page_does_anything(
        playwright: Any, chromium_path: str, address: str, corpus_case: Path, tmp_path: Path) -> None:
    log = tmp_path / "net.json"
    browser = playwright.chromium.launch(executable_path=chromium_path, args=[*CHROMIUM, f"--log-net-log={log}"])
    tab, found = _watched(browser.new_context(viewport={"width": NARROW, "height": 740}), address)
    bad = {}
    for path in (*kinds(corpus_case), *NOTED, *WRONG):
        answer = tab.goto(address + path[1:])
        assert answer.status < 500 and answer.headers["content-security-policy"].startswith("default-src 'none'"), path
        acts, width, text = tab.evaluate(LOOKED)
        hidden = HIDDEN.search(text.replace("\\t", ""))
        told = [*acts, *found, *([f"{width} wide"] if width > NARROW else []), *([repr(hidden.group())] if hidden else [])]
        told = [one for one in told if not (answer.status >= 400 and one.startswith("console Failed to load resource"))]
        if told:
            bad[path] = told[:5]
        found.clear()
    browser.close()
    assert bad == {}
    assert _asked_for(log) <= {"127.0.0.1"}


def _watched(context: Any, address: str) -> tuple[Any, list[str]]:
    """A page, and what it did that it should not."""
    found: list[str] = []
    context.add_init_script(REPORTS)
    tab = context.new_page()
    tab.on("dialog", lambda dialog: (found.append(f"dialog {dialog.message}"), dialog.dismiss()))
    tab.on("console", lambda message: found.append(f"console {message.text}"))
    tab.on("pageerror", lambda error: found.append(f"error {error}"))
    tab.on("popup", lambda other: found.append(f"popup {other.url}"))
    tab.on("download", lambda download: found.append(f"download {download.url}"))
    tab.on("request", lambda one: None if one.url.startswith((address, "data:")) else found.append(f"request {one.url}"))
    return tab, found


def _asked_for(log: Path) -> set[str]:
    """The hosts that Chromium itself says it was asked for, by name, address or prefetch."""
    text = log.read_text(encoding="utf-8")
    told = json.loads(text if text.rstrip().endswith("}") else text.rstrip().rstrip(",") + "]}")
    hosts = set()
    for event in told["events"]:
        given = event.get("params") or {}
        url = given.get("url") if isinstance(given.get("url"), str) else None
        if url and urlsplit(url).scheme in ("http", "https", "ws", "wss", "ftp"):
            hosts.add(urlsplit(url).hostname or "")
        if isinstance(given.get("host"), str):
            hosts.add(urlsplit(given["host"] if "//" in given["host"] else f"//{given['host']}").hostname or "")
    return hosts
