"""The relations of small cases, whole, with names for ids."""

from __future__ import annotations

from pathlib import Path

import pytest
from building import change, digest, made, rows, value

from fimforensics.analyze import analyze

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
NAMES = """CASE r.{0}_kind WHEN 'account' THEN (SELECT name FROM accounts WHERE id = r.{0}_id)
    WHEN 'process' THEN (SELECT name FROM processes WHERE id = r.{0}_id)
    WHEN 'file' THEN (SELECT key FROM files WHERE id = r.{0}_id)
    WHEN 'registry value' THEN (SELECT key || coalesce('=' || name, '') FROM registry_values WHERE id = r.{0}_id)
    WHEN 'content' THEN (SELECT substr(sha256, 1, 4) FROM contents WHERE id = r.{0}_id)
    WHEN 'address' THEN (SELECT ip FROM requests WHERE id = r.{0}_id) END"""
TOLD = (f"SELECT subject_kind, {NAMES.format('subject')}, relation, object_kind, {NAMES.format('object')}, basis, events, "
        "substr(first, 12, 5), substr(last, 12, 5) FROM relations r {} ORDER BY 1, 2, 3, 4, 5, 6")
RUN = "HKLM\\Software\\Run"


def told(case: Path, where: str = "") -> list[tuple]:
    """All relations, with names."""
    return rows(case, TOLD.format(where))


def short(word: str) -> str:
    """How a content is named here."""
    return (digest(word) or "")[:4]


def test_every_word_of_a_change_is_a_relation(tmp_path: Path) -> None:
    case = made(tmp_path, [
        change("srv-1", "08:00", "C:\\d\\a.txt", "Created"), change("srv-1", "08:01", "C:\\d\\a.txt"),
        change("srv-1", "08:02", "C:\\d\\A.txt"), change("srv-1", "08:03", "C:\\d\\b.txt", "Renamed", was="C:\\d\\a.txt"),
        change("srv-1", "08:04", "C:\\d\\b.txt", "Deleted"), change("srv-1", "08:05", "C:\\d\\c.txt", "FileAttributesSet"),
        value("srv-1", "08:06", RUN, None, None, "RegistryKeyCreated"), value("srv-1", "08:07", RUN, "x", "1"),
        value("srv-1", "08:08", RUN, "x", None, "RegistryValueDeleted"),
        value("srv-1", "08:09", RUN, None, None, "RegistryKeyRenamed"),
        value("srv-1", "08:10", RUN, None, None, "RegistryKeyDeleted")])
    key = RUN.lower()
    assert told(case) == [
        ("account", "CONTOSO\\ann", "ran", "process", "svc.exe", None, 11, "08:00", "08:10"),
        ("process", "svc.exe", "created", "file", "c:\\d\\a.txt", None, 1, "08:00", "08:00"),
        ("process", "svc.exe", "created", "registry value", key, None, 1, "08:06", "08:06"),
        ("process", "svc.exe", "deleted", "file", "c:\\d\\b.txt", None, 1, "08:04", "08:04"),
        ("process", "svc.exe", "deleted", "registry value", key, None, 1, "08:10", "08:10"),
        ("process", "svc.exe", "deleted", "registry value", key + "=x", None, 1, "08:08", "08:08"),
        ("process", "svc.exe", "modified", "file", "c:\\d\\a.txt", None, 2, "08:01", "08:02"),
        ("process", "svc.exe", "modified", "file", "c:\\d\\c.txt", "FileAttributesSet", 1, "08:05", "08:05"),
        ("process", "svc.exe", "renamed", "file", "c:\\d\\b.txt", None, 1, "08:03", "08:03"),
        ("process", "svc.exe", "renamed", "registry value", key, None, 1, "08:09", "08:09"),
        ("process", "svc.exe", "set", "registry value", key + "=x", None, 1, "08:07", "08:07")]


def test_an_account_stands_for_a_process_that_is_not_known_and_nobody_for_neither(tmp_path: Path) -> None:
    only = {"InitiatingProcessAccountName": "ann", "InitiatingProcessAccountDomainName": "CONTOSO"}
    case = made(tmp_path, [change("srv-1", "08:00", "/etc/a", by=None, **only), change("srv-1", "08:01", "/etc/b", by=None)])
    assert told(case) == [("account", "CONTOSO\\ann", "modified", "file", "/etc/a", None, 1, "08:00", "08:00")]


def test_a_file_had_what_its_events_say_and_what_a_renamed_one_carried_along(tmp_path: Path) -> None:
    case = made(tmp_path, [
        change("srv-1", "08:00", "/d/a", "Created", "one"), change("srv-1", "08:01", "/d/a", content="one"),
        change("srv-1", "08:02", "/d/a", content="two"), change("srv-1", "08:03", "/d/b", "Renamed", was="/d/a"),
        change("srv-1", "08:04", "/d/b", content="two"), change("srv-1", "08:05", "/d/e", FileSha256=EMPTY),
        change("srv-1", "08:06", "/d/z", "Deleted", "one")])
    assert told(case, "WHERE relation = 'had'") == sorted([
        ("file", "/d/a", "had", "content", short("one"), None, 2, "08:00", "08:01"),
        ("file", "/d/a", "had", "content", short("two"), None, 1, "08:02", "08:02"),
        ("file", "/d/b", "had", "content", short("two"), None, 2, "08:03", "08:04"),
        ("file", "/d/z", "had", "content", short("one"), None, 1, "08:06", "08:06")])


