"""The only things that may be sent to served cases: a login, a logout, a note. All else stays reading.

It stands around the whole app and answers what is sent itself; Datasette never sees a POST. A form must come from one of our own
pages: by its token, which belongs to the visitor's cookie, and by what the browser says of where it comes from.
"""

from __future__ import annotations

import asyncio
import hmac
import re
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from datasette.utils import tilde_decode
from datasette.utils.asgi import Request

from fimforensics.errors import Misuse, Problem
from fimforensics.site.desk import Desk
from fimforensics.site.door import Door, Visitor
from fimforensics.site.guard import Answer, App, Message, Receive, Send, refuse

MOST_SENT = 256 * 1024  # bytes of a form
_NOTES = re.compile(r"/([^/]+)/-/notes").fullmatch
_OPEN = re.compile(r"/-/(?:login\Z|fimforensics/)")
_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]{0,2000}").fullmatch
Fields = dict[str, str]


class Refusal(Exception):
    """A form that is not taken: a status and a sentence."""

    def __init__(self, status: int, told: str) -> None:
        self.status, self.told = status, told
        super().__init__(told)


def around(app: App, datasette: Any, door: Door, desk: Desk | None) -> App:
    """The app with its visitors known; forms are answered here, and on shared pages nothing is shown before the login."""

    async def guarded(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        visitor = door.visitor(_cookie(scope, door.cookie_name))
        scope = {**scope, "fim_visitor": visitor}
        if scope["method"] == "POST" and (_NOTES(scope["path"]) or scope["path"] in ("/-/login", "/-/logout")):
            await _posted(scope, receive, send, datasette, door, desk)
        elif door.shared and visitor.name is None and not _open(scope):
            await _to_login(scope, send)
        else:
            if desk is not None and scope["method"] == "GET":
                await asyncio.get_running_loop().run_in_executor(None, desk.refresh)
            await app(scope, receive, _with_cookie(send, door, visitor) if visitor.fresh else send)

    return guarded


def _open(scope: Message) -> bool:
    """May anybody see this? Datasette goes by the address as it was written, so that must say the same as the decoded one."""
    raw = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
    return raw == scope["path"] and _OPEN.match(raw) is not None


def _with_cookie(send: Send, door: Door, visitor: Visitor) -> Send:
    """Pages bring a new visitor his cookie."""
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start" and any(
                name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in message["headers"]):
            message = {**message, "headers": [*message["headers"], door.header(visitor.cookie)]}
        await send(message)
    return sent


async def _to_login(scope: Message, send: Send) -> None:
    path = scope["path"] + ("?" + scope["query_string"].decode("latin-1") if scope.get("query_string") else "")
    answer = Answer(send, scope)
    if scope["method"] not in ("GET", "HEAD"):
        await refuse(answer, 405, "A case is served read-only.")
    elif re.search(r"\.(?:json|csv|svg)\Z", scope["path"]):
        await refuse(answer, 401, "Log in first.")
    else:
        await _redirect(answer, "/-/login" + (f"?next={quote(path, safe='/')}" if path != "/" and _LOCAL(path) else ""))


async def _redirect(send: Send, place: str, *headers: tuple[bytes, bytes]) -> None:
    shown = quote(place, safe="/?&=%#:;,+~!$'()*@[]-._").encode("ascii")
    await send({"type": "http.response.start", "status": 303, "headers": [(b"location", shown), *headers]})
    await send({"type": "http.response.body", "body": b""})


async def _posted(scope: Message, receive: Receive, send: Send, datasette: Any, door: Door, desk: Desk | None) -> None:
    visitor: Visitor = scope["fim_visitor"]
    answer = Answer(send, scope)
    try:
        fields = await _fields(scope, receive, visitor)
        back = fields.get("next", "")
        back = back if _LOCAL(back) else "/"
        if scope["path"] == "/-/login":
            await _log_in(answer, scope, door, fields, back)
        elif scope["path"] == "/-/logout":
            door.log_out(visitor)
            await _redirect(answer, "/-/login" if door.shared else "/", door.header(""))
        else:
            await _note(scope, datasette, desk, visitor, fields)
            await _redirect(answer, back.partition("#")[0] + "#notes")
    except Refusal as refusal:
        await _failed(answer, scope, datasette, refusal.status, refusal.told)


