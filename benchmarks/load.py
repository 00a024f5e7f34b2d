"""Mixed requests at a served case, many at once: pages of every kind, and all that should write, break out or break down.

    python benchmarks/load.py CASE [--requests 100000] [--concurrency 16] [--notes]

The server is a process of its own on 127.0.0.1. Afterwards the case has the same SHA-256 and its folder the same files, no
answer was a 500, everything that tried to write was refused, and the memory of the server is what it was after the first tenth.
Exit code 1 where one of these does not hold. The same seed sends the same requests.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import h11
import psutil

PATIENCE = 120  # seconds for one answer, and for the start
TABLES = ("events", "files", "registry_values", "contents", "processes", "accounts", "hosts", "findings")
PAGES = ("/", "/case", "/case/page.json", "/case/-/findings", "/case/-/coverage", "/case/-/evidence", "/case/-/compare",
         "/case/-/search", "/case/-/explore", "/case/-/trace", "/case/registry_changes", "/case/events_flat",
         "/case/snapshots", "/-/versions", "/case/-/findings/page.json", "/case/custody_log", "/-/fimforensics/site.css")
WORDS = ("sshd", "system32", "run", "svc", "3cfd", "root", "'", '"', "%", "* OR", "\u202e", "zzz", "(", "NEAR/2", "x" * 300)
WRITES = ("ATTACH '{t}' AS x", "ATTACH ':memory:' AS x", "VACUUM INTO '{t}'", "VACUUM", "PRAGMA journal_mode=WAL",
          "PRAGMA query_only=0", "PRAGMA user_version=9", "PRAGMA writable_schema=1", "CREATE TEMP TABLE t(x)",
          "CREATE TABLE t(x)", "DROP TABLE events", "DELETE FROM events", "UPDATE hosts SET name='x'",
          "INSERT INTO hosts(key,name) VALUES(1,1)", "REINDEX", "ANALYZE", "WITH x AS (SELECT 1) DELETE FROM hosts",
          "WITH x AS (SELECT 1) INSERT INTO hosts(key,name) SELECT 1,1", "SELECT writefile('{t}','x')",
          "SELECT load_extension('x')", "SELECT readfile('/etc/passwd')", "SELECT edit('x')", "SELECT fts3_tokenizer('x')",
          "INSERT INTO hosts_fts(hosts_fts) VALUES('rebuild')", "SELECT 1; DELETE FROM hosts", "/* x */ DELETE FROM hosts",
          "EXPLAIN DELETE FROM hosts", "BEGIN IMMEDIATE", "ALTER TABLE hosts ADD COLUMN x", "DETACH main")
EVIL = ("origin", "http://evil.example")
HEAVY = ("SELECT printf('%.*c',500000000,'x')", "SELECT zeroblob(900000000)", "SELECT hex(randomblob(1000000))",
         "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n) SELECT max(x) FROM n LIMIT 1")
TRICKS = ("/\\evil.example/", "/%5Cevil.example/", "//evil.example/", "/case%0d%0aSet-Cookie:x", "/%00",
          "/case/../../etc/passwd", "/-/fimforensics/../../../etc/passwd", "/-/fimforensics/%2e%2e/%2e%2e/etc/passwd",
          "/-/static/../app.py", "/-/metadata", "/-/metadata.json", "/-/databases", "/-/threads", "/-/messages",
          "/-/allow-debug", "/-/permissions", "/-/logout", "/-/login", "/_internal", "/_internal/tables", "/_memory",
          "/case.db", "/case/events.db", "/case/-/create", "/%2D/metadata", "/case/%ff", "/case/events/" + "9" * 40,
          "/case/events/-1", "/case/" + "a" * 5000, "/case/events?_size=999999999", "/case/events?_sort=nope",
          "/case/events?_facet=nope", "/case/events?_next=x", "/case/events/1.blob?_blob_column=match_key",
          "/case/events?_where=1)--", "/case/-/trace?of=" + "x" * 900, "/case/-/notes", "/case/-/explore?of=%00",
          "/case?sql=" + "(" * 900)


@dataclass(frozen=True)
class Ask:
    """One request; `writes` if it tries to, and then every answer of 200 or a redirect to what it wrote is wrong."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    writes: bool = False


