"""Paths and registry keys: one key for two spellings of one thing, two keys for two things."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fimforensics import paths


@pytest.mark.parametrize(
    ("path", "name", "expected"),
    [
        ("/usr/bin/", "stderr", "/usr/bin/stderr"),
        ("/usr/bin", "stderr", "/usr/bin/stderr"),
        ("/usr/bin/stderr", "stderr", "/usr/bin/stderr"),
        ("/usr/bin/Stderr", "stderr", "/usr/bin/Stderr/stderr"),  # Linux: another case is another name
        ("/", "vmlinuz", "/vmlinuz"),
        ("C:\\Windows", "a.txt", "C:\\Windows\\a.txt"),
        ("C:\\Windows\\", "a.txt", "C:\\Windows\\a.txt"),
        ("C:\\Windows\\A.TXT", "a.txt", "C:\\Windows\\A.TXT"),
        ("C:/Windows/", "a.txt", "C:/Windows/a.txt"),
        ("C:", "a.txt", "C:\\a.txt"),
        ("\\windows", "system.ini", "\\windows\\system.ini"),
        ("\\\\server\\share", "a", "\\\\server\\share\\a"),
        ("/srv/a\\b", "b", "/srv/a\\b/b"),  # a backslash is a letter of a Linux name
        ("usr/bin", "ls", "usr/bin/ls"),
        ("/usr/bin", None, "/usr/bin"),
        ("/usr/bin", "", "/usr/bin"),
        (None, "ls", "ls"),
        ("", "ls", "ls"),
        (None, None, None),
        ("", "", None),
    ],
)
def test_join(path: str | None, name: str | None, expected: str | None) -> None:
    assert paths.join(path, name) == expected


def test_is_full() -> None:
    assert paths.is_full("C:\\a\\B.exe", "b.EXE") and paths.is_full("/usr/sbin/runc", "runc")
    assert not paths.is_full("/usr/sbin/RUNC", "runc") and not paths.is_full("C:\\a\\", "a")


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("C:\\Windows\\System32\\Drivers\\ETC\\hosts", "c:\\windows\\system32\\drivers\\etc\\hosts"),
        ("c:/windows//system32\\\\x\\", "c:\\windows\\system32\\x"),
        ("\\\\?\\C:\\Windows\\a", "c:\\windows\\a"),
        ("\\??\\C:\\Windows\\a", "c:\\windows\\a"),
        ("\\\\?\\UNC\\Server\\Share\\a", "\\\\server\\share\\a"),
        ("\\\\Server\\Share\\\\a\\", "\\\\server\\share\\a"),
        ("\\Windows\\system.ini", "\\windows\\system.ini"),
        ("\\Device\\HarddiskVolume3\\Windows\\a", "\\device\\harddiskvolume3\\windows\\a"),
        ("C:\\Users\\a.txt:Zone.Identifier", "c:\\users\\a.txt:zone.identifier"),
        ("C:\\STRASSE", "c:\\strasse"),
        ("C:\\Straße", "c:\\straße"),
        ("C:\\ÄΣ\\İ", "c:\\äσ\\İ"),
        ("C:\\", "c:"),
        ("/etc/SSH//sshd_config/", "/etc/SSH//sshd_config/"),
        ("/home/a\\B", "/home/a\\B"),
        ("stderr", "stderr"),
        ("", ""),
    ],
)
def test_file_key(path: str, key: str) -> None:
    assert paths.file_key(path) == key


@pytest.mark.parametrize(
    ("key", "hive", "expected"),
    [
        ("HKEY_LOCAL_MACHINE\\SOFTWARE\\Run\\", "HKEY_LOCAL_MACHINE", "hklm\\software\\run"),
        ("hklm\\Software\\\\Run", None, "hklm\\software\\run"),
        ("HKLM:\\Software\\Run", None, "hklm\\software\\run"),
        ("\\REGISTRY\\MACHINE\\Software\\Run", None, "hklm\\software\\run"),
        ("\\Registry\\User\\S-1-5-18\\Run", None, "hku\\s-1-5-18\\run"),
        ("\\REGISTRY\\A\\{1}\\Root", "HKLM", "\\registry\\a\\{1}\\root"),
        ("Software\\Run", "HKEY_CURRENT_USER", "hkcu\\software\\run"),
        ("\\Software\\Run", "\\REGISTRY\\MACHINE", "hklm\\software\\run"),
        ("Microsoft\\Run", "HKEY_LOCAL_MACHINE\\SOFTWARE", "hklm\\software\\microsoft\\run"),
        ("Software\\Run", None, "software\\run"),
        ("", "HKEY_USERS", "hku"),
        ("HKEY_CLASSES_ROOT\\.exe", None, "hkcr\\.exe"),
        ("HKEY_CURRENT_CONFIG", "", "hkcc"),
        ("HKLM\\SOFTWARE\\WOW6432Node\\Run", None, "hklm\\software\\wow6432node\\run"),
        ("HKLM\\SYSTEM\\ControlSet001\\Services", None, "hklm\\system\\controlset001\\services"),
    ],
)
def test_registry_key(key: str, hive: str | None, expected: str) -> None:
    assert paths.registry_key(key, hive) == expected


def test_hive_name_and_head() -> None:
    assert paths.hive_name("HKEY_LOCAL_MACHINE") == "HKLM"
    assert paths.hive_name("hkey_users\\S-1\\Run\\") == "HKU\\S-1\\Run\\"
    assert paths.hive_name("\\REGISTRY\\MACHINE") == "HKLM"
    assert paths.hive_name("\\registry\\user\\S-1") == "HKU\\S-1"
    assert paths.hive_name("COMPONENTS\\x") == "COMPONENTS\\x"
    assert [paths.hive_head(key) for key in ("HKEY_USERS\\S-1", "\\REGISTRY\\MACHINE\\S", "HKLM", "Software\\Run", "")] == [
        "HKEY_USERS", "\\REGISTRY\\MACHINE", "HKLM", "", "",
    ]  # fmt: skip


def test_parts() -> None:
    cases = {
        "C:\\Windows\\a.TXT": ("a.TXT", "C:\\Windows", "txt"),
        "C:\\a": ("a", "C:\\", ""),
        "\\system.ini": ("system.ini", "\\", "ini"),
        "/etc/passwd": ("passwd", "/etc", ""),
        "/vmlinuz": ("vmlinuz", "/", ""),
        "/usr/bin/": ("", "/usr/bin", ""),
        "/etc/skel/.profile": (".profile", "/etc/skel", ""),
        "/a/x.tar.gz": ("x.tar.gz", "/a", "gz"),
        "/a/b\\c.d": ("b\\c.d", "/a", "d"),
        "C:\\a.exe:evil.js": ("a.exe:evil.js", "C:\\", "exe"),
        "name": ("name", "", ""),
    }
    told = {path: (paths.last_segment(path), paths.folder(path), paths.extension(path)) for path in cases}
    assert told == cases


windows = st.text(st.sampled_from("aA\\/:.?uUnNcCİΣß "), max_size=20)
registry = st.text(st.sampled_from("hHkKlLmMuU\\ :aσΣ"), max_size=20) | st.sampled_from(
    ["HKLM\\a", "\\REGISTRY\\MACHINE\\x", "\\registry\\user", "HKEY_USERS\\\\b", "\\\\HKLM\\\\", "\\REGISTRY\\A\\x"]
)
segment = st.text(st.sampled_from("aAbB. ~1ßü"), min_size=1, max_size=6)
head = st.sampled_from(["/", "C:\\", "\\\\server\\share\\", "\\", "/srv/", "c:\\x y\\"])


@given(windows)
def test_file_key_is_idempotent(path: str) -> None:
    once = paths.file_key(path)
    assert paths.file_key(once) == once


@given(windows)
def test_file_key_knows_no_case_of_windows_paths(path: str) -> None:
    full = "C:\\" + path
    assert paths.file_key(full) == paths.file_key(paths.lower(full))


@given(registry, st.none() | st.sampled_from(["HKEY_LOCAL_MACHINE", "\\REGISTRY\\USER", "hku\\", "COMPONENTS", "a\\\\b", "\\"]))
def test_registry_key_is_idempotent(key: str, hive: str | None) -> None:
    once = paths.registry_key(key, hive)
    assert paths.registry_key(once, hive) == once


@given(registry)
def test_hive_name_is_idempotent(key: str) -> None:
    once = paths.hive_name(key)
    assert paths.hive_name(once) == once


@given(head, segment, segment)
def test_a_folder_with_or_without_separator_and_the_whole_path_join_alike(start: str, middle: str, name: str) -> None:
    assume(middle.lower() != name.lower())  # such a folder cannot be told from the whole path
    separator = "/" if start.startswith("/") else "\\"
    whole = start + middle + separator + name
    told = {paths.join(path, name) for path in (start + middle, start + middle + separator, whole)}
    assert told == {whole}
    assert paths.join(whole, name) == paths.join(paths.join(whole, name), name)