async def _log_in(answer: Send, scope: Message, door: Door, fields: Fields, back: str) -> None:
    if not door.shared:
        raise Refusal(404, "Nobody logs in here.")
    value, wait = await door.log_in(fields.get("name", ""), fields.get("password", ""), (scope.get("client") or ("?",))[0])
    if value is not None:
        await _redirect(answer, back, door.header(value))
    elif wait:
        raise Refusal(429, f"Too many wrong passwords. Wait {wait} seconds, then try again.")
    else:
        await _redirect(answer, f"/-/login?wrong=1&next={quote(back, safe='/')}")


async def _note(scope: Message, datasette: Any, desk: Desk | None, visitor: Visitor, fields: Fields) -> None:
    """Writes what the form says; Refusal where it cannot be."""
    match = _NOTES(scope["path"])
    name = tilde_decode(match[1]) if match else ""
    if desk is None or name not in desk.cases:
        raise Refusal(405, "No notes are kept here: fimforensics serve CASE --notes keeps some.")
    if visitor.name is None:
        raise Refusal(403, "Log in first.")
    try:
        await asyncio.get_running_loop().run_in_executor(None, lambda: desk.write(name, visitor.name or "", fields))
    except Misuse as misuse:
        raise Refusal(400, _sentence(misuse.line())) from None
    except Problem as problem:
        raise Refusal(409, _sentence(problem.line())) from None


def _sentence(told: str) -> str:
    return f"{told[:1].upper()}{told[1:]}. Nothing was written; go back, and what you typed is still there."


async def _fields(scope: Message, receive: Receive, visitor: Visitor) -> Fields:
    """The form's fields; Refusal for one that does not come from our own pages, or is none."""
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    kind = headers.get(b"content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Refusal(415, "Only a form of these pages can be sent.")
    _check_origin(headers)
    if visitor.fresh:
        raise Refusal(403, "The form came without its cookie. Open the page again, with cookies allowed.")
    body = await _body(headers.get(b"content-length", ""), receive)
    try:
        fields = dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=20, errors="strict"))
    except ValueError:
        raise Refusal(400, "The form cannot be read.") from None
    if not hmac.compare_digest(fields.get("token", "").encode("utf-8", "surrogatepass"), visitor.token.encode()):
        raise Refusal(403, "The form is not one of yours, or the server was started anew since. Open the page again.")
    return fields


def _check_origin(headers: dict[bytes, str]) -> None:
    """What browsers say of where a form comes from. Ours send no referrer, and with that `null` for the origin."""
    origin, site = headers.get(b"origin"), headers.get(b"sec-fetch-site")
    if site not in (None, "same-origin") or (origin not in (None, "null") and urlsplit(origin).netloc != headers.get(b"host")):
        raise Refusal(403, "The form comes from another site.")


async def _body(told: str, receive: Receive) -> bytes:
    if not told.isascii() or not told.isdigit():
        raise Refusal(411, "The form does not tell its length.")
    body = b""
    while len(told) < 10 and int(told) <= MOST_SENT:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MOST_SENT:
            break
        if message["type"] != "http.request" or not message.get("more_body"):
            return body
    raise Refusal(413, "The form is too long.")


async def _failed(send: Send, scope: Message, datasette: Any, status: int, told: str) -> None:
    await datasette.invoke_startup()
    asked = Request({**scope, "method": "GET", "csrftoken": lambda: "", "url_route": {"kwargs": {}}}, None)
    heading = "Not written" if _NOTES(scope["path"]) else "Not logged in"
    page = await datasette.render_template("error.html", {"status": status, "title": heading, "error": told}, request=asked,
                                           view_name="error")
    headers = [(b"content-type", b"text/html; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": page.encode("utf-8", "surrogateescape")})


def _cookie(scope: Message, name: str) -> str | None:
    """The visitor's cookie; None where there is none. Beside it may stand bent ones: all ports of a machine share a jar."""
    for header, value in scope["headers"]:
        for part in value.decode("latin-1").split(";") if header.lower() == b"cookie" else ():
            key, _, cookie = part.strip().partition("=")
            if key == name:
                return cookie
    return None
