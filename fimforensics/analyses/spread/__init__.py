"""Where else a content is: on how many hosts, in how many files, where first, and whether it came at once or in a chain.

One round over the events that tell a content, in the order of contents and files, sorted by SQLite: what is held is one content's
first arrival on each host. How the mode is judged is told in `fimforensics.arrivals`. What is surely the same content as a row of
`contents` counts with it, as `spread.same` finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import apsw

from fimforensics import arrivals, places, sql
from fimforensics.analyses.contract import EVENTS_END, Analysis, Finding, Progress
from fimforensics.analyses.spread import same
from fimforensics.arrivals import Arrival
from fimforensics.queries.rules import BY_NAME

MOST = 1_000  # findings; where a case has more chains, the strongest are told
NAMED = 6  # hosts that a sentence names
LONGEST = 7 * 86_400.0  # seconds from the first host to the last that a finding speaks of

CHAIN = BY_NAME["spread in a chain"]

_ROUND = f"""SELECT {{group}}, {{own}}, {{part}}, e.content_id, e.file_id, e.host_id, e.time, e.match_key, e.ordinal, e.id,
    e.process_id, e.account_id, e.change_id, e.request_id FROM events e NOT INDEXED {{join}}
    WHERE e.content_id IS NOT NULL AND e.id < {EVENTS_END} AND e.time >= '1980' AND e.time < '2101' ORDER BY 1, e.file_id"""
GROUP, OWN, PART, CONTENT, FILE, HOST, TIME, KEY, ORDINAL, EVENT, PROCESS, ACCOUNT, CHANGE, REQUEST = range(14)
Row = tuple[Any, ...]


class _Spread(NamedTuple):
    """One content: the rows of `contents` that it is, its files, and its first event on each host in order of time.

    Each row of `contents` is marked whether this is its own set, or only one that it is a member of; `part`: all of this is in
    a wider set, which is told of instead.
    """

    contents: dict[int, int]
    part: int
    files: int
    firsts: list[Row]
    last: str


class _Chain(NamedTuple):
    """A chain that is worth a finding; smaller is stronger, and the first event's key settles what is equal."""

    by_hand: bool
    span: float
    time: str
    key: bytes
    ordinal: int
    firsts: list[Row]


def run(db: apsw.Connection, progress: Progress) -> Iterator[Finding]:
    """Fills `content_spread`; the findings are made from the chains that were kept on the way."""
    merged = same.find(db)
    statement = _ROUND.format(group="coalesce(s.leader, e.content_id)" if merged else "e.content_id",
                              own="coalesce(s.own, 1)" if merged else "1", part="s.part" if merged else "0",
                              join="LEFT JOIN spread_same s ON s.content_id = e.content_id" if merged else "")
    fleet = sql.cell(db, "SELECT count(DISTINCT host_id) FROM event_counts WHERE day >= '1980' AND day < '2101'")
    chains: list[_Chain] = []
    judged = _judged(db, _contents(db.execute(statement)), fleet, chains, partial(progress, "spread"))
    db.cursor().executemany("INSERT INTO content_spread VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", judged)
    same.drop(db)
    return _findings(db, fleet, chains)


def _contents(rows: Any) -> Iterator[_Spread]:
    """Rows in the order of contents and files, one content at a time."""
    group, part, file, contents, files, best, last = None, 0, None, {}, 0, {}, ""  # type: ignore[var-annotated]
    for row in rows:
        if row[GROUP] != group:
            if best:
                yield _Spread(contents, part, files, sorted(best.values(), key=_natural), last)
            group, part, file, contents, files, best, last = row[GROUP], row[PART], None, {}, 0, {}, ""
        if row[FILE] != file and row[FILE] is not None:
            file, files = row[FILE], files + 1
        contents[row[CONTENT]] = row[OWN]
        time, known = row[TIME], best.get(row[HOST])
        if known is None or (time <= known[TIME] and row[TIME:EVENT] < known[TIME:EVENT]):
            best[row[HOST]] = row
        if time > last:
            last = time
    if best:
        yield _Spread(contents, part, files, sorted(best.values(), key=_natural), last)


def _natural(row: Row) -> Row:
    return row[TIME:EVENT]


def _judged(db: apsw.Connection, spreads: Iterator[_Spread], fleet: int, chains: list[_Chain], done: Any) -> Iterator[Row]:
    """The rows of `content_spread`; what is worth a finding goes to `chains`, never more than a few times MOST."""
    reader = _reader(db)
    empty = {number for (number,) in db.execute(
        "SELECT id FROM contents WHERE sha256 = ? UNION SELECT id FROM contents WHERE sha1 = ? "
        "UNION SELECT id FROM contents WHERE md5 = ? UNION SELECT id FROM contents WHERE size = 0", arrivals.EMPTY)}
    total = sql.cell(db, "SELECT count(*) FROM contents")
    for at, one in enumerate(spreads):
        mode = gap = None
        if len(one.firsts) > 1 and empty.isdisjoint(one.contents):
            there = reader(one.firsts, fleet)
            mode, _, gap = (found := arrivals.judge(there, fleet)).mode, found.why, found.gap
            near = there[-1].seconds - there[0].seconds <= LONGEST
            if mode == arrivals.CHAIN and not one.part and near and _runs(db, one.firsts):
                _keep(chains, there, one.firsts)
        first = one.firsts[0]
        for content in (number for number, own in one.contents.items() if own):
            yield (content, len(one.firsts), one.files, mode, gap, first[HOST], first[EVENT], first[TIME], one.last)
        if not at % 10_000:
            done(at, total)


