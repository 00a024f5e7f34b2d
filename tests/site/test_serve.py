"""What is served, what is refused, and that serving leaves no trace."""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from conftest import Browser, empty_case, fill  # type: ignore[import-not-found]

from fimforensics import serve
from fimforensics.errors import Misuse, Problem


def folder(path: Path) -> dict[str, str]:
    """The files of a folder and their SHA-256."""
    return {found.name: hashlib.sha256(found.read_bytes()).hexdigest() for found in sorted(path.iterdir())}


def test_names_of_several_cases(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    paths = [
        empty_case(tmp_path / "one.db"),
        empty_case(tmp_path / "two.db"),
        empty_case(tmp_path / "x" / "two.db"),
        empty_case(tmp_path / "_internal.db"),
        empty_case(tmp_path / "case.db"),
    ]
    served = serve.build(paths)
    assert [name for name in served.databases if name != "_internal"] == ["case", "two", "two-2", "internal", "case-2"]
    serve.close(served)


@pytest.mark.parametrize("name", ["case #1 ?.db", "100% sure & más 案.db", "a;b'c.db"])
def test_any_path_serves_this_very_file_and_makes_no_other(tmp_path: Path, name: str) -> None:
    if "?" in name and os.name != "posix":
        pytest.skip("no such file name on Windows")
    path = fill(tmp_path / name, ["alpha"])
    before = folder(tmp_path)
    browser = Browser([path])
    assert browser.get("/case/events.json?_shape=array").json()[0]["new_data"] == "alpha"
    assert browser.get("/").status_code == 200
    serve.close(browser.served)
    assert folder(tmp_path) == before


def sqlite_file(path: Path, *statements: str) -> Path:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path


def test_what_is_no_case_is_refused_in_one_line(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("hello" * 100)
    version = empty_case(tmp_path / "version.db")
    sqlite_file(version, "PRAGMA user_version = 99")
    wal = empty_case(tmp_path / "wal.db")
    sqlite_file(wal, "PRAGMA journal_mode = WAL")
    side = empty_case(tmp_path / "side.db")
    (tmp_path / "side.db-wal").write_bytes(b"x")
    stopped = empty_case(tmp_path / "stopped.db")
    (tmp_path / "stopped.db-journal").write_bytes(b"x" * 600)
    trigger = empty_case(tmp_path / "trigger.db")
    sqlite_file(trigger, "CREATE TRIGGER t AFTER INSERT ON hosts BEGIN SELECT 1; END")
    view = empty_case(tmp_path / "view.db")
    sqlite_file(view, "DROP VIEW events_flat", "CREATE VIEW events_flat AS SELECT randomblob(1) AS id")
    other = sqlite_file(tmp_path / "other.db", "CREATE TABLE t (x)")
    before = folder(tmp_path)
    for path in (tmp_path / "missing.db", tmp_path, text, other, version, wal, side, stopped, trigger, view):
        with pytest.raises(Problem) as told:
            serve.build([path])
        assert str(path) in told.value.line() and "\n" not in told.value.line()
    assert folder(tmp_path) == before


def test_nothing_to_serve_is_misuse() -> None:
    with pytest.raises(Misuse):
        serve.build([])


def test_other_machines_are_misuse(normal_case: Path) -> None:
    for host in ("0.0.0.0", "192.168.1.2", "example.org", "::"):
        with pytest.raises(Misuse):
            serve.run([normal_case], host=host, port=0, once=True, say=lambda told: None)


def test_once_fetches_the_first_page_and_says_so(normal_case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # must not be asked
    before = folder(normal_case.parent)
    said: list[str] = []
    assert serve.run([normal_case], port=0, once=True, say=said.append) == 0
    assert re.fullmatch(r"Serving normal\.db read-only at http://127\.0\.0\.1:\d+/", said[0])
    assert re.fullmatch(r"Fetched http://127\.0\.0\.1:\d+/: 200, [\d,]+ bytes, '2026-17: case · fimforensics'", said[1])
    assert len(said) == 2
    assert folder(normal_case.parent) == before


def test_a_port_in_use_is_one_line(normal_case: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Problem) as told:
            serve.run([normal_case], port=port, say=lambda line: None)
    assert told.value.line() == f"127.0.0.1: port {port} is in use. Another one: --port 0 takes any that is free"


STOPPED = """
import sys
from pathlib import Path
from fimforensics import serve
sys.exit(serve.run([Path(sys.argv[1])], port=0, say=lambda told: print(told, flush=True)))
"""


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGINT to send to another process")
def test_ctrl_c_ends_cleanly(normal_case: Path) -> None:
    running = subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(normal_case)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    address = running.stdout.readline().rpartition(" ")[2].strip()
    assert running.stdout.readline() == "Stop with Ctrl-C\n"
    connection = http.client.HTTPConnection(address.split("/")[2], timeout=20)
    connection.request("GET", "/")
    assert connection.getresponse().status == 200
    connection.close()
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert (running.returncode, out, err) == (0, "Stopped\n", "")


def test_a_port_that_is_none_is_one_line(normal_case: Path) -> None:
    with pytest.raises(Problem):
        serve.run([normal_case], port=70_000, say=lambda line: None)


def test_over_a_real_socket_the_guard_stands_too(normal_case: Path) -> None:
    served = serve.build([normal_case])
    with serve._listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        server = serve.uvicorn.Server(serve.uvicorn.Config(serve.asgi(served), log_config=None, access_log=False))
        running = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        running.start()
        found = []
        for method, path, host in (
            ("GET", "/", "127.0.0.1"),
            ("GET", "/", "evil.example"),
            ("POST", "/case", "localhost"),
            ("GET", "/\\evil.example/", "localhost"),
            ("HEAD", "/case/events", "localhost"),
        ):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request(method, path, headers={"Host": f"{host}:{port}"})
            answer = connection.getresponse()
            found.append((answer.status, answer.getheader("x-content-type-options"), method == "HEAD" and answer.read()))
            connection.close()
        server.should_exit = True
        running.join(20)
    serve.close(served)
    assert found == [
        (200, "nosniff", False),
        (421, "nosniff", False),
        (405, "nosniff", False),
        (400, "nosniff", False),
        (200, "nosniff", b""),
    ]


def test_the_terminal_gets_one_line_for_a_failure_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    with serve._quiet():
        logging.getLogger("asyncio").warning("socket.send() raised exception.")
        logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
        logging.getLogger("fimforensics.serve").info("GET /nothing: 404")
        assert capsys.readouterr().err == ""
        logging.getLogger("fimforensics.serve").error("GET /\x1b[2J\nx: 500")
        try:
            raise ValueError("evidence\x1b[31m\nmore")
        except ValueError:
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
    assert capsys.readouterr().err.splitlines() == [
        "GET /\\x1b[2J\\nx: 500",
        "Exception in ASGI application: ValueError: evidence\\x1b[31m\\nmore",
    ]
    assert not any(isinstance(handler.formatter, serve._OneLine) for handler in logging.getLogger().handlers)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGINT to send to another process")
def test_readers_who_leave_are_no_news(tmp_path: Path) -> None:
    path = fill(tmp_path / "case.db", ["alpha"])
    running = subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    port = int(running.stdout.readline().rpartition(":")[2].strip().strip("/"))
    assert running.stdout.readline() == "Stop with Ctrl-C\n"
    endless = "/case.csv?sql=with+recursive+n(x)+as+(select+1+union+all+select+x%2B1+from+n)+select+x+from+n"
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(f"GET {endless} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/case/hosts.csv")
    assert connection.getresponse().read().count(b"\r\n") == 2
    connection.close()
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert (running.returncode, out, err) == (0, "Stopped\n", "")
