"""What single events tell: the collector's own changes, contents behind a false extension, logs that somebody removed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import apsw

from fimforensics import places, programs
from fimforensics.analyses.contract import EVENTS_END, IN_TIME, Finding
from fimforensics.paths import extension, lower

LISTED = 100  # events of one finding; the sentence tells how many there are
MANY = 5  # hosts that have the same
LOG, DOCUMENT, PICTURE, PROGRAM = 1, 2, 3, 4  # what a path's look promises
_DOCUMENTS = frozenset("txt log dat csv json xml htm html css ini cfg conf md pdf doc docx xls xlsx ppt pptx rtf odt".split())
_PICTURES = frozenset("jpg jpeg png gif bmp ico svg webp tif tiff mp3 mp4 avi mov wav woff woff2 ttf".split())
_PROGRAM_TYPES = frozenset(("portableexecutable", "portable executable", "pe", "pe32", "pe32+", "pe64", "elf", "elf32",
                            "elf64", "executable", "msdosexecutable", "mach-o", "macho"))
_SCRIPT_TYPES = frozenset(
    "script shellscript batch batchfile powershell powershellscript python perl javascript vbscript".split())
_DOCUMENT_TYPES = frozenset(
    "text txt plaintext ascii jpeg jpg png gif bmp image pdf rtf html xml json csv zip 7zip rar gzip".split())


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))


_ROUND = f"""
    SELECT e.id, e.time, h.name, e.host_id, h.key, c.change, e.file_type, e.file_size, l.mark, w.id IS NOT NULL,
        coalesce(p.path, r.path, f.path), f.key, coalesce(i.path, n.image_key), coalesce(i.file_name, n.name), a.name,
        e.file_id, e.process_id, e.account_id, e.content_id
    FROM events e NOT INDEXED JOIN hosts h ON h.id = e.host_id JOIN changes c ON c.id = e.change_id
    LEFT JOIN temp.actor_files l ON l.id = e.file_id LEFT JOIN temp.actor_watchers w ON w.id = e.process_id
    LEFT JOIN paths p ON p.id = e.path_id LEFT JOIN registry_values r ON r.id = e.registry_value_id
    LEFT JOIN files f ON f.id = e.file_id LEFT JOIN processes n ON n.id = e.process_id
    LEFT JOIN process_reports g ON g.id = e.process_report_id LEFT JOIN images i ON i.id = g.image_id
    LEFT JOIN accounts a ON a.id = e.account_id
    WHERE e.id < {EVENTS_END} AND (w.id IS NOT NULL
        OR (l.mark = {LOG} AND (c.change = 'Deleted' OR (c.change = 'Modified' AND e.file_size = 0)))
        OR (l.mark = {PROGRAM} AND lower(e.file_type) IN ({_quoted(_DOCUMENT_TYPES)}))
        OR (l.mark IN ({DOCUMENT}, {PICTURE}) AND lower(e.file_type) IN ({_quoted(_PROGRAM_TYPES)}))
        OR (l.mark = {PICTURE} AND lower(e.file_type) IN ({_quoted(_SCRIPT_TYPES)})))
    ORDER BY {IN_TIME}"""


@dataclass
class _Act:
    """One event of the round, by the names of its columns."""

    id: int
    time: str
    host: str
    host_id: int
    host_key: str
    change: str
    file_type: str | None
    size: int | None
    mark: int | None
    watcher: int
    path: str | None
    key: str | None
    image: str | None
    program: str | None
    account: str | None
    file_id: int | None
    process_id: int | None
    account_id: int | None
    content_id: int | None


@dataclass
class _Group:
    """What one program did as one account on one host by one rule."""

    first: _Act
    last: _Act
    rule: str
    count: int = 0
    events: list[int] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)

    def add(self, act: _Act) -> None:
        """One more event, in order of time."""
        self.count, self.last = self.count + 1, act
        if len(self.events) >= LISTED:
            self.events.pop()
        self.events.append(act.id)
        if len(self.paths) < LISTED:
            self.paths.add(act.key or "")


def acts(db: apsw.Connection) -> Iterator[Finding]:
    """The findings of one round over the events."""
    try:
        _mark(db)
        groups: dict[tuple[object, ...], _Group] = {}
        hosts: dict[str, set[int]] = {}
        for row in db.execute(_ROUND):
            act = _Act(*row)
            for rule in _rules(act):
                key = (rule, act.host_id, act.image, None if act.watcher else act.account_id)
                groups.setdefault(key, _Group(act, act, rule)).add(act)
                if rule.startswith("content") and len(seen := hosts.setdefault(act.key or "", set())) < MANY:
                    seen.add(act.host_id)
        for group in groups.values():
            yield _finding(group, group.paths and all(len(hosts.get(path, ())) >= MANY for path in group.paths))
    finally:
        for table in ("actor_files", "actor_watchers"):
            db.execute(f"DROP TABLE IF EXISTS temp.{table}")


def _mark(db: apsw.Connection) -> None:
    """Which files' names promise what, and which processes belong to the software that watches."""
    db.execute("CREATE TEMP TABLE actor_files (id INTEGER PRIMARY KEY, mark INTEGER)")
    db.execute("CREATE TEMP TABLE actor_watchers (id INTEGER PRIMARY KEY)")
    marked = ((file, mark) for file, key in db.execute("SELECT id, key FROM files") if (mark := promise(key)))
    db.cursor().executemany("INSERT INTO temp.actor_files VALUES (?, ?)", marked)
    watchers = ((process,) for process, image in db.execute("SELECT id, image_key FROM processes") if programs.collects(image))
    db.cursor().executemany("INSERT INTO temp.actor_watchers VALUES (?)", watchers)