@dataclass
class Came:
    """What came of it."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)  # bytes, at each tenth


def asks(seed: int, count: int, numbers: dict[str, int], stolen: Path) -> Iterator[Ask]:
    """The requests: six in ten read, the others try something."""
    draw = random.Random(seed)
    for _ in range(count):
        kind = draw.random()
        if kind < 0.6:
            yield Ask(draw.choice(("GET",) * 19 + ("HEAD",)), _page(draw, numbers))
        elif kind < 0.78:
            sql = quote(draw.choice(WRITES).format(t=stolen))
            target = draw.choice(("/case?sql=", "/case.json?sql=", "/case.csv?sql=", "/case/events?_where=",
                                  "/case/events.json?_where="))
            yield Ask("GET", target + sql, writes="_where" not in target)
        elif kind < 0.783:
            yield Ask("GET", "/case.json?sql=" + quote(draw.choice(HEAVY)))
        elif kind < 0.87:
            yield Ask("GET", draw.choice(TRICKS))
        else:
            yield _sent(draw, numbers)


def _page(draw: random.Random, numbers: dict[str, int]) -> str:
    table = draw.choice(TABLES)
    number = draw.randint(1, max(1, numbers[table]))
    host, word = draw.randint(1, max(1, numbers["hosts"])), quote(draw.choice(WORDS))
    return draw.choice((
        f"/case/{table}/{number}", f"/case/{table}/{number}", f"/case/{table}/{number}/page.json", f"/case/{table}",
        draw.choice(PAGES), f"/case/{table}.json?_size=20", f"/case/{table}?_search={word}", f"/case/-/search?q={word}",
        f"/case/events?host_id={host}", f"/case/events?host_id={host}&_facet=change_id", "/case/events?_sort_desc=time",
        f"/case/-/findings?host={host}", f"/case/-/trace?of=file%23{draw.randint(1, max(1, numbers['files']))}",
        f"/case/files.csv?host_id={host}", f"/case/-/compare?host={host}", f"/case/one_machine?host={word}",
        f"/case/events?time__gte=2026-09-0{draw.randint(1, 9)}"))


def _sent(draw: random.Random, numbers: dict[str, int]) -> Ask:
    """A request that would write, come from elsewhere, or is bent."""
    form = (("content-type", "application/x-www-form-urlencoded"),)
    note = f"token={'0' * 64}&do=star&table=hosts&number={draw.randint(1, numbers['hosts'] or 1)}&next=//evil.example".encode()
    return draw.choice((
        Ask(draw.choice(("POST", "PUT", "PATCH", "DELETE")), draw.choice(PAGES[1:]), form, b"a=b", True),
        Ask("POST", "/case/-/notes", form, note, True),
        Ask("POST", "/case/-/notes", (*form, ("cookie", f"fimforensics={'A' * 43}")), note, True),
        Ask("POST", "/case/-/notes", (*form, ("cookie", "ds_csrftoken=x; fimforensics_8001=\"\\"), EVIL), note, True),
        Ask("POST", "/case/-/notes", (("content-type", "application/json"), ("authorization", "Bearer x")), b"{}", True),
        Ask("POST", "/case/-/notes", form, b"\xff" * draw.randint(1, 3000), True),
        Ask("POST", "/-/login", form, b"name=root&password=x", True),
        Ask("POST", "/-/logout", form, b"", True),
        Ask("GET", "/case/events", (("host", draw.choice(("evil.example", "127.0.0.1.evil.example", "localhost.", "")),),)),
        Ask("GET", "/case", (("cookie", draw.choice(("ds_actor=x", "ds_actor=.e.e.", "\x01=\x02", "a" * 8000))),)),
        Ask("GET", "/case", (("x-forwarded-host", "evil.example"), ("x-original-url", "/-/metadata"))),
        Ask("OPTIONS", "/case", (EVIL, ("access-control-request-method", "POST"))),
        Ask("GET", "/case/events.json", (("range", "bytes=0-1"), ("if-none-match", "*"), ("accept-encoding", "gzip")))))


async def _client(port: int, queue: Iterator[Ask], came: Came, progress: list[int], process: psutil.Process, tenth: int) -> None:
    """One of many that ask at once, over a connection that is kept as long as the server keeps it."""
    line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    http = h11.Connection(h11.CLIENT)
    for ask in queue:
        for again in (False, True):
            if line is None:
                line, http = await asyncio.open_connection("127.0.0.1", port), h11.Connection(h11.CLIENT)
            try:
                status = await asyncio.wait_for(_answer(line, http, ask, port), PATIENCE)
                break
            except (OSError, h11.RemoteProtocolError) as error:
                line[1].close()
                line = None
                if again:
                    came.wrong.append(f"{ask.method} {ask.target[:200]}: no answer ({error!r})")
                    status = 0
        came.statuses[status] += 1
        if status >= 500 or (ask.writes and status < 400):
            came.wrong.append(f"{ask.method} {ask.target[:200]}: {status}")
        if line is not None and http.our_state is h11.DONE and http.their_state is h11.DONE:
            http.start_next_cycle()
        elif line is not None:
            line[1].close()
            line = None
        progress[0] += 1
        if progress[0] % tenth == 0:
            came.memory.append(process.memory_info().rss)
    if line is not None:
        line[1].close()


async def _answer(line: tuple[asyncio.StreamReader, asyncio.StreamWriter], http: h11.Connection, ask: Ask, port: int) -> int:
    told = dict(ask.headers)
    headers = [("host", told.pop("host", f"127.0.0.1:{port}")), ("content-length", str(len(ask.body))), *told.items()]
    head = [f"{ask.method} {quote(ask.target, safe=_AS_IT_IS)} HTTP/1.1", *(f"{name}: {cell}" for name, cell in headers), "", ""]
    line[1].write("\r\n".join(head).encode("latin-1", "replace") + ask.body)  # by hand: a proper client would refuse to send it
    http.send(h11.Request(method=ask.method, target="/", headers=[("host", "x"), ("content-length", "0")]))
    http.send(h11.EndOfMessage())
    status = 0
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await line[0].read(65536))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            return status


_AS_IT_IS = "".join(chr(code) for code in range(33, 127))


def state(folder: Path) -> dict[str, str]:
    """The files of a folder and their SHA-256."""
    found = {}
    for path in sorted(folder.iterdir()):
        if path.is_file():
            with path.open("rb") as stream:
                found[path.name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found


def hammer(case: Path, requests: int, concurrency: int, notes: Path | None = None, seed: int = 1) -> Came:
    """Serves the case, sends the requests, and gives what came of it; `wrong` says all that should not have been."""
    before = state(case.parent)
    with sqlite3.connect(case.absolute().as_uri() + "?mode=ro&immutable=1", uri=True) as connection:
        numbers = {table: int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in TABLES}
    connection.close()
    words = [sys.executable, "-m", "fimforensics", "serve", str(case), "--port", "0", *(["--notes", str(notes)] if notes else [])]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert server.stdout is not None and server.stderr is not None
    came = Came()
    try:
        while "Stop with" not in (said := server.stdout.readline()):
            if " at http" in said:
                port = int(said.rstrip("/\n ").rpartition(":")[2])
            elif not said:
                raise SystemExit(server.stderr.read())
        queue = asks(seed, requests, numbers, case.parent / "stolen.db")
        asyncio.run(_all(port, queue, came, psutil.Process(server.pid), max(1, requests // 10), concurrency))
    finally:
        server.send_signal(signal.SIGINT)
        _, complained = server.communicate(timeout=PATIENCE)
    came.wrong += [f"the server said: {line}" for line in complained.splitlines()[:5]]
    if state(case.parent) != before:
        came.wrong.append("the case or its folder is not as it was")
    if notes is not None and _entries(notes):
        came.wrong.append("a note was written")
    return came


async def _all(port: int, queue: Iterator[Ask], came: Came, process: psutil.Process, tenth: int, concurrency: int) -> None:
    progress = [0]
    await asyncio.gather(*(_client(port, queue, came, progress, process, tenth) for _ in range(concurrency)))


def _entries(notes: Path) -> int:
    with sqlite3.connect(notes) as connection:
        found = int(connection.execute("SELECT count(*) FROM entries").fetchone()[0])
    connection.close()
    return found


def grown(memory: list[int]) -> float:
    """The most memory of the second half against the most of the second to the fifth tenth: the first one warms up."""
    half = len(memory) // 2
    return max(memory[half:]) / max(memory[1:half] or memory[:1])


def main() -> int:
    """Prints what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", type=Path)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--notes", action="store_true", help="with notes kept, which nobody is allowed to write here")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        came = hammer(told.case, told.requests, told.concurrency, Path(folder) / "notes.db" if told.notes else None)
    print(f"{sum(came.statuses.values()):,} requests, {told.concurrency} at once: "
          + ", ".join(f"{number:,} × {status}" for status, number in sorted(came.statuses.items())))
    sizes = " ".join(str(size >> 20) for size in came.memory)
    print(f"memory at each tenth, MiB: {sizes} (grown × {grown(came.memory):.2f})")
    for line in sorted(set(came.wrong))[:20]:
        print(f"WRONG: {line}")
    steady = grown(came.memory) < 1.15
    good = steady and not came.wrong
    print("the case and its folder are as before, nothing was written, no 500, memory flat" if good else "FAILED")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