def test_who_came_over_the_network_acted_through_a_process(tmp_path: Path) -> None:
    bob = {"RequestAccountName": "bob", "RequestAccountDomain": "CONTOSO"}
    case = made(tmp_path, [
        change("srv-1", "08:00", "C:\\d\\a", by="System", RequestSourceIP="10.0.0.5", RequestSourcePort="4000", **bob),
        change("srv-1", "08:01", "C:\\d\\b", by="System", RequestSourceIP="10.0.0.5", RequestSourcePort="4001"),
        change("srv-1", "08:02", "C:\\d\\c", by="System", RequestSource="Local"),
        change("srv-1", "08:03", "C:\\d\\d", by=None, RequestSourceIP="10.0.0.6", **bob)])
    assert told(case, "WHERE relation = 'acted through'") == [
        ("account", "CONTOSO\\bob", "acted through", "process", "System", None, 1, "08:00", "08:00"),
        ("address", "10.0.0.5", "acted through", "process", "System", None, 2, "08:00", "08:01")]
    assert rows(case, "SELECT count(DISTINCT subject_id), min(subject_id) = (SELECT min(id) FROM requests WHERE ip = '10.0.0.5') "
                      "FROM relations WHERE subject_kind = 'address'") == [(1, 1)]


def test_odd_times_are_first_and_last_only_where_there_are_no_others(tmp_path: Path) -> None:
    case = made(tmp_path, [change("srv-1", "1601-01-01T00:00", "/d/a"), change("srv-1", "08:00", "/d/a"),
                           change("srv-1", "9999-01-01T00:00", "/d/a"), change("srv-1", "9999-01-01T00:00", "/d/b")])
    assert rows(case, "SELECT f.path, r.events, substr(r.first, 1, 10), substr(r.last, 1, 10) FROM relations r "
                      "JOIN files f ON f.id = r.object_id WHERE r.object_kind = 'file' ORDER BY 1") == [
        ("/d/a", 3, "2026-10-12", "2026-10-12"), ("/d/b", 1, "9999-01-01", "9999-01-01")]


@pytest.mark.parametrize("turned", [False, True])
def test_the_order_of_ingest_and_running_again_change_nothing(tmp_path: Path, turned: bool) -> None:
    sources = [[change("srv-1", "08:00", "/tmp/a", "Created", "one"), change("srv-2", "08:01", "/tmp/a", "Created", "one")],
               [change("srv-1", "08:05", "/etc/b", by="/tmp/a", pid=9, started="08:02", InitProcImageSha256=digest("one")),
                change("srv-2", "08:05", "/etc/b", by="/tmp/a", pid=9, started="08:02", account="CONTOSO\\bob")]]
    case = made(tmp_path, *(reversed(sources) if turned else sources))
    before = rows(case, "SELECT * FROM relations ORDER BY id")
    assert told(case) == [
        ("account", "CONTOSO\\ann", "ran", "process", "a", None, 1, "08:05", "08:05"),
        ("account", "CONTOSO\\ann", "ran", "process", "svc.exe", None, 1, "08:00", "08:00"),
        ("account", "CONTOSO\\ann", "ran", "process", "svc.exe", None, 1, "08:01", "08:01"),
        ("account", "CONTOSO\\bob", "ran", "process", "a", None, 1, "08:05", "08:05"),
        ("file", "/tmp/a", "became", "process", "a", "hash and path", 1, "08:02", "08:02"),
        ("file", "/tmp/a", "became", "process", "a", "path", 1, "08:02", "08:02"),
        ("file", "/tmp/a", "had", "content", short("one"), None, 1, "08:00", "08:00"),
        ("file", "/tmp/a", "had", "content", short("one"), None, 1, "08:01", "08:01"),
        ("process", "a", "modified", "file", "/etc/b", None, 1, "08:05", "08:05"),
        ("process", "a", "modified", "file", "/etc/b", None, 1, "08:05", "08:05"),
        ("process", "svc.exe", "created", "file", "/tmp/a", None, 1, "08:00", "08:00"),
        ("process", "svc.exe", "created", "file", "/tmp/a", None, 1, "08:01", "08:01")]
    sentences = rows(case, "SELECT sentence FROM findings WHERE analysis = 'relations' ORDER BY id")
    assert sentences == [(
        f"srv-{host}: svc.exe (CONTOSO\\ann) wrote /tmp/a at 2026-10-12 08:0{host - 1}:00{same}; {later} later {how} and changed "
        "1 file, /etc/b.",) for host, same, later, how in (
            (1, "", "2 minutes", "it ran as process 9"),
            (2, " (the same content as on srv-1)", "60 seconds",
             "process 9 ran from this path (no hash tells whether it was this content)"))]
    analyze(case, ("relations",))
    assert rows(case, "SELECT * FROM relations ORDER BY id") == before
    assert rows(case, "SELECT sentence FROM findings WHERE analysis = 'relations' ORDER BY id") == sentences
