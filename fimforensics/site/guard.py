"""Around the whole ASGI app: only reading gets in, and what goes out is inert.

Requests: nothing but GET, HEAD and OPTIONS, no path that a redirect could turn into another site, of Datasette's own pages only
harmless ones; under `serve` also no Host but this machine, so that a foreign page cannot reach the case by rebinding a name.
Answers: pages with hidden characters written as escapes, CSV without formulas, and headers that forbid scripts, frames
and every other origin.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from ipaddress import ip_address
from typing import Any

from fimforensics.text import csv_safe, visible

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
       "form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
SECURITY = {
    b"content-security-policy": CSP.encode(), b"x-content-type-options": b"nosniff", b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin", b"cross-origin-resource-policy": b"same-origin",
    b"x-frame-options": b"DENY", b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
}
READING = ("GET", "HEAD", "OPTIONS")
# Of Datasette's own pages only these: others show settings and secrets of plugins, threads, messages, or a login.
OPEN_INTERNALS = re.compile(r"/-/(?:static/|fimforensics/|(?:versions|settings|plugins)(?:\.json)?\Z|login\Z)")
STATIC = re.compile(r"/-/(?:static|fimforensics)/")
_THIS_MACHINE = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?", re.I)
_NAME_AND_PORT = re.compile(r"(\[[0-9a-f:.]+\]|[^\s:@/\\]+)(?::[0-9]{1,5})?", re.I)
_BAD_PATH = re.compile("[\x00-\x1f\x7f\\\\]")
_LINE = re.compile(r"[^\t\n]+")


def inert(app: App) -> App:
    """The app with writing refused, hidden characters and formulas made visible, and security headers on every answer."""

    async def guarded(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        answer = Answer(send, scope)
        refusal = _refusal(scope)
        if refusal:
            await refuse(answer, *refusal)
        elif scope["method"] == "OPTIONS":  # Datasette has answers of its own, with which other origins could be let in
            await refuse(answer, 204, "")
        else:
            await app(scope, receive, answer)

    return guarded


def local_only(app: App, names: Iterable[str] = ()) -> App:
    """The app for this machine alone: 421 for any Host header that does not name it.

    `names` are more names of it; with any of these, addresses in figures are let in too: no foreign site's name is one.
    """
    known = frozenset(name.lower() for name in names)

    async def guarded(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _names_this_machine(scope, known):
            await refuse(Answer(send, scope), 421, "This server answers only to the name of the machine it runs on.")
        else:
            await app(scope, receive, send)

    return guarded


def _names_this_machine(scope: Message, known: frozenset[str]) -> bool:
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"host"]
    if len(hosts) != 1:
        return False
    if _THIS_MACHINE.fullmatch(hosts[0]) is not None:
        return True
    match = _NAME_AND_PORT.fullmatch(hosts[0]) if known else None
    return match is not None and (match[1].lower() in known or _is_address(match[1]))


def _is_address(text: str) -> bool:
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def _refusal(scope: Message) -> tuple[int, str] | None:
    """Status and sentence for a request that must not get in, None for one that may."""
    raw = scope.get("raw_path") or b""
    if _BAD_PATH.search(scope["path"]) or not raw.isascii() or _BAD_PATH.search(raw.decode("latin-1")):
        return 400, "The address holds characters that no page of a case has."
    if scope["method"] not in READING:
        return 405, "A case is served read-only."
    if re.match(r"/+-(?:/|\Z)", scope["path"]) and not OPEN_INTERNALS.match(scope["path"]):
        return 404, "There is no such page."
    return None


async def refuse(send: Send, status: int, told: str) -> None:
    """Answers with a status and one line of text."""
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    if status in (204, 405):
        headers.append((b"allow", ", ".join(READING).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{told}\n".encode() if told else b""})


class Answer:
    """The way out of one answer: pages are held until whole and made visible, CSV passes row by row, others as they are."""

    def __init__(self, send: Send, scope: Message) -> None:
        self.send, self.scope = send, scope
        self.start: Message = {}
        self.kind = "other"
        self.body: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = {**message, "headers": headers(message.get("headers", []), self.scope["path"],
                                                             bool(self.scope.get("query_string")))}
            self.kind = _kind(self.start["headers"], self.scope["path"])
            if self.kind != "page":
                await self.send(self.start)
        elif self.kind == "page":
            await self._page(message)
        elif self.kind == "csv":
            await self.send({**message, "body": safe_rows(message.get("body", b""))})
        else:
            await self.send(message)

    async def _page(self, message: Message) -> None:
        self.body.append(message.get("body", b""))
        if message.get("more_body"):
            return
        page = visible_page(b"".join(self.body))
        kept = [(name, value) for name, value in self.start["headers"] if name.lower() != b"content-length"]
        if self.scope["method"] != "HEAD":
            kept.append((b"content-length", str(len(page)).encode()))
        await self.send({**self.start, "headers": kept})
        await self.send({"type": "http.response.body", "body": page if self.scope["method"] != "HEAD" else b""})


def _kind(found: Headers, path: str) -> str:
    content = next((value for name, value in found if name.lower() == b"content-type"), b"")
    if content.startswith(b"text/html"):
        return "page"
    return "csv" if path.endswith(".csv") and content.startswith((b"text/plain", b"text/csv")) else "other"


def headers(found: Iterable[tuple[bytes, bytes]], path: str, marked: bool = True) -> Headers:
    """The answer's headers with ours over them: nothing of a case is cached, and no cookie is for scripts.

    `marked` says that the address names the file's version; a file without (a module that another asks for) is asked for anew.
    """
    ours = dict(SECURITY)
    ours[b"cache-control"] = (b"max-age=86400" if marked else b"no-cache") if STATIC.match(path) else b"no-store"
    kept = [(name, _http_only(value) if name.lower() == b"set-cookie" else value)
            for name, value in found if name.lower() not in ours]
    return [*kept, *ours.items()]


def _http_only(cookie: bytes) -> bytes:
    return cookie if b"httponly" in cookie.lower() else cookie + b"; HttpOnly"


def visible_page(body: bytes) -> bytes:
    """The page with every control, bidi mark and the like written as an escape; line ends and tabs stay."""
    text = body.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    return _LINE.sub(lambda line: visible(line.group()), text).encode("utf-8")


def safe_rows(body: bytes) -> bytes:
    """CSV in which no cell starts a formula and none steers a terminal. Datasette sends one row at a time."""
    if not body:
        return body
    out = io.StringIO(newline="")
    write = csv.writer(out)
    csv.field_size_limit(max(csv.field_size_limit(), len(body)))
    for row in csv.reader(io.StringIO(body.decode("utf-8", "surrogateescape"), newline="")):
        write.writerow([csv_safe(visible(cell)) for cell in row])
    return out.getvalue().encode("utf-8")
