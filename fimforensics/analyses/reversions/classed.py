"""Why a content came back: flapping, rollback, restore or put back, told from how widely, by whom and how soon.

Returns belong together when the same program brought them back, each within an hour of the one before: on one host the files of
a rollback, over the hosts the same content of the same file or value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import apsw

from fimforensics import places, programs, sql
from fimforensics.analyses.contract import Finding
from fimforensics.analyses.reversions.returns import seconds

TOGETHER = 3600.0  # seconds between two returns that belong together
MANY_HOSTS, MANY_FILES = 3, 8
LISTED = 200  # events of one finding; the sentence tells how many there are
_KINDS = {"file_id": ("JOIN files f ON f.id = t.entity", "f.path", "f.key, NULL"),
          "registry_value_id": ("JOIN registry_values f ON f.id = t.entity", "f.path", "f.key, f.name")}
_PASSING = (".dpkg-new", ".dpkg-tmp", ".tmp", ".swp", "~")  # names that files have on their way to another


@dataclass(slots=True)
class Case:
    """One row of `reversions`, with what its class, sentence and finding need."""

    kind: str
    entity: int
    content_id: int | None
    away_by: int
    back_by: int
    since: str
    until: str
    dwell: float
    returns: int
    flapping: int
    away_process: int | None
    away_account: int | None
    process: int | None
    account: int | None
    gap: int
    between: int | None
    hosts: int
    files: int
    away_unseen: int
    unseen: int
    host_id: int
    host: str
    path: str
    key: str
    name: str | None
    image: str | None
    origin_image: str | None
    away_image: str | None
    away_program: str | None
    away_name: str | None
    program: str | None
    name_of_account: str | None
    word: str = ""
    rare: bool = False

    def row(self) -> tuple[object, ...]:
        """The columns of `reversions` after its id."""
        file, value = (self.entity, None) if self.kind == "file_id" else (None, self.entity)
        return (self.word, file, value, self.content_id, self.away_by, self.back_by, self.since, self.until, self.dwell,
                self.returns, self.hosts, self.files, self.away_process, self.away_account, self.process, self.account,
                sentence(self))


def cases(db: apsw.Connection) -> Iterator[Case]:
    """Every return with its class and breadth, files first, in the order of hosts, entities and time."""
    for kind, (join, path, key) in _KINDS.items():
        _breadth(db, kind, "f.host_id, p.image_key", "t.entity", "files")
        _breadth(db, kind, f"{key}, coalesce(t.content_id, t.data), p.image_key", "f.host_id", "hosts")
        for row in db.execute(f"""
                SELECT t.entity, t.content_id, t.away_by, t.back_by, t.since, t.until, t.dwell, t.returns, t.flapping,
                    t.away_process, t.away_account, t.process, t.account, t.gap, t.between_id, t.hosts, t.files, t.away_unseen,
                    t.unseen, f.host_id, h.name, {path}, {key}, p.image_key, o.image_key, q.image_key, q.name, b.name, p.name,
                    a.name
                FROM temp.returned_{kind} t {join} JOIN hosts h ON h.id = f.host_id
                LEFT JOIN processes p ON p.id = t.process LEFT JOIN accounts a ON a.id = t.account
                LEFT JOIN processes o ON o.id = t.origin LEFT JOIN processes q ON q.id = t.away_process
                LEFT JOIN accounts b ON b.id = t.away_account
                ORDER BY h.key, {key}, t.until, t.since, t.id"""):
            case = Case(kind, *row)
            if case.key.endswith(_PASSING):
                continue
            case.word = _word(case)
            case.rare = case.word == "put back" and case.between is not None and not elsewhere(db, case.between, case.host_id)
            yield case


def _breadth(db: apsw.Connection, kind: str, group: str, member: str, column: str) -> None:
    """Fills in how many different members of the group came back together with each return."""
    rows = db.execute(f"""SELECT t.id, json_array({group}), {member}, t.until FROM temp.returned_{kind} t {_KINDS[kind][0]}
        LEFT JOIN processes p ON p.id = t.process WHERE NOT t.flapping ORDER BY 2, 4, 1""")
    run: list[int] = []
    members: set[int] = set()
    told: list[tuple[int, int]] = []
    now, last = "", 0.0
    for number, key, one, time in rows:
        at = seconds(time)
        if key != now or at - last > TOGETHER:
            told += [(len(members), done) for done in run]
            run, members = [], set()
        now, last = key, at
        run.append(number)
        members.add(one)
    told += [(len(members), done) for done in run]
    db.cursor().executemany(f"UPDATE temp.returned_{kind} SET {column} = ? WHERE id = ?", (one for one in told if one[0] > 1))


def _word(case: Case) -> str:
    """The class."""
    if case.flapping:
        return "flapping"
    tool = programs.restores(case.image)
    if case.hosts >= MANY_HOSTS or case.files >= MANY_FILES or (tool and max(case.hosts, case.files) > 1):
        return "rollback"
    return "restore" if case.gap or tool or _keeper(case) else "put back"


def _keeper(case: Case) -> bool:
    """Did the program that had written the content before undo what another did, as one that keeps a file as it should be?"""
    return bool(case.image) and case.image == case.origin_image and case.image != case.away_image


def elsewhere(db: apsw.Connection, content: int, host: int) -> bool:
    """Was the content on another host too?"""
    return bool(sql.rows(db, "SELECT 1 FROM file_versions v JOIN files f ON f.id = v.file_id "
                             "WHERE v.content_id = ? AND f.host_id <> ? LIMIT 1", (content, host)))


def severity(case: Case) -> str | None:
    """How much its finding weighs; None where it deserves none: settings of the registry go back and forth all day."""
    if case.word != "put back":
        return "info" if case.word == "restore" or case.kind != "file_id" else "low"
    if case.kind != "file_id":
        place = places.registry_place(case.key, case.name)
        return "medium" if place and place.starts else None
    place = places.file_place(case.key)
    if is_program(case.key):
        return "high" if case.rare else "medium"
    alone = case.away_program == case.program and case.away_account == case.account
    return "low" if alone and not (place and place.severity != "low") else "medium"


def is_program(key: str) -> bool:
    """Does a file of this key run or is it loaded: one in a place from which programs start, or a program of the system?"""
    place = places.file_place(key)
    return bool(place and place.starts) or places.installed_program(key)


def sentence(case: Case) -> str:
    """What was seen, and what makes it of its class."""
    what = f"On {case.host} {case.path}"
    by = who(case.program, case.name_of_account)
    if case.word == "flapping":
        return (f"{what} came back to one content {case.returns:,} times from {clock(case.since)} to {clock(case.until)}, "
                f"after {span(case.dwell)} on average: a habit, last through {by}.")
    left = "deleted" if case.gap else "changed"
    away = f"unseen after {clock(case.since)}" if case.away_unseen else (
        f"by {who(case.away_program, case.away_name)} at {clock(case.since)}")
    came = f"by {clock(case.until)}, by a change that no event tells of" if case.unseen else (
        f"{span(case.dwell)} later, at {clock(case.until)}, through {by}")
    told = f"{what} was {left} {away} and had its earlier content again {came}"
    if case.word == "rollback":
        return f"{told}: {_together(case)}, as when an update is taken back."
    if case.word == "restore":
        why = ("what was deleted is there again" if case.gap else "it had written that content before" if _keeper(case) else
               "that program restores by trade")
        return f"{told}: {why}."
    return f"{told}: nobody else did so at that time" + ("; the content in between was on no other host." if case.rare else ".")


def _together(case: Case) -> str:
    one, many = ("this file", "files") if case.kind == "file_id" else ("this value", "values")
    parts = [f"{case.files:,} {many} of this host"] * (case.files > 1) + [f"{one} on {case.hosts} hosts"] * (case.hosts > 1)
    return " and ".join(parts) + " did so together"


def who(program: str | None, account: str | None) -> str:
    """A program and its account in words."""
    return f"{program or 'a program that the row does not name'}{f' as {account}' if account else ''}"


def clock(time: str) -> str:
    """A time in a sentence."""
    return time[:19].replace("T", " ")


def span(amount: float) -> str:
    """Seconds in words: `6 minutes`."""
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if amount >= size:
            return f"{int(amount // size):,} {unit}{'' if amount // size == 1 else 's'}"
    return "less than a second"


def findings(found: Iterable[Case]) -> Iterator[Finding]:
    """One for each put back; the others together by host, class and program."""
    groups: dict[tuple[int, str, str], list[Case]] = {}
    counts: dict[tuple[int, str, str], int] = {}
    for case in found:
        weight = severity(case)
        if weight and case.word == "put back":
            file, value = (case.entity, None) if case.kind == "file_id" else (None, case.entity)
            yield Finding("reversion", sentence(case), (case.away_by, case.back_by), weight, case.host_id, file, value,
                          case.process, case.account, case.content_id)
        elif weight:
            key = (case.host_id, case.word, case.program or "")
            counts[key] = counts.get(key, 0) + 1
            groups.setdefault(key, []).append(case)
            del groups[key][LISTED // 2:]
    for key, group in groups.items():
        yield _gathered(group, counts[key])


def _gathered(group: list[Case], count: int) -> Finding:
    one = group[0]
    more = f" So it is with {count - 1:,} more of this host." if count > 1 else ""
    events = [event for case in sorted(group, key=lambda case: (case.until, case.key)) for event in (case.away_by, case.back_by)]
    file = one.entity if one.kind == "file_id" and count == 1 else None
    value = one.entity if one.kind != "file_id" and count == 1 else None
    return Finding("restored" if one.word == "restore" else one.word, sentence(one) + more, tuple(events), severity(one),
                   one.host_id, file, value, one.process, one.account)
