"""The guard around the app: who is let in, and what goes out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from conftest import Browser  # type: ignore[import-not-found]

from fimforensics.site.guard import headers, local_only, safe_rows, visible_page


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:8001", 200),
        ("localhost:1", 200),
        ("LOCALHOST", 200),
        ("[::1]:8001", 200),
        ("[::1]", 200),
        ("evil.example", 421),
        ("evil.example:8001", 421),
        ("127.0.0.1.evil.example", 421),
        ("127.0.0.1:8001@evil.example", 421),
        ("localhost.", 421),
        ("", 421),
        ("127.0.0.1:", 421),
        ("127.0.0.1:x", 421),
        ("::1", 421),
        ("0.0.0.0", 421),
    ],
)
def test_host(normal: Browser, host: str, status: int) -> None:
    assert normal.get("/", headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    "path", ["/\\evil.example/", "/%5Cevil.example/", "/case%0d%0aSet-Cookie:x", "/%00", "/case/%1b[2J", "/x%7f"]
)
def test_paths_that_no_page_has(normal: Browser, path: str) -> None:
    answer = normal.get(path)
    assert (answer.status_code, "location" in answer.headers) == (400, False)


@pytest.mark.parametrize("path", ["//evil.example/", "//evil.example/%2e%2e/", "/case/", "/case/events/", "/evil%2Fexample"])
def test_redirects_stay_here(normal: Browser, path: str) -> None:
    target = normal.get("http://127.0.0.1:8001" + path).headers.get("location", "/")
    assert target.startswith("/") and not target.startswith(("//", "/\\"))


@pytest.mark.parametrize(
    "page",
    [
        "metadata",
        "metadata.json",
        "databases",
        "databases.json",
        "threads",
        "threads.json",
        "messages",
        "patterns",
        "allow-debug",
        "permissions",
        "actor",
        "auth-token",
        "logout",
        "config",
        "unknown",
        "",
    ],
)
def test_internals_are_closed(normal: Browser, page: str) -> None:
    for path in (f"/-/{page}", f"//-/{page}", f"/%2D/{page}", f"/-%2F{page}"):
        assert normal.get("http://127.0.0.1:8001" + path).status_code in (302, 404), path
    assert normal.get(f"/-/{page}").status_code == 404


def test_internals_that_tell_versions_are_open(normal: Browser) -> None:
    assert [
        normal.get(f"/-/{page}").status_code for page in ("versions", "settings.json", "plugins", "fimforensics/site.css")
    ] == [200] * 4


def test_security_headers_are_everywhere(normal: Browser) -> None:
    for path in (
        "/",
        "/case/events",
        "/case/events.json",
        "/case/events.csv",
        "/nothing",
        "/-/metadata",
        "/-/fimforensics/site.css",
        "/case?sql=select",
        "/favicon.ico",
    ):
        found = normal.get(path).headers
        policy = found["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy, path
        assert (found["x-content-type-options"], found["referrer-policy"]) == ("nosniff", "no-referrer")
        assert (found["cross-origin-opener-policy"], found["cross-origin-resource-policy"]) == ("same-origin", "same-origin")
        assert len(found.get_list("content-security-policy")) == 1
    assert normal.get("/case/events?_ttl=9999").headers["cache-control"] == "no-store"


def test_options_tells_that_there_is_only_reading(normal: Browser) -> None:
    answer = normal.request("OPTIONS", "/case")
    assert (answer.status_code, answer.headers["allow"], answer.content) == (204, "GET, HEAD, OPTIONS", b"")
    assert "access-control-allow-origin" not in answer.headers


def test_head_has_no_body(normal: Browser) -> None:
    answer = normal.request("HEAD", "/case/events")
    assert (answer.status_code, answer.content) == (200, b"")


def test_cookies_are_not_for_scripts() -> None:
    found = headers(
        [(b"set-cookie", b"ds_actor=x; Path=/"), (b"set-cookie", b"a=b; HttpOnly"), (b"x-frame-options", b"ALLOW")], "/"
    )
    assert [value for name, value in found if name == b"set-cookie"] == [b"ds_actor=x; Path=/; HttpOnly", b"a=b; HttpOnly"]
    assert [value for name, value in found if name == b"x-frame-options"] == [b"DENY"]


def test_a_page_is_made_visible() -> None:
    assert (
        visible_page("a\tb\r\nc\x1b[31m\u202ed\rе\u2028\ufeff".encode()) == "a\tb\nc\\x1b[31m\\u202ed\\rе\\u2028\\ufeff".encode()
    )
    assert visible_page(b"ok \xff\xfe") == rb"ok \xff\xfe"


def test_a_row_is_made_safe() -> None:
    assert safe_rows(b"") == b""
    assert safe_rows(b'=1,"a ""b""\r\nc",-5,plain,"@x"\r\n') == b'\'=1,"a ""b""\\r\\nc",\'-5,plain,\'@x\r\n'


def test_other_traffic_passes_untouched(normal: Browser) -> None:
    seen: list[dict[str, Any]] = []

    async def run() -> None:
        messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

        async def receive() -> dict[str, Any]:
            return next(messages)

        async def send(message: dict[str, Any]) -> None:
            seen.append(message)

        await normal.app({"type": "lifespan"}, receive, send)

    asyncio.run(run())
    assert [message["type"] for message in seen] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("server.example", 200),
        ("SERVER.example:8001", 200),
        ("10.0.0.5:8001", 200),
        ("[fe80::1]:8001", 200),
        ("127.0.0.1", 200),
        ("evil.example", 421),
        ("10.0.0.5.evil.example", 421),
        ("server.example@evil.example", 421),
        ("server.example.", 421),
        ("[evil.example]", 421),
        ("", 421),
    ],
)
def test_names_of_a_machine_that_others_reach(host: str, status: int) -> None:
    """Where pages are shared from an address of the network: its names and addresses in figures, and no foreign site's name."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ask() -> int:
        seen: list[dict[str, Any]] = []

        async def send(message: Any) -> None:
            seen.append(message)

        scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", host.encode())]}
        await local_only(app, ["server.example"])(scope, None, send)  # type: ignore[arg-type]  # nothing is received
        return int(seen[0]["status"])

    assert asyncio.run(ask()) == status


def test_a_script_that_another_asks_for_is_never_an_old_one(normal: Browser) -> None:
    kept = {path: normal.get(f"/-/fimforensics/{path}").headers["cache-control"]
            for path in ("site.js?0123", "picture.js", "tour.js")}
    assert kept == {"site.js?0123": "max-age=86400", "picture.js": "no-cache", "tour.js": "no-cache"}
