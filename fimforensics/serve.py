"""Cases behind read-only pages: Datasette in this process, immutable, on this machine's own address alone."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import re
import socket
import threading
import urllib.request
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from html import unescape
from pathlib import Path
from typing import Any

import uvicorn
from datasette.app import Datasette

from fimforensics.case import reading
from fimforensics.errors import Misuse, Problem
from fimforensics.site.database import CaseDatabase, changed, counts
from fimforensics.site.guard import App, local_only
from fimforensics.site.served import Served
from fimforensics.site.settings import SETTINGS, metadata, site_folder
from fimforensics.text import visible

LOOPBACK = ("127.0.0.1", "localhost", "::1")
PATIENCE = 60  # seconds for the first page, and for open pages when stopping


def build(cases: Sequence[Path], *, free_sql: bool = True) -> Datasette:
    """A Datasette over the cases, the first named `case`, the others by their files; Problem where one cannot be served.

    Without `free_sql` only the questions of metadata.yml can be asked.
    """
    if not cases:
        raise Misuse("no case to serve", hint="fimforensics serve CASE")
    known = [_counted(path) for path in cases]
    names = _names(cases)
    served = Served(
        [], memory=False, plugins_dir=str(site_folder() / "datasette_plugins"), metadata=metadata(names),
        settings={**SETTINGS, "default_allow_sql": free_sql},
        inspect_data=dict(zip(names, known, strict=True)))
    served.remove_database("_memory")
    for name, path in zip(names, cases, strict=True):
        database = CaseDatabase(served, path=str(path), is_mutable=False)
        served.add_database(database, name=name)
        changed(database)  # from now on
    return served


def _counted(path: Path) -> dict[str, Any]:
    """The case's counts, if it is one that may be served as it lies there."""
    with reading(path) as connection:
        return counts(connection, path)


def asgi(served: Datasette) -> App:
    """The app to run: inert by its plugins, and deaf to any Host but this machine."""
    return local_only(served.app())


def close(served: Datasette) -> None:
    """Give back threads and files."""
    if served.executor is not None:
        served.executor.shutdown(wait=True)
    for database in served.databases.values():
        database.close()


def run(cases: Sequence[Path], *, host: str = "127.0.0.1", port: int = 8001, once: bool = False, open_browser: bool = False,
        say: Callable[[str], object]) -> int:
    """Serve until Ctrl-C and give the exit code; `once` fetches the first page, tells what came, and stops.

    Port 0 is any free one. Misuse for a host that other machines could reach.
    """
    if host not in LOOPBACK:
        raise Misuse(f"will not serve on {visible(host)!r}: a case is served to this machine alone", hint="Leave --host out")
    served = build(cases)
    try:
        with _quiet(), contextlib.closing(_listen(host, port)) as listening:
            address = _address(host, listening)
            config = uvicorn.Config(asgi(served), log_config=None, access_log=False, server_header=False, date_header=False,
                                    timeout_graceful_shutdown=5)
            server = uvicorn.Server(config)
            say(f"Serving {', '.join(visible(path.name) for path in cases)} read-only at {address}")
            if once:
                return _once(server, listening, address, say)
            return _until_stopped(server, listening, address, open_browser, say)
    finally:
        close(served)


class _OneLine(logging.Formatter):
    """A record as one line in which nothing steers the terminal, without a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """What happened, and for an exception what it is."""
        raised = record.exc_info[1] if record.exc_info else None
        return visible(record.getMessage().strip() + (f": {type(raised).__name__}: {raised}" if raised is not None else ""))


def _is_failure(record: logging.LogRecord) -> bool:
    """Not so when a page was open while the server was stopped."""
    raised = record.exc_info[1] if record.exc_info else None
    return not isinstance(raised, asyncio.CancelledError) and "graceful shutdown exceeded" not in record.getMessage()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """While it lasts, the terminal gets one line for a failure and nothing else: asyncio warns of each reader who leaves."""
    handler = logging.StreamHandler()  # to stderr
    handler.setLevel(logging.ERROR)
    handler.setFormatter(_OneLine())
    handler.addFilter(_is_failure)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


def _until_stopped(server: uvicorn.Server, listening: socket.socket, address: str, open_browser: bool,
                   say: Callable[[str], object]) -> int:
    say("Stop with Ctrl-C")
    if open_browser:
        webbrowser.open(address)
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn passes on the Ctrl-C that it has already obeyed
        server.run(sockets=[listening])
    say("Stopped")
    return 0


def _once(server: uvicorn.Server, listening: socket.socket, address: str, say: Callable[[str], object]) -> int:
    running = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    running.start()
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never by a proxy of the environment
        with opener.open(address, timeout=PATIENCE) as answer:
            status, body = answer.status, answer.read()
    except OSError as error:
        raise Problem(f"the first page did not come ({error})", where=address) from error
    finally:
        server.should_exit = True
        running.join(PATIENCE)
    title = re.search(r"<title>(.*?)</title>", body.decode("utf-8", "replace"), re.S)
    say(f"Fetched {address}: {status}, {len(body):,} bytes, {visible(unescape(title.group(1))) if title else 'no title'!r}")
    return 0


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows, where reuse would let two programs share the port
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        in_use = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        raise Problem(f"port {port} is in use" if in_use else f"cannot listen on port {port} ({error})", where=host,
                      hint="Another one: --port 0 takes any that is free") from None
    listening.listen(128)  # from here on a connection waits instead of being refused
    return listening


def _address(host: str, listening: socket.socket) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}/"


def _names(cases: Sequence[Path]) -> list[str]:
    """`case` for the first, then the files' stems; a name that is taken gets a number, and none starts with `_`."""
    names = ["case"]
    for path in cases[1:]:
        stem = re.sub(r"[^\w-]+", "-", path.stem).strip("-_") or "case"
        number, name = 2, stem
        while name in names:
            name, number = f"{stem}-{number}", number + 1
        names.append(name)
    return names