def promise(key: str) -> int:
    """What a file's key promises by its look: a log, a document, a picture, a program, or nothing (0)."""
    low = lower(key)
    if ("log" in low or "his" in low or "hst" in low or "utmp" in low or ".ev" in low) and places.log(low):
        return LOG
    end = low[low.rfind(".") + 1:]
    mark = DOCUMENT if end in _DOCUMENTS else PICTURE if end in _PICTURES else PROGRAM if end in places.PROGRAM_ENDINGS else 0
    return mark if mark and extension(key) == end else 0


def _rules(act: _Act) -> Iterator[str]:
    if act.watcher:
        yield "actor is the collector itself"
    if act.mark == LOG:
        excused = act.watcher or programs.rotates(act.image) or programs.owns(act.image, act.path or "")
        if (act.change == "Deleted" or act.size == 0) and not excused:
            yield "log or history removed"
    elif act.mark and act.file_type and _false(act.mark, act.file_type.lower()):
        yield "content does not fit the extension"


def _false(mark: int, told: str) -> bool:
    if mark == PROGRAM:
        return told in _DOCUMENT_TYPES
    return told in _PROGRAM_TYPES or (mark == PICTURE and told in _SCRIPT_TYPES)


def _finding(group: _Group, broad: object) -> Finding:
    one, alone = group.first, len(group.paths) == 1 and group.count < LISTED
    by = f"{one.program or 'a program that the row does not name'}"
    times = f"{group.count:,} times " if len(group.paths) == 1 else ""
    when = f"at {_clock(one.time)}" if group.count == 1 else f"{times}from {_clock(one.time)} to {_clock(group.last.time)}"
    account = f" as {one.account}" if one.account else ""
    who = by + account
    others = len(group.paths) - 1
    many = "" if others + 1 < LISTED else " or more"
    more = f" and {others:,}{many} other {'file' if others == 1 else 'files'}" if others else ""
    severity = None
    if group.rule.startswith("actor"):
        told = (f"On {one.host} {by}, which belongs to the software that watches the machine, made {group.count:,} of the "
                f"changes, from {_clock(one.time)} to {_clock(group.last.time)}.")
    elif group.rule.startswith("log"):
        what = "deleted" if one.change == "Deleted" else "emptied"
        told = f"On {one.host} {by}, which neither rotates logs nor owns them, {what} {one.path}{more}{account} {when}."
    else:
        severity = "low" if broad or programs.installs(one.image) else None
        told = (f"On {one.host} {who} wrote {one.path}{more} {when}, whose content the sensor calls {one.file_type}, unlike its "
                "name.")
    return Finding(group.rule, told, tuple(group.events), severity, one.host_id, one.file_id if alone else None, None,
                   one.process_id, None if one.watcher else one.account_id, one.content_id if alone else None)


def _clock(time: str) -> str:
    return time[:19].replace("T", " ")
