"""The second look: the events of a burst one by one, for what was hit, by whom, and what the files were renamed to."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b

import apsw

from fimforensics import sql
from fimforensics.analyses.bursts.burst import CHANGES, SAME_CONTENT, SAME_NAME, Burst
from fimforensics.analyses.bursts.group import Group
from fimforensics.analyses.bursts.minutes import Minutes, ending_hash, minute_text
from fimforensics.analyses.bursts.usual import Window
from fimforensics.analyses.contract import EVENTS_END
from fimforensics.paths import extension, file_key, folder, last_segment
from fimforensics.programs import bare, installs

SAMPLE = 1_000  # events that a finding stands on
SKETCH = 8
_WINDOW = f"""
    SELECT e.id, e.time, c.change, e.process_id, e.account_id, p.path, o.path
    FROM events e JOIN changes c ON c.id = e.change_id JOIN paths p ON p.id = e.path_id
    LEFT JOIN paths o ON o.id = e.original_path_id
    WHERE e.host_id = ? AND e.time >= ? AND e.time < ? AND +e.id < {EVENTS_END} AND e.file_id IS NOT NULL
    ORDER BY e.time, e.match_key, e.ordinal"""


def looked(db: apsw.Connection, host: Minutes, key: str, window: Window, history: str | None) -> Burst:
    """The burst of changes in these minutes."""
    inside = [at for at, number in enumerate(host.at) if window.begin <= number <= window.end]
    hits = _Hits(set().union(*(host.new_endings.get(host.at[at], ()) for at in inside)))
    for event in db.cursor().execute(_WINDOW, (host.id, minute_text(window.begin), minute_text(window.end + 1))):
        hits.count(*event)
    process, account, program, person, share, installed = _who(db, hits.actors)
    return Burst(
        host.id, key, CHANGES, hits.since, hits.until, hits.events, len(hits.paths), len(hits.folders), hits.renames,
        sum(host.endings[at] for at in inside), sum(host.contents[at] for at in inside), window.usual, history, None, process,
        account, hits.sample[0], hits.last, "", program, person, share, installed, *hits.marks(), hits.existing(),
        tuple(sorted(-number for number in hits.smallest)), (*hits.sample[:SAMPLE - 1], hits.last))


@dataclass
class _Hits:
    """What the events of a burst tell together."""

    new: set[int]  # hashes of extensions that the host had never had
    events: int = 0
    renames: int = 0
    since: str = ""
    until: str = ""
    last: int = 0
    paths: set[int] = field(default_factory=set)  # hashes
    folders: set[int] = field(default_factory=set)
    created: set[int] = field(default_factory=set)
    changed: set[int] = field(default_factory=set)
    sample: list[int] = field(default_factory=list)
    smallest: list[int] = field(default_factory=list)
    actors: Counter[tuple[int | None, int | None]] = field(default_factory=Counter)
    gone: set[int] = field(default_factory=set)
    renamed: dict[int, str] = field(default_factory=dict)  # path → its new ending
    beside: dict[int, tuple[int, str]] = field(default_factory=dict)  # new path → the path without the new ending, and that

    def count(self, event: int, time: str, change: str, process: int | None, account: int | None, path: str,
              was: str | None) -> None:
        """One event; they come in order."""
        self.since, self.until, self.last = self.since or time, time, event
        self.events += 1
        self.actors[process, account] += 1
        if len(self.sample) < SAMPLE:
            self.sample.append(event)
        key = file_key(path)
        place = hash(key)
        (self.created if change == "Created" else self.changed).add(place)
        if change == "Renamed":
            self.renames += 1
            self._rename(key, file_key(was or ""))
        elif change == "Deleted":
            self.gone.add(place)
        if place not in self.paths:
            self.paths.add(place)
            self.folders.add(hash(folder(key)))
            self._sketch(key)
            if change in ("Created", "Modified") and ending_hash(key) in self.new:
                self.beside[place] = (hash(key[:-len(extension(key)) - 1]), extension(key))

    def _rename(self, key: str, was: str) -> None:
        """Is it the mark that encryption leaves? Not where a temporary name, or one made in the same burst, is only dropped."""
        origin = hash(was)
        self.gone.add(origin)
        if was and ending_hash(key) in self.new and not was.startswith(key) and origin not in self.created:
            if hash(key) not in self.paths and ending_hash(was) not in self.new:
                self.renamed[hash(key)] = extension(key)
                self.changed.add(origin)

    def _sketch(self, key: str) -> None:
        """Keeps the paths with the smallest digests: two sets with most paths in common have most of these in common."""
        number = -int.from_bytes(blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
        if len(self.smallest) < SKETCH:
            heapq.heappush(self.smallest, number)
        elif number > self.smallest[0]:
            heapq.heapreplace(self.smallest, number)

    def marks(self) -> tuple[int, str]:
        """How many files keep an ending that the host never had, by rename or as a copy beside the old one; the top ending."""
        endings = self.renamed | {place: ending for place, (base, ending) in self.beside.items() if base in self.changed}
        marked = Counter(ending for place, ending in endings.items() if place not in self.gone)
        return (sum(marked.values()), marked.most_common(1)[0][0]) if marked else (0, "")

    def existing(self) -> int:
        """Paths of which some event tells that they were there before."""
        return len(self.changed)


def _who(db: apsw.Connection, actors: Counter[tuple[int | None, int | None]]) -> tuple:
    """Top process, its account, their names, the share of events by programs of that name, and that by installers.

    Of equals the one seen first is the top one.
    """
    names: dict[int | None, str] = {None: ""}
    programs: Counter[str] = Counter()
    installed = 0
    for (process, _), events in actors.items():
        if process is not None and process not in names:
            name, image = sql.rows(db, "SELECT name, image_key FROM processes WHERE id = ?", (process,))[0]
            names[process] = name
            if installs(bare(image) or name):
                installed += sum(often for pair, often in actors.items() if pair[0] == process)
        programs[names[process]] += events
    program, often = programs.most_common(1)[0]
    (process, account), _ = Counter({pair: many for pair, many in actors.items() if names[pair[0]] == program}).most_common(1)[0]
    person = "" if account is None else sql.cell(db, "SELECT name FROM accounts WHERE id = ?", (account,))
    total = sum(actors.values())
    return process, account, program, person, often / total, installed / total


def noted(db: apsw.Connection, host: Minutes, key: str, group: Group, history: str | None) -> Burst:
    """The burst that is one content, or one new name, in many folders."""
    since, process, account = sql.rows(db, "SELECT time, process_id, account_id FROM events WHERE id = ?", (group.first,))[0]
    until = sql.cell(db, "SELECT time FROM events WHERE id = ?", (group.last,))
    spelled = sorted(sql.cell(db, "SELECT path FROM paths WHERE id = ?", (path,)) for path in group.paths)
    keys = {file_key(path): last_segment(path) for path in spelled}
    low, often = Counter(last_segment(key) for key in keys).most_common(1)[0]
    name = next(name for key, name in keys.items() if last_segment(key) == low)
    _, _, program, person, share, installed = _who(db, Counter({(process, account): 1}))
    return Burst(
        host.id, key, SAME_CONTENT if group.content is not None else SAME_NAME, since, until, group.events, len(keys),
        len(group.folders), 0, 0, 0, host.usual(), history, group.content, process, account, group.first, group.last,
        name if often * 2 > len(keys) else "", program, person, share, installed, 0, "", 0, (), (group.first, group.last))
