"""What one account did: on which hosts, through which programs and processes, and who asked for it over the network in its name.

Everything is found through indexes by the account's id, and every list has a bound that its reader is told of.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from fimforensics import places
from fimforensics.queries.of_process import CHANGES, image_of, rows
from fimforensics.queries.rarity import KINDS, fleet, sentence

MOST_PROCESSES = 2_000  # the account's processes that are looked at, those that began to act last
MOST_REQUESTS = 5_000
_RAN = "SELECT r.object_id, p.name, p.pid, p.image_key, p.host_id, h.name, r.events, r.first, r.last"
LOOKED_AT = 6  # processes whose changes are looked at


@dataclass(frozen=True)
class Ran:
    """A process that the account ran: how many events name both, and when."""

    process_id: int
    process: str
    pid: int | None
    image_key: str | None
    host_id: int
    host: str
    events: int
    first: str
    last: str

    @property
    def program(self) -> str:
        """What the analysis of rarity calls its program."""
        return image_of({"image_key": self.image_key, "name": self.process})


@dataclass(frozen=True)
class Asking:
    """Requests in the account's name from one address: how many of its ports, and how they came."""

    ip: str | None
    source: str | None
    ports: int


def account(connection: sqlite3.Connection, number: int) -> dict | None:
    """The account itself."""
    found = rows(connection, "SELECT id, name, sid, domain, account FROM accounts WHERE id = ?", (number,))
    return found[0] if found else None


def ran(connection: sqlite3.Connection, number: int) -> tuple[list[Ran], bool]:
    """The account's processes, those that began to act last first; are there more?"""
    found = connection.execute(
        f"{_RAN} FROM (SELECT * FROM relations WHERE subject_kind = 'account' AND subject_id = ? AND relation = 'ran' "
        "ORDER BY first DESC LIMIT ?) r CROSS JOIN processes p ON p.id = r.object_id CROSS JOIN hosts h ON h.id = p.host_id "
        "ORDER BY r.first DESC, h.key, p.name, p.id", (number, MOST_PROCESSES + 1)).fetchall()
    return [Ran(*row) for row in found[:MOST_PROCESSES]], len(found) > MOST_PROCESSES


def first_seen(connection: sqlite3.Connection, number: int) -> str | None:
    """When the account first acted, by a process, without one, or over the network."""
    found = [row[0] for relation in ("ran", "acted through", *CHANGES) for row in connection.execute(
        "SELECT first FROM relations WHERE subject_kind = 'account' AND subject_id = ? AND relation = ? ORDER BY first LIMIT 1",
        (number, relation))]
    return min(found, default=None)


def requests(connection: sqlite3.Connection, number: int, most: int = 50) -> tuple[list[Asking], bool]:
    """The addresses from which something was asked for in the account's name, most ports first; was anything left out?"""
    found = connection.execute("SELECT ip, source, port FROM requests WHERE account_id = ? LIMIT ?",
                               (number, MOST_REQUESTS + 1)).fetchall()
    ports: dict[tuple[str | None, str | None], set[str | None]] = {}
    for ip, source, port in found[:MOST_REQUESTS]:
        ports.setdefault((ip, source), set()).add(port)
    told = [Asking(ip, source, len(known - {None})) for (ip, source), known in ports.items()]
    told.sort(key=lambda one: (one.ip is None, -one.ports, one.ip or "", one.source or ""))
    return told[:most], len(told) > most or len(found) > MOST_REQUESTS


def acted_through(connection: sqlite3.Connection, number: int, most: int = 50) -> tuple[list[Ran], bool]:
    """The processes that acted over the network in the account's name, the newest first; are there more?"""
    found = connection.execute(
        f"{_RAN} FROM relations r CROSS JOIN processes p ON p.id = r.object_id CROSS JOIN hosts h ON h.id = p.host_id "
        "WHERE r.subject_kind = 'account' AND r.subject_id = ? AND r.relation = 'acted through' "
        "ORDER BY r.first DESC, r.object_id LIMIT ?",
        (number, most + 1)).fetchall()
    return [Ran(*row) for row in found[:most]], len(found) > most


def rare(connection: sqlite3.Connection, one: dict, processes: list[Ran]) -> dict[str, tuple[int, str]]:
    """By program: how many hosts know that the account uses it, and the sentence that says so."""
    whole, found = fleet(connection), {}
    hosts = {places.short(process.host) for process in processes}
    # the account's own name and, where it bears a host's name, what accounts of that kind are counted as
    people = sorted({places.person(one["name"], one["domain"], one["account"], {host}) for host in hosts})
    for program in sorted({process.program for process in processes})[:200]:
        for person in people:
            for count, first in connection.execute("SELECT hosts, first FROM rarity WHERE kind = ? AND subject = ? "
                                                   "AND object = ?", (KINDS[1], person, program)):
                found[program] = count, sentence(whole, KINDS[1], person, program, count, first)[1]
    return found
