"""What a page's source may hold: elements and addresses of ours, no attribute that acts, no letter that nobody sees."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from fimforensics.site.settings import PACKAGE, TEMPLATES

HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
# The elements that our templates and pictures are made of; those that Datasette's own few pages add.
TAGS = frozenset(tag for path in (*TEMPLATES.glob("*.html"), *(PACKAGE / "site").glob("*.py"))
                 for tag in re.findall(r"<([a-z][a-z0-9]*)[\s>/]", path.read_text(encoding="utf-8"))) | {"pre", "br"}
ADDRESS = re.compile(r"(?:/(?![/\\])|\?|#|[a-z]+(?:/page\.json|\.(?:svg|graphml|csv)|\?)|http://127\.0\.0\.1:8001/|\Z)")
SCRIPT = re.compile(r"/-/(?:fimforensics|static)/[\w.-]+\.js(?:\?\w+)?")


class Tags(HTMLParser):
    """What a page's source makes a browser do: elements, attributes that act, addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.bad: list[str] = []
        self.headings = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collects what none of our pages has."""
        self.headings += tag == "h1"
        if tag == "script" and not SCRIPT.fullmatch(dict(attrs).get("src") or ""):
            self.bad.append(f"<script> {attrs}")
        self.bad += [] if tag in TAGS else [f"<{tag}>"]
        for name, value in attrs:
            if name.startswith("on") or name in ("style", "srcdoc", "http-equiv"):
                self.bad.append(f"{tag} {name}")
            if name in ("href", "src", "action", "formaction") and not ADDRESS.match(value or ""):
                self.bad.append(f"{tag} {name}={value}")


def faults(page: str) -> list[str]:
    """What in the page's source a browser would run, follow elsewhere, or show reordered, with some of what stands around it."""
    tags = Tags()
    tags.feed(page)
    hidden = HIDDEN.search(page)
    tags.bad += [] if tags.headings == 1 else [f"{tags.headings} h1"]
    return tags.bad + ([] if hidden is None else [repr(page[max(hidden.start() - 60, 0):hidden.end() + 20])])


def check_page(page: str) -> None:
    """No such thing."""
    assert faults(page) == [], faults(page)
