"""The workspace behind HTTPS on loopback, with a fake sign-in endpoint beside it; in a thread or a process of its own.

In a test: `with LogServer(workspace) as server:` and then `server.url`, `server.ca` (a PEM file), `server.environment()` for a
collector run as a subprocess. Signing in works at the same address: it is Entra to `AZURE_AUTHORITY_HOST` as well.
"""

from __future__ import annotations

import gzip
import os
import ssl
import tempfile
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import dumps
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import trustme

from tests.live import bodies, tokens
from tests.live.workspace import Response, Workspace, refusal


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "/oauth2/" in self.path:
            return self._sign_in(body)
        self._send(self.server.workspace.respond(self.path, cast(Mapping[str, str], self.headers), body))

    def do_GET(self) -> None:
        if "/.well-known/" in self.path:
            return self._sign_in(b"")
        self._send(refusal(bodies.no_path()))

    def _sign_in(self, form: bytes) -> None:
        status, said = tokens.entra(self.server.workspace.key, self.server.url, self.path, form)
        self._send(Response(status, dumps(said).encode(), {"Content-Type": "application/json"}))

    def _send(self, response: Response) -> None:
        if response.way == "drop":
            self.close_connection = True
            return
        body = response.body
        packed = self.server.gzip and len(body) > 500 and "gzip" in self.headers.get("Accept-Encoding", "")
        if packed:
            body = gzip.compress(body, 1)
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if packed:
            self.send_header("Content-Encoding", "gzip")
        if response.status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if response.way == "cut":
            body, self.close_connection = body[:len(body) // 2], True
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what was asked stands in `workspace.asked`."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    workspace: Workspace
    url: str
    gzip: bool

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no news; anything else is a bug of the server and shown as such."""
        import sys
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class LogServer:
    """Serves a workspace until the end of its `with`."""

    def __init__(self, workspace: Workspace, *, folder: Path | None = None, gzip: bool = True) -> None:
        self.workspace, self.folder = workspace, folder or Path(tempfile.mkdtemp(prefix="fim-live-"))
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
        self.ca = self.folder / "ca.pem"
        authority.cert_pem.write_to_path(self.ca)
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)
        self._http.workspace, self._http.gzip = workspace, gzip
        self.port = self._http.server_address[1]
        self.url = self._http.url = f"https://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.workspace.hurry.set()
        self._http.shutdown()
        self._http.server_close()

    def environment(self, **more: str) -> dict[str, str]:
        """The environment for a collector: the fake `az` first on the PATH, the fake Entra for `--auth env`, no proxy."""
        az = tokens.write_az(self.folder / "bin", self.workspace.key)
        kept = {name: value for name, value in os.environ.items()
                if not name.upper().endswith("_PROXY") and not name.startswith("AZURE_")}
        return kept | {"PATH": f"{az}{os.pathsep}{os.environ.get('PATH', '')}", "AZURE_TENANT_ID": tokens.TENANT,
                       "AZURE_CLIENT_ID": tokens.CLIENT, "AZURE_CLIENT_SECRET": tokens.SECRET,
                       "AZURE_AUTHORITY_HOST": f"127.0.0.1:{self.port}"} | more

    def wait_for(self, asked: int, seconds: float = 60.0) -> None:
        """Waits until so many requests have come; they may still be on their way."""
        end = time.monotonic() + seconds
        while self.workspace.came < asked:
            if time.monotonic() > end:
                raise TimeoutError(f"only {self.workspace.came} of {asked} requests came")
            time.sleep(0.01)
