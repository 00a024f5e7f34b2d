"""A case whose every column that can hold a text of evidence or of an operator holds the corpus, made as any case is: by ingest.

Each text of the corpus is a machine, an account, a program, a path, a registry value, data, a reason for a reject, a column's
name, and a member of a zip file; it also writes web scripts, drops programs that run, starts by itself, comes and goes, and
falls silent, so that the analyses speak of it.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from unittest.mock import patch

from corpus import CORPUS  # type: ignore[import-not-found]

from fimforensics.analyze import analyze
from fimforensics.ingest import Options, ingest
from fimforensics.model import COLUMNS, MDC, TEXT
from fimforensics.text import storable

KEY = bytes(range(32))
TEXTS = [name for name, kind in COLUMNS.items() if kind == TEXT and name != "Type"]
LONG = 2_000  # letters; longer texts stand in fewer columns of fewer records
FILES = 24  # texts that are names of files of their own
BUSY = 12  # texts that are hosts with a history
W3WP = "C:\\Windows\\System32\\inetsrv\\w3wp.exe"
SET = {"MonitoredEntityType": "Registry", "ChangeType": "RegistryValueSet"}
RUN = "HKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion\\Run"


def made(folder: Path, words: tuple[str, ...] = CORPUS) -> Path:
    """The case, all analyses run."""
    sources = folder / "sources"
    sources.mkdir()
    (sources / "evidence.jsonl").write_bytes(b"".join(_line(row) for row in _rows(words)))
    with zipfile.ZipFile(sources / "members.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number, word in enumerate(words):
            name = f"{number} {word[:300]}".replace("\0", "%00").encode("utf-8", "surrogatepass").decode("utf-8", "replace")
            archive.writestr(name, _line(_file(word[:LONG], f"08T{number % 24:02}:00:00", f"/zip/{number}")))
    for number, word in enumerate(words[::len(words) // FILES]):
        name = os.fsencode(f"{number} " + word.replace("/", "|").replace("\0", "")[:60].encode("utf-8", "replace").decode())
        Path(os.fsdecode(bytes(os.fsencode(sources) + b"/" + name))).write_bytes(_line(_file(word[:LONG], "09T10:00:00", "/own")))
    case = folder / "hostile.db"
    for number, path in enumerate(sorted(sources.iterdir(), key=lambda path: os.fsencode(path.name))):
        said = storable(words[number * 11 % len(words)][:LONG])[0]
        with patch("getpass.getuser", return_value=said), patch("platform.node", return_value=said):
            taken = ingest(case, [path], Options(case_key=KEY, note=said, examiner=said, case_number=said))
        assert [one.refused for one in taken] == [None]
    analyze(case, ())
    return case


def _line(row: dict[str, object]) -> bytes:
    return json.dumps(row).encode() + b"\n"


def _file(word: str, time: str, path: str, content: str | None = None, **more: object) -> dict[str, object]:
    return {"TimeGenerated": f"2026-10-{time}Z", "Computer": word, "MonitoredEntityType": "File", "ChangeType": "Created",
            "FilePath": path, "FileName": path.rpartition("\\" if "\\" in path else "/")[2] or path,
            "FileSha256": sha256((content or path).encode("utf-8", "surrogatepass")).hexdigest(), "Type": MDC, **more}


def _by(path: str, account: str, pid: int, started: str) -> dict[str, object]:
    return {"InitiatingProcessName": path.rpartition("\\")[2], "InitiatingProcessImageFileName": path.rpartition("\\")[2],
            "InitiatingProcessImageFilePath": path, "InitiatingProcessId": pid,
            "InitiatingProcessCreationTime": f"2026-10-{started}Z", "InitiatingProcessAccountName": account,
            "InitiatingProcessAccountDomainName": account[:50]}


def _rows(words: tuple[str, ...]) -> Iterator[dict[str, object]]:
    for number, word in enumerate(words):
        yield from (_everywhere if len(word) <= LONG else _at_some)(word, number)
        if len(word) <= LONG:
            yield from _story(word, number)
    for word in [word for word in words if len(word) <= LONG][:: len(words) // BUSY]:
        yield from _history(word)


def _everywhere(word: str, number: int) -> Iterator[dict[str, object]]:
    """All columns, as a thing of no known kind, a file, and a registry value; bad times; and a column of this name."""
    whole: dict[str, object] = dict.fromkeys(TEXTS, word)
    clock = f"{number // 60 % 24:02}:{number % 60:02}"
    yield {"TimeGenerated": f"2026-10-02T{clock}:00Z", **whole}
    yield _file(word, f"03T{clock}:00", word, word, **{**whole, "MonitoredEntityType": "File", "ChangeType": "Renamed"})
    yield {"TimeGenerated": f"2026-10-04T{clock}:00Z", **whole, **SET,
           "RegistryKey": f"HKEY_USERS\\{word}"}
    yield _file(word, "04T10:00:00", "/bad") | {"TimeGenerated": word}
    yield _file(word, f"05T{clock}:00", f"/unknown/{number}", _ItemId=word) | {word[:300]: word, "Nested": {word[:300]: [word]}}


def _at_some(word: str, number: int) -> Iterator[dict[str, object]]:
    """A name of 64 kB: as a host and path, and as registry data."""
    yield _file(word, f"06T{number % 24:02}:00:00", word, **_by(W3WP, word, 5, "06T00:00:00"))
    yield {"TimeGenerated": f"2026-10-07T{number % 24:02}:00:00Z", "Computer": "long", **SET,
           "RegistryKey": RUN, "NewValueName": word, "NewValueData": word, "OldValueData": word,
           **_by(f"C:\\Temp\\{word}", word, 6, "06T00:00:00")}


def _story(word: str, number: int) -> Iterator[dict[str, object]]:
    """A server program writes a script and a program, which runs, starts by itself, and brings a file's old content back."""
    minute = f"10T{number // 60 % 24:02}:{number % 60:02}"
    server, tool = _by(W3WP, word, 4_100, "10T00:00:00"), f"C:\\Windows\\Temp\\{word}.exe"
    runs = {**_by(tool, word, 4_711, f"{minute}:05"), "InitProcImageSha256": sha256(f"tool {number}".encode()).hexdigest(),
            "RequestAccountName": word, "RequestSourceIP": word, "RequestSource": word}
    yield _file(word, f"{minute}:01", f"C:\\inetpub\\wwwroot\\{word}\\{word}.aspx", **server)
    yield _file(word, f"{minute}:02", tool, f"tool {number}", **server)
    yield {"TimeGenerated": f"2026-10-{minute}:06Z", "Computer": word, **SET,
           "RegistryKey": RUN, "NewValueName": word, "NewValueData": f"{tool} {word}", **runs}
    for second, content in ((10, "old"), (20, word), (30, "old")):
        yield _file(word, f"{minute}:{second}", f"C:\\Windows\\System32\\{word}", content, **runs) | {"ChangeType": "Modified"}


def _history(word: str) -> Iterator[dict[str, object]]:
    """A host that works by the hour, is silent for days, and then changes everything within two minutes."""
    calm, wild = _by("C:\\calm.exe", "calm", 3, "01T00:00:00"), _by(f"C:\\{word}.exe", word, 666, "20T11:00:00")
    for hour in (*range(10 * 24), *range(17 * 24, 20 * 24)):
        yield _file(word, f"{hour // 24 + 1:02}T{hour % 24:02}:30:00", "C:\\calm.log", f"{hour}", **calm)
    for hit in range(40):
        yield _file(word, f"20T12:00:{hit:02}", f"D:\\{hit % 8}\\{hit} {word}.locked", f"sealed {hit}", **wild)
    for hit in range(8):
        yield _file(word, f"20T12:01:{hit:02}", f"D:\\{hit}\\{word}.txt", "note", **wild)
