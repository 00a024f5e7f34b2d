"""A zone to show times in, where a reader asks for one: `_zone=Europe/Berlin` in the address, which all links of the page keep.

UTC is what a case keeps and what is shown unless asked otherwise; nothing is taken from the machine or a cookie, so a link shows
a colleague the same. Every time that is shown in a zone carries its offset, and UTC in its title; a time without an offset is
UTC. The argument is taken out of the request before Datasette sees it, and put into links and forms of the answer.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus, unquote_plus
from zoneinfo import ZoneInfo, available_timezones

from fimforensics.site.guard import App, Message, Receive, Send

OFFERED = ("UTC", "America/Los_Angeles", "America/Denver", "America/Chicago", "America/New_York", "America/Sao_Paulo",
           "Europe/London", "Europe/Berlin", "Europe/Paris", "Europe/Kyiv", "Africa/Johannesburg", "Asia/Dubai", "Asia/Kolkata",
           "Asia/Singapore", "Asia/Shanghai", "Asia/Tokyo", "Australia/Sydney", "Pacific/Auckland")
_CHOSEN: ContextVar[str | None] = ContextVar("zone", default=None)
_LINK = re.compile(r'(<a\b[^>]*?\shref=")(?!//|#|/-/)([^"#]*)((?:#[^"]*)?")')
_ELSEWHERE = re.compile(r"[a-z]+:")
_FORM = re.compile(r"<form\b[^>]*>")
_FILE = re.compile(r"\.(?:svg|csv|json|graphml)(?:\?|\Z)|/page\.json")
_HEADING = re.compile(r"\(UTC\)(</th>)")


@lru_cache(maxsize=1)
def _known() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones()}


def zone(name: str) -> str | None:
    """A zone's name as it is spelled; None where there is none of this name."""
    return _known().get(name.strip().lower())


def local(time: str) -> tuple[str, str] | None:
    """A canonical time in the chosen zone, `2026-09-30 04:08:52` and `+02:00`; None where times are shown in UTC."""
    chosen = _CHOSEN.get()
    if chosen is None:
        return None
    try:
        told = datetime.fromisoformat(time[:19]).replace(tzinfo=UTC).astimezone(ZoneInfo(chosen))
    except (OverflowError, ValueError):
        return None
    offset = told.utcoffset() or timedelta()
    minutes = round(offset.total_seconds() / 60)  # local mean times of old have seconds
    return f"{told:%Y-%m-%d %H:%M:%S}", f"{'+' if minutes >= 0 else '-'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def zoned(app: App) -> App:
    """The app with times in the zone that a request asks for."""

    async def shown(scope: Message, receive: Receive, send: Send) -> None:
        asked, rest = _taken(scope.get("query_string") or b"") if scope["type"] == "http" else (None, b"")
        if asked is None:
            await app(scope, receive, send)
            return
        name = zone(asked)
        chosen = name if name and name != "UTC" else None
        inner = {**scope, "query_string": rest, "fim_zone": chosen, "fim_no_zone": None if name else asked}
        if "raw_path" in scope:
            inner["raw_path"] = (scope["raw_path"] or b"").partition(b"?")[0]
        token = _CHOSEN.set(chosen)
        try:
            await app(inner, receive, _Kept(send, chosen, _host(scope)) if chosen else send)
        finally:
            _CHOSEN.reset(token)

    return shown


def _taken(query: bytes) -> tuple[str | None, bytes]:
    """The zone that is asked for, and the query without it."""
    parts = query.split(b"&")
    found = [part for part in parts if part.startswith(b"_zone=")]
    if not found:
        return None, query
    return unquote_plus(found[-1][6:].decode("latin-1")), b"&".join(part for part in parts if part not in found)


def _host(scope: Message) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"host"), "")


class _Kept:
    """The way out of an answer: links and forms of a page keep the zone, and so does where a redirect leads."""

    def __init__(self, send: Send, chosen: str, host: str) -> None:
        self.send, self.chosen, self.host = send, chosen, host
        self.page = False
        self.start: Message = {}
        self.body: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: list[Any] = [(name, keeping(value.decode("latin-1"), self.chosen).encode("latin-1"))
                                  if name.lower() == b"location" else (name, value)
                                  for name, value in message.get("headers", [])]
            self.page = any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in headers)
            self.start = {**message, "headers": [one for one in headers if not self.page or one[0].lower() != b"content-length"]}
            if not self.page:
                await self.send(self.start)
        elif not self.page:
            await self.send(message)
        else:
            self.body.append(message.get("body", b""))
            if not message.get("more_body"):
                await self.send(self.start)
                body = b"".join(self.body).decode("utf-8", "surrogateescape")
                await self.send({"type": "http.response.body",
                                 "body": page(body, self.chosen, self.host).encode("utf-8", "surrogateescape")})


def page(html: str, chosen: str, host: str) -> str:
    """A page whose links and forms keep the zone, and whose columns of times are named after it."""
    own = (f"http://{host}/", f"https://{host}/")  # Datasette writes some of its links in full

    def kept(one: re.Match[str]) -> str:
        leads = _FILE.search(one[2]) or (_ELSEWHERE.match(one[2]) and not one[2].startswith(own))
        return one[1] + (one[2] if leads else keeping(one[2], chosen, "&amp;")) + one[3]

    html = _LINK.sub(kept, html)
    hidden = f'<input type="hidden" name="_zone" value="{chosen}">'
    html = _FORM.sub(lambda one: one[0] if 'method="post"' in one[0].lower() or "data-zone" in one[0] else one[0] + hidden, html)
    return _HEADING.sub(lambda one: f"({chosen}){one[1]}", html)


def keeping(address: str, chosen: str, joint: str = "&") -> str:
    """An address with the zone in it."""
    return f"{address}{joint if '?' in address else '?'}_zone={quote_plus(chosen)}"
