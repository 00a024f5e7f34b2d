"""Changes in places from which programs start, or that decide who may do what: who set what there, and who took it away.

The places are in places/watched.toml. Names of files and values are matched once each, not event by event; then one round over
the events that touch a matched one. Findings are one for a host, place, program and account, so that a person can read the list.
A change is weighed by who made it and by what was set: an interpreter or a server program, a command that is hidden or fetched
from elsewhere weigh more; a package manager, or the same change on many hosts, less.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b

import apsw

from fimforensics import places, programs, sql
from fimforensics.analyses.contract import EVENTS_END, IN_TIME, Analysis, Finding, Progress
from fimforensics.analyses.persistence.unlike import unlike
from fimforensics.paths import file_key, folder
from fimforensics.queries.rules import rules_of

RULES = rules_of("persistence")
LISTED = 200  # events of one finding; the sentence tells how many there are
MANY = 5  # hosts with the same change: a roll-out, whatever the size of the fleet
AT_ONCE = 600.0  # seconds between one host and the next of a roll-out to fewer hosts
_LEVELS = ("info", "low", "medium", "high")
_HIDDEN = re.compile(r"-e(?:c|nc|ncodedcommand)?\s+[a-z0-9+/=]{16,}|frombase64|[a-z0-9+/]{120,}={0,2}(?![a-z0-9+/])",
                     re.IGNORECASE).search
_SCRIPT = re.compile(rf"\b(?:{programs.command_names()})(?:\.exe)?\b|scrobj|javascript:|vbscript:|\b(?:ba|da)?sh -c\b"
                     r"|/dev/tcp/|\bcmd(?:\.exe)? +/[ck]\b", re.IGNORECASE).search
_FETCHED = re.compile(r"\b(?:https?|ftp)://", re.IGNORECASE).search
_ORDINARY = re.compile(
    r"|0|0x0+|dword \(0x0+\)|explorer\.exe|(?:c:\\windows\\system32\\)?userinit\.exe,?|iconcodecservice\.dll|sysmain|yes"
    r"|autocheck autochk \*|systempropertiesperformance\.exe.*|rdpnp,lanmanworkstation.*", re.IGNORECASE).fullmatch
_VERBS = {"Created": "created", "Modified": "changed", "Renamed": "moved a file to", "Deleted": "deleted",
          "RegistryValueSet": "set", "RegistryValueDeleted": "deleted"}


@dataclass(frozen=True)
class _Touch:
    """One event that touches a place."""

    id: int
    time: str
    host: str
    host_id: int
    place: int
    shape: int
    kin: int
    change: str
    entry: str
    content_id: int | None
    data: str | None
    old: str | None
    image: str | None
    program: str | None
    told: str | None
    account: str | None
    file_id: int | None
    registry_value_id: int | None
    process_id: int | None
    account_id: int | None
    remote: str | None

    @property
    def gone(self) -> bool:
        """Was something taken away?"""
        return self.change.endswith("Deleted")


class _Group:
    """What one program did as one account in one kind of place on one host, at one severity."""

    def __init__(self, first: _Touch, severity: str) -> None:
        self.first, self.last, self.severity, self.count = first, first, severity, 0
        self.events: list[int] = []
        self.reasons: dict[str, None] = {}
        self.shapes: set[int] = set()

    def add(self, touch: _Touch, reasons: list[str]) -> None:
        """One more event, in order of time."""
        self.count, self.last = self.count + 1, touch
        if len(self.events) >= LISTED:
            self.events.pop()
        self.events.append(touch.id)
        self.reasons |= dict.fromkeys(reasons)
        if len(self.shapes) <= LISTED:
            self.shapes.add(touch.shape)

    def finding(self) -> Finding:
        """The finding; it names the entity, process or account where all events agree."""
        one = self.first
        alone = len(self.shapes) == 1
        rule = "persistence removed" if one.gone else "persistence place"
        return Finding(rule, self.sentence(), tuple(self.events), self.severity, one.host_id,
                       one.file_id if alone else None, one.registry_value_id if alone else None,
                       one.process_id, one.account_id, one.content_id if alone else None)

    def sentence(self) -> str:
        """What was seen, in one sentence."""
        one, place = self.first, places.PLACES[self.first.place]
        data = f" to {_short(one.data)}" if one.data and not one.gone else ""
        data += f" (before: {_short(one.old)})" if one.old else ""
        what = f"{_VERBS.get(one.change, 'changed')} {one.entry}{data}"
        others = len(self.shapes) - 1
        if others:
            what += f" and {others if others < LISTED else f'over {LISTED}'} more of this kind"
        when = f"at {_clock(one.time)}" if self.count == 1 else (
            f"{self.count:,} times from {_clock(one.time)} to {_clock(self.last.time)}")
        reasons = "".join(f"; {reason}" for reason in self.reasons)
        return f"On {one.host} {_who(one)} {what} ({place.name}: {place.why}) {when}{reasons}."


def _who(one: _Touch) -> str:
    if one.program is None and one.told is None:
        who = "a program that the row does not name"
    elif one.told and one.program and one.told != one.program and not one.program.startswith(one.told):
        who = f"{one.told} (run by {one.program})"
    else:
        who = one.program or one.told or ""
    return f"{who} as {one.account}" if one.account else who


def _short(text: str, most: int = 100) -> str:
    told = text if len(text) <= most else f"{text[:most - 20]}…{text[-19:]}"
    return told if told[:1] == '"' else f'"{told}"'


def _clock(time: str) -> str:
    return time[:19].replace("T", " ")


def _run(db: apsw.Connection, progress: Progress) -> Iterator[Finding]:
    """Nothing is kept but findings; the temporary tables are gone at the end."""
    try:
        _match(db)
        broad = _broad(db)
        progress("persistence", 1, 2)
        yield from _findings(db, broad)
        yield from unlike(db)
    finally:
        for table in ("place_files", "place_values", "place_quiet"):
            db.execute(f"DROP TABLE IF EXISTS temp.{table}")


def _match(db: apsw.Connection) -> None:
    """Which files and values lie in which place.

    `shape` is the same for the same entity on other hosts and of other users, `kin` also for its neighbours in a wide folder:
    what is rolled out passes through temporary names there.
    """
    for table in ("place_files", "place_values"):
        db.execute(f"CREATE TEMP TABLE {table} (id INTEGER PRIMARY KEY, place INTEGER, wide INTEGER, shape INTEGER, kin INTEGER)")
    db.execute("CREATE TEMP TABLE place_quiet (id INTEGER PRIMARY KEY)")
    number = {place: at for at, place in enumerate(places.PLACES)}

    def files() -> Iterator[tuple[int, int, bool, int, int]]:
        for file, key in db.execute("SELECT id, key FROM files"):
            if place := places.file_place(key):
                shape = _shape(bare := places.bare(key))
                yield file, number[place], place.wide, shape, _shape(folder(bare)) if place.wide else shape

    def values() -> Iterator[tuple[int, int, bool, int, int]]:
        for value, key, name in db.execute("SELECT id, key, name FROM registry_values"):
            if place := places.registry_place(key, name):
                shape = _shape(f"{places.one_spelling(key)}\\{name or ''}")
                yield value, number[place], place.wide, shape, shape

    db.cursor().executemany("INSERT INTO temp.place_files VALUES (?, ?, ?, ?, ?)", files())
    db.cursor().executemany("INSERT INTO temp.place_values VALUES (?, ?, ?, ?, ?)", values())
    quiet = ((process,) for process, image in db.execute("SELECT id, image_key FROM processes") if programs.installs(image))
    db.cursor().executemany("INSERT INTO temp.place_quiet VALUES (?)", quiet)


def _shape(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


_FROM = """FROM events e NOT INDEXED JOIN changes c ON c.id = e.change_id
    LEFT JOIN temp.place_files f ON f.id = e.file_id LEFT JOIN temp.place_values v ON v.id = e.registry_value_id"""
_WHERE = f"""WHERE e.id < {EVENTS_END} AND coalesce(f.place, v.place) IS NOT NULL AND c.change NOT LIKE 'RegistryKey%'
    AND NOT (coalesce(f.wide, v.wide) AND c.change LIKE '%Deleted')
    AND NOT ((coalesce(f.wide, v.wide) OR c.change LIKE '%Deleted') AND e.process_id IN temp.place_quiet)
    AND (e.new_data IS NULL OR e.old_data IS NULL OR e.new_data <> e.old_data)"""


def _same(kin: int, gone: int, content: int | None, data: str | None) -> bytes:
    return blake2b(f"{kin} {gone} {content} {data}".encode(), digest_size=12).digest()


def _broad(db: apsw.Connection) -> set[bytes]:
    """The changes that many hosts share: five, or half the fleet but at least three, or three close in time one after the other.

    What is set must be known: contents nobody knows are not the same. What came host by host, in a chain, is no roll-out.
    """
    fleet = sql.cell(db, f"SELECT count(DISTINCT host_id) FROM events WHERE id < {EVENTS_END}")
    rows = db.execute(f"""
        SELECT coalesce(f.kin, v.kin), c.change LIKE '%Deleted', e.content_id, e.new_data, e.host_id, min(e.time)
        {_FROM} {_WHERE} AND (e.content_id IS NOT NULL OR e.new_data IS NOT NULL OR c.change LIKE '%Deleted')
            AND coalesce(e.content_id, 0) NOT IN (SELECT content_id FROM content_spread WHERE mode = 'in a chain')
        GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 6""")
    found: set[bytes] = set()
    times: list[float] = []
    now: bytes = b""
    for *change, _, time in rows:
        key = _same(*change)
        if key != now:
            times, now = [], key
        times.append(_seconds(time))
        close = len(times) >= 3 and times[-1] - times[-2] <= AT_ONCE and times[-2] - times[-3] <= AT_ONCE
        if close or len(times) >= MANY or (len(times) >= 3 and 2 * len(times) >= fleet):
            found.add(key)
    return found


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time[:19]).replace(tzinfo=UTC).timestamp()


def _touches(db: apsw.Connection) -> Iterator[_Touch]:
    """The events that touch a place, in order of time."""
    for row in db.execute(f"""
            SELECT e.id, e.time, h.name, e.host_id, coalesce(f.place, v.place), coalesce(f.shape, v.shape),
                coalesce(f.kin, v.kin), c.change,
                coalesce(p.path, r.key || '\\' || coalesce(r.new_name, r.old_name, '(default)')), e.content_id,
                e.new_data, e.old_data,
                coalesce(i.path, n.image_key), coalesce(i.file_name, n.name), g.name, a.name,
                e.file_id, e.registry_value_id, e.process_id, e.account_id, q.ip
            {_FROM} JOIN hosts h ON h.id = e.host_id
            LEFT JOIN paths p ON p.id = e.path_id LEFT JOIN registry_reports r ON r.id = e.registry_report_id
            LEFT JOIN processes n ON n.id = e.process_id LEFT JOIN process_reports g ON g.id = e.process_report_id
            LEFT JOIN images i ON i.id = g.image_id LEFT JOIN accounts a ON a.id = e.account_id
            LEFT JOIN requests q ON q.id = e.request_id
            {_WHERE} ORDER BY {IN_TIME}"""):
        yield _Touch(*row)


def _weighed(touch: _Touch, place: places.Place, shared: bool) -> tuple[str, list[str]]:
    """How much it weighs, and what makes it heavier or lighter, as parts of a sentence."""
    reasons, level = [], _LEVELS.index(place.severity)
    unusual = programs.unusual(touch.image)
    command = _command(touch.data) if place.starts and not touch.gone else None
    if unusual or touch.remote:
        reasons.append(f"{touch.program} is {unusual}" if unusual else f"it was done over the network, from {touch.remote}")
        level = max(level + 1, 2) if place.starts and not touch.gone else max(level, 2)
    if command:
        reasons.append(f"what was set {command}")
        level = 3
    if not command and (programs.installs(touch.image) or programs.collects(touch.image)):
        reasons.append(f"{touch.program} is a package manager" if programs.installs(touch.image) else
                       f"{touch.program} belongs to the software that watches the machine")
        level = min(level, 1)
    if place.starts and touch.data is not None and _ORDINARY(touch.data):
        level = min(level, 1)
    if shared:
        reasons.append("many hosts had the same change")
        level = max(level - 1, 1)
    return _LEVELS[min(level, 3)], reasons


def _command(data: str | None) -> str | None:
    if data is None:
        return None
    if _HIDDEN(data):
        return "hides a command in a code"
    if _SCRIPT(data):
        return "runs an interpreter of scripts or a tool that fetches"
    if _FETCHED(data):
        return "fetches from the network"
    return "starts from a folder where anybody can leave files" if places.drop(file_key(data.strip('"'))) else None


def _findings(db: apsw.Connection, broad: set[bytes]) -> Iterator[Finding]:
    groups: dict[tuple[object, ...], _Group] = {}
    for touch in _touches(db):
        shared = _same(touch.kin, int(touch.gone), touch.content_id, touch.data) in broad
        severity, reasons = _weighed(touch, places.PLACES[touch.place], shared)
        key = (touch.host_id, touch.place, touch.image, touch.told, touch.account_id, severity, touch.gone, shared)
        group = groups.get(key)
        if group is None:
            group = groups[key] = _Group(touch, severity)
        group.add(touch, reasons)
    for group in groups.values():
        yield group.finding()


ANALYSIS = Analysis("persistence", "Places from which programs start", (), ("spread",), _run, RULES)
