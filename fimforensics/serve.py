"""Cases behind read-only pages: Datasette in this process, immutable, on this machine's own address alone."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import re
import socket
import ssl
import threading
import urllib.request
import warnings
import webbrowser
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import uvicorn

from fimforensics import passwords
from fimforensics.case import reading
from fimforensics.errors import Misuse, Problem
from fimforensics.evidence.custody import actor
from fimforensics.notes.binding import of_case
from fimforensics.notes.book import Book
from fimforensics.site.database import CaseDatabase, changed, counts
from fimforensics.site.desk import Desk
from fimforensics.site.door import Door
from fimforensics.site.forms import around
from fimforensics.site.guard import App, local_only
from fimforensics.site.served import Served
from fimforensics.site.settings import SETTINGS, metadata, site_folder
from fimforensics.text import visible

LOOPBACK = ("127.0.0.1", "localhost", "::1")
PATIENCE = 60  # seconds for the first page, and for open pages when stopping


@dataclass(frozen=True)
class Ways:
    """How cases are served: with notes (in a file other than the one beside the case), to whom, and from where.

    With `passwords` only to who logs in, and without free SQL; only then may other machines reach the pages. `owner` is who
    writes notes where nobody logs in.
    """

    notes: bool = False
    notes_file: Path | None = None
    passwords: Path | None = None
    owner: str = field(default_factory=actor)
    certificate: tuple[Path, Path] | None = None  # and its key


def build(cases: Sequence[Path], ways: Ways | None = None, *, free_sql: bool = True) -> Served:
    """A Datasette over the cases, the first named `case`, the others by their files; Problem where one cannot be served.

    Without `free_sql`, and on shared pages, only the questions of metadata.yml can be asked.
    """
    ways = ways or Ways()
    known_people = passwords.read(ways.passwords) if ways.passwords else None
    if not cases:
        raise Misuse("no case to serve", hint="fimforensics serve CASE")
    known = [_counted(path) for path in cases]
    names = _names(cases)
    served = Served(
        [], memory=False, plugins_dir=str(site_folder() / "datasette_plugins"), metadata=metadata(names),
        settings={**SETTINGS, "default_allow_sql": free_sql and known_people is None},
        inspect_data=dict(zip(names, known, strict=True)))
    served.remove_database("_memory")
    for name, path in zip(names, cases, strict=True):
        database = CaseDatabase(served, path=str(path), is_mutable=False)
        served.add_database(database, name=name)
        changed(database)  # from now on
    if ways.notes or known_people is not None:
        served.door = Door(known_people, None if known_people else ways.owner)
    if ways.notes:
        served.desk = Desk()
        _open_notes(served.desk, dict(zip(names, cases, strict=True)), ways.notes_file)
    return served


def _open_notes(desk: Desk, cases: Mapping[str, Path], file: Path | None) -> None:
    """Each case's notes; a file that is named belongs to the case whose id it has, a new one to the first."""
    owner = next(iter(cases))
    if file is not None and file.exists() and len(cases) > 1:
        ids = Book(file).case_ids
        owner = next((name for name, path in cases.items() if ids & _came_from(path)), owner)
    for name, path in cases.items():
        desk.open(name, path, file if name == owner else None)


def _came_from(path: Path) -> frozenset[str]:
    with reading(path) as connection:
        return of_case(connection, path).came_from


def _counted(path: Path) -> dict[str, Any]:
    """The case's counts, if it is one that may be served as it lies there."""
    with reading(path) as connection:
        (_,) = connection.execute("SELECT id FROM case_info").fetchall()  # else `reading` says what is wrong
        return counts(connection, path)


def asgi(served: Served) -> App:
    """The app to run: inert by its plugins, deaf to any Host but this machine, taking forms only where some are to be sent."""
    app = served.app()
    if served.door is not None:
        app = around(app, served, served.door, served.desk)
    return local_only(app, served.names)


def close(served: Served) -> None:
    """Give back threads and files."""
    if served.executor is not None:
        served.executor.shutdown(wait=True)
    for database in served.databases.values():
        database.close()


def run(cases: Sequence[Path], ways: Ways | None = None, *, host: str = "127.0.0.1", port: int = 8001, once: bool = False,
        open_browser: bool = False, say: Callable[[str], object]) -> int:
    """Serve until Ctrl-C and give the exit code; `once` fetches the first page, tells what came, and stops.

    Port 0 is any free one. Misuse for a host that other machines could reach, unless one must log in.
    """
    ways = ways or Ways()
    if host not in LOOPBACK and ways.passwords is None:
        raise Misuse(f"will not serve on {visible(host)!r}: a case is served to this machine alone",
                     hint="Leave --host out, or let people log in: --shared --password-file FILE")
    served = build(cases, ways)
    try:
        with _quiet(), contextlib.closing(_listen(host, port)) as listening:
            address = _address(host, listening, ways.certificate is not None)
            server = uvicorn.Server(_config(served, host, listening, ways))
            for line in _introduced(served, cases, address, host, ways):
                say(line)
            if once:
                return _once(server, listening, address, say)
            return _until_stopped(server, listening, address, open_browser, say)
    finally:
        close(served)


def _config(served: Served, host: str, listening: socket.socket, ways: Ways) -> uvicorn.Config:
    """The server's settings; cookies carry the port, for browsers keep one jar for all ports of a machine."""
    if served.door is not None:
        served.door.cookie_name = f"fimforensics_{listening.getsockname()[1]}"
        served.door.secure = ways.certificate is not None
    if host not in LOOPBACK:
        served.names = tuple({host, socket.gethostname(), socket.getfqdn()})
    certificate, key = ways.certificate or (None, None)
    try:
        config = uvicorn.Config(asgi(served), log_config=None, access_log=False, server_header=False, date_header=False,
                                timeout_graceful_shutdown=5, ssl_certfile=certificate, ssl_keyfile=key)
        config.load()
    except OSError as error:
        raise Problem(f"the certificate cannot be used ({error.strerror or error})", where=str(certificate),
                      hint="A certificate and its key, both in PEM") from None
    return config


def _introduced(served: Served, cases: Sequence[Path], address: str, host: str, ways: Ways) -> Iterator[str]:
    """What is served where, whose notes are kept, and what whoever started it should know."""
    yield f"Serving {', '.join(visible(path.name) for path in cases)} read-only at {address}"
    for noted in served.desk.cases.values() if served.desk else ():
        yield f"Notes in {visible(str(noted.book.path))}: {visible(noted.summary)}"
    if ways.passwords and passwords.readable_by_others(ways.passwords):
        yield f"Other accounts of this machine can read {visible(str(ways.passwords))}: chmod 600 it"
    if host not in LOOPBACK and ways.certificate is None:
        yield "Pages and passwords travel unencrypted: --certificate FILE --certificate-key FILE encrypt them"


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
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)  # where a page fails early
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
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),  # never by a proxy of the environment
                                             urllib.request.HTTPSHandler(context=ssl._create_unverified_context()))  # our own
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
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # so asyncio sends small answers without delay
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


def _address(host: str, listening: socket.socket, encrypted: bool = False) -> str:
    return f"http{'s' * encrypted}://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}/"


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
