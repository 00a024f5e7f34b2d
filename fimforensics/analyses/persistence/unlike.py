"""The odd one out: the same program wrote the same file on many hosts, and on one of them a content that no other has.

So looks a program replaced inside a real wave of updates, or a run of configuration management on one host with other templates.
Only files in the places of the table are compared, and only contents with a kind of hash in common.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

import apsw

from fimforensics import sql
from fimforensics.analyses.contract import EVENTS_END, IN_TIME, Finding

OTHERS = 3  # hosts with the other content
WAVE = 2 * 86400.0  # seconds before or after, in which they must have got it
OWN = 3  # days on which a host was given a content that is then its own, as by a lease or a template
CROWD = 10  # files of one host that are unlike: another release of the system rather than another content
LISTED = 200
_GROUPS = f"""
    SELECT f.shape, n.image_key, e.content_id, e.host_id, min(e.time), count(DISTINCT substr(e.time, 1, 10)),
        k.sha256, k.sha1, k.md5
    FROM events e NOT INDEXED JOIN temp.place_files f ON f.id = e.file_id JOIN contents k ON k.id = e.content_id
    JOIN processes n ON n.id = e.process_id
    WHERE e.id < {EVENTS_END} AND n.image_key <> '' AND coalesce(k.size, 1) > 0 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"""
_EVENTS = f"""
    SELECT e.id, e.time, h.name, p.path, n.name, a.name, e.file_id, e.process_id, e.account_id, e.match_key, e.ordinal
    FROM events e JOIN temp.place_files f ON f.id = e.file_id JOIN processes n ON n.id = e.process_id
    JOIN hosts h ON h.id = e.host_id JOIN files p ON p.id = e.file_id LEFT JOIN accounts a ON a.id = e.account_id
    WHERE e.content_id = ? AND e.host_id = ? AND f.shape = ? AND n.image_key = ? AND e.id < {EVENTS_END} ORDER BY {IN_TIME}"""


@dataclass(frozen=True)
class _Content:
    """One content that one program gave one file, and the first time on each host."""

    id: int
    hashes: tuple[str | None, ...]
    hosts: dict[int, float]
    days: int

    def differs(self, other: _Content) -> bool:
        """Is it known to be another?"""
        pairs = [(one, two) for one, two in zip(self.hashes, other.hashes, strict=True) if one and two]
        return bool(pairs) and all(one != two for one, two in pairs)


def unlike(db: apsw.Connection) -> Iterator[Finding]:
    """One finding for each host and program that wrote such contents."""
    groups: dict[tuple[int, str], list[tuple[int, int, int]]] = {}
    for (shape, image), rows in groupby(db.execute(_GROUPS), key=lambda row: (row[0], row[1])):
        contents: dict[int, _Content] = {}
        for _, _, content, host, time, days, *hashes in rows:
            contents.setdefault(content, _Content(content, tuple(hashes), {}, days)).hosts[host] = _seconds(time)
        for one, host, others in _odd(list(contents.values())):
            groups.setdefault((host, image), []).append((one, shape, others))
    found = [_finding(db, host, image, odd) for (host, image), odd in groups.items()]
    yield from (finding for _, finding in sorted(found, key=lambda pair: pair[0]))


def _odd(contents: list[_Content]) -> Iterator[tuple[int, int, int]]:
    """Contents of one host only, that host, and how many others got one and the same other content at about that time."""
    shared = [one for one in contents if len(one.hosts) >= OTHERS]
    for one in contents if shared else ():
        if len(one.hosts) == 1 and one.days < OWN:
            (host, time), = one.hosts.items()
            others = max((sum(at != host and abs(then - time) <= WAVE for at, then in other.hosts.items())
                          for other in shared if other.differs(one)), default=0)
            if others >= OTHERS:
                yield one.id, host, others


def _finding(db: apsw.Connection, host: int, image: str, odd: list[tuple[int, int, int]]) -> tuple[tuple[str, str, str], Finding]:
    rows = sorted((row for content, shape, _ in odd for row in sql.rows(db, _EVENTS, (content, host, shape, image))),
                  key=lambda row: (row[1], *row[9:]))
    last = rows[-1]
    _, time, name, path, program, account, file, process, account_id, *_ = last
    more = f" and {len(odd) - 1:,} more of this kind" if len(odd) > 1 else ""
    others = max(count for _, _, count in odd)
    told = (f"On {name} {program}{f' as {account}' if account else ''} gave {path}{more} a content that no other host has, at "
            f"{time[:19].replace('T', ' ')}, while {others:,} other hosts got one and the same other content from that program "
            "within two days.")
    severity = "low" if len(odd) > CROWD else None
    events = tuple(row[0] for row in [*rows[:LISTED - 1], last])
    content = odd[0][0] if len(odd) == 1 else None
    return (time, name, image), Finding("content unlike the other hosts", told, events, severity, host, file, None, process,
                                        account_id, content)


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time[:19]).replace(tzinfo=UTC).timestamp()
