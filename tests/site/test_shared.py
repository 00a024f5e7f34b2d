"""Shared pages: nobody sees anything before he logs in, passwords cannot be tried at will, and what is written bears his name."""

from __future__ import annotations

import asyncio
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from noting import Writer  # type: ignore[import-not-found]

from fimforensics import passwords, serve
from fimforensics.cli import main
from fimforensics.errors import Misuse, Problem
from fimforensics.serve import Ways
from fimforensics.site.door import LASTS, MOST_SESSIONS, WINDOW, Attempts, Door

SECRET = "correct horse 1"


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A password file of two."""
    path = tmp_path_factory.mktemp("people") / "passwords"
    passwords.put(path, "ann", SECRET)
    passwords.put(path, "Bób o'B", SECRET + "2")
    return path


@pytest.fixture
def site(normal_case: Path, people: Path, tmp_path: Path) -> Iterator[Writer]:
    """A shared site and somebody at a browser."""
    writer = Writer([normal_case], Ways(notes=True, notes_file=tmp_path / "n.db", passwords=people))
    yield writer
    serve.close(writer.served)


def log_in(site: Writer, name: str = "ann", password: str = SECRET, **more: str) -> tuple[int, str]:
    fields = {"token": site.token("/-/login"), "name": name, "password": password, **more}
    answer = site.request("POST", "/-/login", data=fields)
    return answer.status_code, answer.headers.get("location", "")


CLOSED = ("/", "/case", "/case/events", "/case/events/1", "/case/-/findings", "/case/-/notes", "/case?sql=select+1",
          "/-/versions", "/-/plugins", "/-/settings", "/case/nothing", "//case", "/-/fimforensics", "/case/-/trace",
          "/%2D/login", "/-/loginx", "/-/login/", "/-%2Flogin", "/-/fimforensics%2F../../case")


def test_a_stranger_sees_the_login_and_nothing_else(site: Writer) -> None:
    for path in CLOSED:
        answer = site.get("http://127.0.0.1:8001" + path)
        assert (answer.status_code, answer.headers.get("location", "")[:8]) in ((303, "/-/login"), (404, "")), path
        assert "2026-17" not in answer.text and "alpha" not in answer.text


def test_a_program_without_a_login_is_refused(site: Writer) -> None:
    for path in ("/case.json", "/case/events.json", "/case/events.csv", "/case/-/notes.csv", "/case/page.json",
                 "/case/events/1/page.json", "/case/-/trace.svg", "/-/metadata.json"):
        assert site.get(path).status_code == 401, path


def test_the_login_page_tells_nothing_of_the_case(site: Writer) -> None:
    for page in (site.get("/-/login"), site.get("/-/login?wrong=1"), site.request("POST", "/-/login", data={"token": "x"})):
        assert not re.search("2026-17|normal|/case|alpha|Findings", page.text)


def test_who_logs_in_sees_writes_and_leaves(site: Writer) -> None:
    assert site.get("/case/events?x=1").headers["location"] == "/-/login?next=/case/events%3Fx%3D1"
    stranger = dict(site.jar)
    assert log_in(site, next="/case/events?x=1") == (303, "/case/events?x=1")
    assert site.jar != stranger  # nobody can give him a cookie beforehand
    page = site.get("/case/hosts/1")
    assert page.status_code == 200 and ">ann<" in page.text and "Log out" in page.text
    assert site.say("comment", "mine").status_code == 303
    assert [line.said.actor for line in site.served.desk.cases["case"].book.lines] == ["ann"]
    mine = dict(site.jar)
    assert site.request("POST", "/-/logout", data={"token": "x"}).status_code == 403
    assert site.request("POST", "/-/logout", data={"token": site.token()}).headers["location"] == "/-/login"
    site.jar = mine
    assert site.get("/case/hosts/1").status_code == 303  # the session itself has ended, not the cookie alone


def test_free_sql_is_off_and_questions_are_on(site: Writer) -> None:
    log_in(site)
    for path in ("/case?sql=select+1", "/case.json?sql=select+1", "/case.csv?sql=select+1",
                 "/case/events.json?_where=1%3D1", "/case/events?_where=1%3D1", "/case/events.csv?_where=1%3D1"):
        answer = site.get(path)
        assert answer.status_code in (400, 403) or "sql-editor" not in answer.text, path
        assert '"1": 1' not in answer.text and not re.search(r"^1\r\n1\r\n", answer.text), path
    assert site.get("/case.json?sql=select+1").status_code == 403
    assert site.get("/case").text.count("sql-editor") == 0
    assert site.get("/case/registry_changes.json").status_code == 200


def test_hashes_are_nowhere(site: Writer, people: Path) -> None:
    log_in(site)
    hashed = people.read_text().splitlines()[0].rpartition("$")[2]
    for path in ("/-/metadata", "/-/metadata.json", "/-/settings.json", "/-/plugins.json", "/-/versions.json",
                 "/-/databases.json", "/-/threads.json", "/-/config.json", "/-/actor.json", "/-/permissions",
                 "/-/allow-debug", "/case", "/"):
        answer = site.get(path)
        assert "scrypt" not in answer.text and hashed not in answer.text and people.name not in answer.text, path
    assert hashed not in repr(site.served.door.passwords)


def test_what_is_wrong_does_not_log_in(site: Writer) -> None:
    for name, password in (("ann", "wrong password"), ("ANN", SECRET), ("nobody", SECRET), ("", ""), ("ann\x00", SECRET),
                           ("ann", "x" * 5000), ("é\u202e", "ü")):
        assert log_in(site, name, password)[1].startswith("/-/login?wrong=1"), name
        assert site.get("/case").status_code == 303


def test_wrong_passwords_are_bounded(site: Writer) -> None:
    answers = [log_in(site, "ann", f"guess number {at}")[0] for at in range(7)]
    assert answers == [303] * 5 + [429] * 2
    assert log_in(site, "ann", SECRET)[0] == 429 and log_in(site, "Bób o'B", SECRET + "2")[0] == 303


def test_attempts_are_forgotten_and_their_memory_is_bounded() -> None:
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    for _ in range(5):
        attempts.wrong("ann", "10.0.0.1")
    assert attempts.wait("ann", "10.0.0.1") == WINDOW
    assert attempts.wait("ann", "10.0.0.2") == attempts.wait("bob", "10.0.0.1") == 0
    for at in range(30):
        attempts.wrong("ann", f"10.0.1.{at}")
    assert attempts.wait("ANN", "10.9.9.9") == WINDOW  # one name from many addresses
    for at in range(50):
        attempts.wrong(f"name {at}", "10.0.0.3")
    assert attempts.wait("anybody", "10.0.0.3") == WINDOW  # many names from one address
    now[0] = WINDOW
    assert attempts.wait("ann", "10.0.0.1") == 0
    for at in range(30_000):
        attempts.wrong(f"x{at}", str(at))
    assert len(attempts._wrong) <= 20_000


def test_sessions_end_and_are_bounded(people: Path) -> None:
    now = [0.0]
    door = Door(passwords.read(people), clock=lambda: now[0])

    async def came() -> str:
        value, wait = await door.log_in("ann", SECRET, "10.0.0.1")
        assert value is not None and wait == 0
        return value
    cookie = asyncio.run(came())
    assert door.visitor(cookie).name == "ann" and door.visitor("A" * 43).name is None
    now[0] = LASTS
    assert door.visitor(cookie).name is None
    door._sessions.update({bytes([at % 256, at // 256]): ("x", 1e9) for at in range(MOST_SESSIONS + 5)})
    asyncio.run(came())
    assert len(door._sessions) <= MOST_SESSIONS


# ---- the password file and its command

def test_the_password_file_is_made_by_a_command(tmp_path: Path) -> None:
    path = tmp_path / "passwords"

    def run(*words: str, typed: str = "") -> tuple[int, str]:
        result = CliRunner().invoke(main, ["password", *words], input=typed, catch_exceptions=False)
        return result.exit_code, result.stdout
    assert run(str(path), "ann", typed=f"{SECRET}\n{SECRET}\n") == (0, f"{path}: ann: added\n")
    assert run(str(path), "bob", "--stdin", typed="another one 2\n") == (0, f"{path}: bob: added\n")
    assert run(str(path), "ann", "--stdin", typed="a third one 3\n") == (0, f"{path}: ann: a new password\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    told = passwords.read(path)
    tried = (("ann", "a third one 3"), ("ann", SECRET), ("bob", "another one 2"), ("eve", SECRET))
    assert [told.allow(*who) for who in tried] == [True, False, True, False]
    assert SECRET not in path.read_text() and run(str(path), "ann", "--remove") == (0, f"{path}: ann: taken out\n")
    assert list(passwords.read(path).hashes) == ["bob"]
    for words, typed in ((("short", "--stdin"), "x\n"), (("a:b", "--stdin"), "x" * 20), (("eve", "--remove"), ""),
                         (("eve", "--stdin", "--remove"), "")):
        assert run(str(path), *words, typed=typed)[0] in (1, 2), words
    assert list(passwords.read(path).hashes) == ["bob"]


@pytest.mark.parametrize("text", [b"", b"ann\n", b"ann:secret\n", b"\xff\xfe", b"ann:$scrypt$ln=30,r=8,p=1$QQ$QQ\n",
                                  b"ann:$scrypt$ln=15,r=8,p=1$QQ$QQ\nANN:$scrypt$ln=15,r=8,p=1$QQ$QQ\n"])
def test_what_is_no_password_file_is_one_line_without_what_is_in_it(tmp_path: Path, normal_case: Path, text: bytes) -> None:
    path = tmp_path / "passwords"
    path.write_bytes(text)
    with pytest.raises(Problem) as told:
        serve.build([normal_case], Ways(passwords=path))
    assert "\n" not in told.value.line() and "secret" not in told.value.line() and "QQ" not in told.value.line()
    if text.strip():
        with pytest.raises(Problem):
            passwords.put(path, "eve", SECRET)
        assert path.read_bytes() == text


def test_wrong_ways_of_sharing_are_misuse(tmp_path: Path, normal_case: Path, people: Path) -> None:
    for words in (["--shared"], ["--password-file", str(people)], ["--host", "0.0.0.0"], ["--certificate", "x"],
                  ["--shared", "--password-file", str(people), "--certificate", "x"], ["--certificate-key", "x"],
                  ["--notes", str(normal_case)]):
        result = CliRunner().invoke(main, ["serve", str(normal_case), "--once", "--port", "0", *words], catch_exceptions=False)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1), (words, result.output)
    with pytest.raises(Misuse):
        serve.run([normal_case], host="0.0.0.0", port=0, once=True, say=lambda told: None)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of this machine, signed by itself, and its key."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
            .not_valid_before(datetime.now(UTC) - timedelta(days=1)).not_valid_after(datetime.now(UTC) + timedelta(days=1))
            .sign(key, hashes.SHA256()))
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                       serialization.NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"


def test_it_is_served_encrypted_and_says_what_is_open(tmp_path: Path, normal_case: Path, people: Path) -> None:
    said: list[str] = []
    ways = Ways(passwords=people, certificate=certificate(tmp_path))
    people.chmod(0o644)
    assert serve.run([normal_case], ways, port=0, once=True, say=said.append) == 0
    people.chmod(0o600)
    assert said[0].startswith("Serving normal.db read-only at https://127.0.0.1:")
    assert said[1] == f"Other accounts of this machine can read {people}: chmod 600 it"
    assert re.fullmatch(r"Fetched https://127\.0\.0\.1:\d+/: 200, [\d,]+ bytes, 'Log in · fimforensics'", said[2])
    with pytest.raises(Problem):
        serve.run([normal_case], Ways(passwords=people, certificate=(people, people)), port=0, once=True, say=said.append)


def test_cookies_of_encrypted_pages_never_travel_in_the_open() -> None:
    door = Door(None, "ann")
    door.secure = True
    assert door.header("x")[1].endswith(b"; HttpOnly; SameSite=Lax; Secure")