def _keep(chains: list[_Chain], there: Sequence[Arrival], firsts: list[Row]) -> None:
    chains.append(_Chain(not any(arrivals.carries(one) for one in there[1:]), there[-1].seconds - there[0].seconds,
                         firsts[0][TIME], firsts[0][KEY], firsts[0][ORDINAL], firsts))
    if len(chains) >= 4 * MOST:
        chains.sort(key=lambda chain: chain[:5])
        del chains[MOST + 1:]  # one more, so that it is known that there are more


def _reader(db: apsw.Connection) -> Any:
    """A function that makes arrivals of first events; who brought them is looked up only where it can decide."""
    deleted = {number for (number,) in db.execute("SELECT id FROM changes WHERE change = 'Deleted'")}
    remote = {number for number, ip in db.execute("SELECT id, ip FROM requests") if arrivals.is_remote(ip)}
    names = dict(db.execute("SELECT id, lower(coalesce(account, name)) FROM accounts"))

    @lru_cache(maxsize=1 << 16)
    def program(process: int) -> str | None:
        image, name = sql.rows(db, "SELECT image_key, name FROM processes WHERE id = ?", (process,))[0]
        return places.image(image or "") or name

    def made(firsts: list[Row], fleet: int) -> list[Arrival]:
        if len(firsts) > arrivals.few(fleet):
            return [Arrival(arrivals.seconds(row[TIME]), None) for row in firsts]
        return [Arrival(arrivals.seconds(row[TIME]),
                        None if row[PROCESS] is None or row[CHANGE] in deleted else program(row[PROCESS]),
                        names.get(row[ACCOUNT]), row[REQUEST] in remote) for row in firsts]

    return made


def _runs(db: apsw.Connection, firsts: list[Row]) -> bool:
    """Is it a program, a script or something in a place from which things are run, wherever it came first?"""
    return any(path is not None and places.runs(path, kind) for path, kind in (sql.rows(
        db, "SELECT p.path, e.file_type FROM events e LEFT JOIN paths p ON p.id = e.path_id WHERE e.id = ?", (row[EVENT],))[0]
        for row in (firsts[0], firsts[-1])))


def _findings(db: apsw.Connection, fleet: int, chains: list[_Chain]) -> Iterator[Finding]:
    chains.sort(key=lambda chain: chain[:5])
    more = len(chains) > MOST
    for chain in sorted(chains[:MOST], key=lambda chain: chain[2:5]):
        firsts = chain.firsts
        first = firsts[0]
        yield Finding(CHAIN.name, _sentence(db, fleet, firsts) + (f" (Only the {MOST:,} strongest chains are told.)" * more),
                      tuple(row[EVENT] for row in firsts), host_id=first[HOST], file_id=first[FILE],
                      process_id=first[PROCESS], account_id=first[ACCOUNT], content_id=first[CONTENT])


_NAMES = """SELECT h.name, coalesce(p.path, '(no path)'), coalesce(k.sha256, k.sha1, k.md5), coalesce(i.path, n.name),
    CASE WHEN lower(a.domain) IN (lower(h.name), lower(substr(h.name, 1, instr(h.name, '.') - 1))) THEN a.account ELSE a.name END,
    q.ip
    FROM events e JOIN hosts h ON h.id = e.host_id JOIN contents k ON k.id = e.content_id LEFT JOIN paths p ON p.id = e.path_id
    LEFT JOIN processes n ON n.id = e.process_id LEFT JOIN process_reports g ON g.id = e.process_report_id
    LEFT JOIN images i ON i.id = g.image_id LEFT JOIN accounts a ON a.id = e.account_id
    LEFT JOIN requests q ON q.id = e.request_id WHERE e.id = ?"""


def _sentence(db: apsw.Connection, fleet: int, firsts: list[Row]) -> str:
    told = [sql.rows(db, _NAMES, (row[EVENT],))[0] for row in firsts]
    times = [arrivals.seconds(row[TIME]) for row in firsts]
    first = firsts[0][TIME]
    stops = [f"{told[0][0]} at {first[:10]} {first[11:19]}"]
    stops += [f"{name[0]} {arrivals.lasting(after - before)} later"
              for name, before, after in zip(told[1:NAMED], times, times[1:], strict=False)]
    if len(told) > NAMED:
        stops.append(f"and {len(told) - NAMED:,} more")
    actors = list(dict.fromkeys(
        (image or "an unknown program") + (f" as {account}" if account else "") + (f" from {ip}" if ip else "")
        for _, _, _, image, account, ip in told))
    return (f"{told[0][1]} ({told[0][2][:8]}…) came to {len(told):,} of {fleet:,} hosts one after another in "
            f"{arrivals.lasting(times[-1] - times[0])}: {', '.join(stops)}; brought by {', '.join(actors[:3])}"
            f"{f' and {len(actors) - 3:,} more' if len(actors) > 3 else ''}.")


ANALYSIS = Analysis("spread", "Spread of contents over hosts", ("content_spread",), (), run, (CHAIN,))
