"""Names: what people write finds the one thing that they mean, or says which things it may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from fimforensics import case as cases
from fimforensics.errors import Misuse, Problem
from fimforensics.queries.entities import KINDS, Entity, name, resolve, same_content
from tests.analyses.building import change, digest, made, value

RUN = "HKEY_LOCAL_MACHINE\\Software\\Microsoft\\Windows\\CurrentVersion\\Run"
ROWS = [
    change("srv-1", "08:00", "C:\\Windows\\x.dll", content="one", InitiatingProcessAccountSid="S-1-5-21-7"),
    change("srv-1", "08:01", "C:\\Windows\\only.dll", content="two", account="CONTOSO\\bob", by="C:\\Tools\\copy.exe", pid=8,
           started="07:30"),
    change("srv-2.contoso.com", "08:02", "C:\\WINDOWS\\X.DLL", content="one", account="CONTOSO\\bob", pid=8,
           started="07:31:05.5"),
    change("srv-2.contoso.com", "08:03", "/etc/ssh/sshd_config", RequestSourceIP="10.1.2.3", RequestAccountName="eve",
           RequestSourcePort="50001", pid=None, started=None, by="/usr/sbin/smbd"),
    value("srv-1", "08:04", RUN, "Updater", "a.exe"),
    value("srv-1", "08:05", RUN, "Other", "b.exe"),
    value("srv-1", "08:06", "HKLM\\System\\Keys", None, None, what="RegistryKeyCreated"),
    value("srv-2.contoso.com", "08:07", RUN, "Updater", "a.exe"),
]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory):
    with cases.reading(made(tmp_path_factory.mktemp("entities"), ROWS, analyses=None)) as found:
        yield found


@pytest.mark.parametrize(("text", "kind", "expected"), [
    ("SRV-1:c:\\windows\\X.DLL", "file", "srv-1:C:\\Windows\\x.dll"),
    ("name:srv-1:C:/Windows//x.dll", "file", "srv-1:C:\\Windows\\x.dll"),  # a host by its key, a path with other separators
    ("SRV-2:C:\\Windows\\x.dll", "file", "srv-2.contoso.com:C:\\WINDOWS\\X.DLL"),  # a host by its short name
    ("C:\\Windows\\only.dll", "file", "srv-1:C:\\Windows\\only.dll"),
    ("only.dll", "file", "srv-1:C:\\Windows\\only.dll"),
    ("srv-2:windows\\x.dll", "file", "srv-2.contoso.com:C:\\WINDOWS\\X.DLL"),
    ("ssh/sshd_config", "file", "srv-2.contoso.com:/etc/ssh/sshd_config"),
    ("srv-1:HKLM\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\updater", "registry value", f"srv-1:{RUN}\\Updater"),
    ("srv-1:HKLM:\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\Updater", "registry value", f"srv-1:{RUN}\\Updater"),
    ("srv-2:Run\\Updater", "registry value", f"srv-2.contoso.com:{RUN}\\Updater"),
    ("CurrentVersion\\Run\\Other", "registry value", f"srv-1:{RUN}\\Other"),
    ("HKEY_LOCAL_MACHINE\\SYSTEM\\keys", "registry value", "srv-1:HKLM\\System\\Keys"),
    ("srv-1:svc.exe[7]", "process", "srv-1:svc.exe[7]@2026-10-12T00:00:00"),
    ("svc.exe[8]@2026-10-12 07:31", "process", "srv-2.contoso.com:svc.exe[8]@2026-10-12T07:31:05.500"),
    ("c:\\tools\\copy.exe[8]", "process", "srv-1:copy.exe[8]@2026-10-12T07:30:00"),
    ("copy.exe", "process", "srv-1:copy.exe[8]@2026-10-12T07:30:00"),
    ("smbd[?]", "process", "srv-2.contoso.com:smbd[?]"),
    ("contoso\\BOB", "account", "CONTOSO\\bob"), ("bob", "account", "CONTOSO\\bob"), ("s-1-5-21-7", "account", "CONTOSO\\ann"),
    ("SRV-1", "host", "srv-1"), ("srv-2", "host", "srv-2.contoso.com"), ("10.1.2.3", "address", "10.1.2.3"),
    (str(digest("two"))[:8].upper(), "content", digest("two")), (str(digest("one")), "content", digest("one")),
])
def test_what_people_write(connection, text: str, kind: str, expected: str) -> None:
    found = resolve(connection, text, [kind])
    assert (found.kind, found.name) == (kind, expected)
    assert found.name == name(connection, kind, found.id)
    assert resolve(connection, f"{kind}#{found.id}") == found


def test_a_kind_need_not_be_told(connection) -> None:
    assert [resolve(connection, text).kind for text in ("1", "only.dll", "Run\\Other", "copy.exe", "bob", "srv-2", "10.1.2.3",
                                                         str(digest("two"))[:12])] == [
        "event", "file", "registry value", "process", "account", "host", "address", "content"]


def test_an_event_by_number_and_by_key(connection) -> None:
    key, number = connection.execute("SELECT event_key, id FROM events_flat WHERE change = 'RegistryKeyCreated'").fetchone()
    assert resolve(connection, key.upper()) == resolve(connection, str(number)) == Entity("event", number, str(number))


def told(connection, text: str, kinds: list[str] | None = None) -> str:
    with pytest.raises(Problem) as problem:
        resolve(connection, text, kinds)
    return problem.value.line()


def test_an_ambiguous_name_lists_what_it_may_be(connection) -> None:
    both = "'{}' may be one of 2: file srv-1:C:\\Windows\\x.dll, file srv-2.contoso.com:C:\\WINDOWS\\X.DLL. Name one of them"
    assert told(connection, "x.dll") == both.format("x.dll")
    assert told(connection, "C:\\Windows\\x.dll") == both.format("C:\\Windows\\x.dll")
    assert told(connection, "svc.exe", ["process"]) == (
        "'svc.exe' may be one of 3: process srv-1:svc.exe[7]@2026-10-12T00:00:00, process srv-2.contoso.com:svc.exe[7]"
        "@2026-10-12T00:00:00, process srv-2.contoso.com:svc.exe[8]@2026-10-12T07:31:05.500. Name one of them")


def test_things_of_one_name_are_told_apart_by_number(connection) -> None:
    numbers = [number for (number,) in connection.execute("SELECT id FROM accounts WHERE name = 'CONTOSO\\ann' ORDER BY id")]
    assert told(connection, "ann") == (
        f"'ann' may be one of 2: account#{numbers[0]} (CONTOSO\\ann), account#{numbers[1]} (CONTOSO\\ann). Name one of them")
    assert resolve(connection, f"account#{numbers[1]}").id == numbers[1]


def test_a_candidate_never_has_the_name_that_was_ambiguous(tmp_path: Path) -> None:
    rows = [change("srv-1", "08:00", "C:\\x.dll", account=account) for account in ("ann", "CONTOSO\\ann")]
    with cases.reading(made(tmp_path, rows, analyses=None)) as connection:
        alone = connection.execute("SELECT id FROM accounts WHERE name = 'ann'").fetchone()[0]
        assert told(connection, "ann") == (
            f"'ann' may be one of 2: account CONTOSO\\ann, account#{alone} (ann). Name one of them")
        assert resolve(connection, f"account#{alone}").name == "ann"


def test_many_candidates_are_counted(tmp_path: Path) -> None:
    rows = [change(f"srv-{host:02}", "08:00", "C:\\x.dll") for host in range(13)]
    with cases.reading(made(tmp_path, rows, analyses=None)) as connection:
        line = told(connection, "C:\\x.dll")
    listed = ", ".join(f"file srv-{host:02}:C:\\x.dll" for host in range(10))
    assert line == f"'C:\\x.dll' may be one of 13: {listed} and 3 more. Name one of them"


@pytest.mark.parametrize("text", ["no.such", "srv-1:no.dll", "99", "deadbeef", "'; --", "%", "*", '"', "a" * 2_000, "\x1b[2J",
                                  "file#999", "srv-9:svc.exe[7]", "[7", "@", ":", "\\", "1.2.3.4", "::1"])
def test_what_names_nothing_is_a_problem(connection, text: str) -> None:
    assert not isinstance(told(connection, text), Misuse)


@pytest.mark.parametrize(("text", "kinds"), [("", None), ("  ", None), ("a" * 2_001, None), ("file#1", ["process"])])
def test_wrong_use(connection, text: str, kinds: list[str] | None) -> None:
    with pytest.raises(Misuse):
        resolve(connection, text, kinds)


def test_what_is_not_there_has_no_name(connection) -> None:
    assert {name(connection, kind, 12345) for kind in KINDS} == {"(gone)"}


def test_every_name_leads_back(connection) -> None:
    tables = {"event": "events", "file": "files", "registry value": "registry_values", "process": "processes", "host": "hosts",
              "content": "contents", "account": "accounts"}
    for kind, table in tables.items():
        for (number,) in connection.execute(f"SELECT id FROM {table} WHERE id NOT IN (SELECT id FROM accounts WHERE "
                                            f"'{table}' = 'accounts' AND name = 'CONTOSO\\ann')").fetchall():
            assert resolve(connection, name(connection, kind, number), [kind]).id == number


def test_contents_with_a_hash_in_common_are_one(tmp_path: Path) -> None:
    sha, md5 = str(digest("a")), "ab" * 16
    rows = [change("srv-1", "08:00", "C:\\1", content="a"), change("srv-1", "08:01", "C:\\2", content="a", FileMd5=md5),
            change("srv-1", "08:02", "C:\\3", FileMd5=md5), change("srv-1", "08:03", "C:\\4", FileMd5=md5, FileSha256="cd" * 32)]
    with cases.reading(made(tmp_path, rows, analyses=None)) as connection:
        ids = [number for (number,) in connection.execute("SELECT content_id FROM events ORDER BY time")]
        assert resolve(connection, sha[:8]) == Entity("content", ids[1], sha)  # the row that tells most
        assert [same_content(connection, number) for number in ids] == [
            sorted(ids[:2]), sorted(ids[:3]), sorted(ids[1:]), sorted(ids[2:])]
