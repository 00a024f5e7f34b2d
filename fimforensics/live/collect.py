"""Collecting, from what is asked to what the case holds: for each table a ledger, in it a window, of it a proven snapshot.

Whatever was stopped goes on: a window that is planned is pulled, one that is pulled becomes a file, a file goes into the case.
Only when nothing is left from before does a new window begin.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fimforensics import case as cases
from fimforensics.errors import Misuse, Problem, Refused
from fimforensics.evidence import pulls
from fimforensics.ingest import Options, Progress, Source, Taken, take
from fimforensics.live import kql, proof
from fimforensics.live.clouds import CLOUDS, Cloud
from fimforensics.live.gate import Gate
from fimforensics.live.kql import Asked, Window
from fimforensics.live.ledger import Ledger, home, known, ledgers, unwritable
from fimforensics.live.plan import Aim, Planner
from fimforensics.live.pull import Pull, Settings, State
from fimforensics.live.service import Effort, Service
from fimforensics.live.signin import SignIn

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch
_RESOURCE = re.compile(r"/subscriptions/[^\s?#]+", re.IGNORECASE).fullmatch


@dataclass(frozen=True)
class Place:
    """Where to collect, and as whom."""

    scope: str  # a workspace's id, or a resource's path
    cloud: Cloud = CLOUDS["public"]
    endpoint: str | None = None
    auth: str = "cli"
    ca: Path | None = None
    plan: str = "analytics"
    prompt: Callable[[str, str], None] = lambda url, code: None

    @property
    def host(self) -> str:
        """Where queries go."""
        return (self.endpoint or self.cloud.audience).rstrip("/").removesuffix("/v1")

    @property
    def path(self) -> str:
        """The path of queries below the service's version."""
        form = "query" if self.plan == "analytics" else "search"
        return f"{self.scope}/{form}" if self.scope.startswith("/") else f"/workspaces/{self.scope}/{form}"

    def service(self, gate: Gate) -> Service:
        """The service there, not opened yet."""
        return Service(SignIn(self.auth, self.cloud, self.ca, self.prompt), self.host, self.path, self.ca, gate)


@dataclass(frozen=True)
class Collected:
    """What became of one table: its window's figures, and what the case took."""

    asked: Asked
    window: dict[str, Any] | None  # None: the last one ends at the service's now
    taken: list[Taken] = field(default_factory=list)
    rows: int = 0


@dataclass(frozen=True)
class Preview:
    """What a pull would be; figures that cannot be known without paying for them are None."""

    asked: Asked
    cut: int
    rows: int | None
    size: int | None  # bytes of answers, as far as they can be foreseen
    slices: int
    requests: int
    seconds: float | None
    scans: int  # how often the span's data would be scanned and billed; 0 on the Analytics plan


def check(place: Place, asked: Asked) -> None:
    """Misuse where this can be asked of nobody."""
    if _GUID(place.scope) is None and _RESOURCE(place.scope) is None:
        what = "--resource: a resource's id begins with /subscriptions/" if place.scope.startswith("/") else (
            f"--workspace: {place.scope!r} is no workspace's id")
        raise Misuse(what, hint="The id of a workspace is the GUID on its overview page, not its name")
    if not place.host.startswith("https://"):
        raise Misuse("--endpoint: an address that begins with https://")
    if place.ca is not None and not place.ca.is_file():
        raise Misuse(f"--ca: there is no file {place.ca}")
    kql.check(asked)
    if place.plan != "analytics" and (asked.since is None or asked.until is None):
        raise Misuse(f"--table-plan {place.plan} goes with --since and --until: what is scanned is billed")


def ready(case: Path, options: Options) -> None:
    """Problem where the case could not take what is collected: it is told before anything is pulled."""
    if not case.absolute().parent.is_dir():
        raise Problem("there is no such folder", where=str(case.absolute().parent), hint="Name a case in a folder that is there")
    if case.exists():
        cases.check_header(case)
        with cases.change(case):
            options.case_key or cases.read_key(cases.key_file(case))


def earlier(case: Path, place: Place, asked: Asked) -> list[Asked]:
    """What was collected before of this scope and table with these filters, whatever its span."""
    plain = replace(asked, since=None, until=None)
    return [one for one in known(case, place.scope) if replace(one, since=None, until=None) == plain]


def nothing_before(case: Path, place: Place, asked: Asked) -> Problem:
    """Why there is nothing to go on with: it was never collected, or its ledger is gone."""
    ledger = ledgers(case)
    if case.exists():
        with cases.reading(case) as connection:
            if pulls.any_of(connection, place.scope, proof.filters(asked)):
                return Problem(f"the ledger of what was collected of {asked.table} is not there", where=str(ledger),
                               hint="Bring that folder back; or leave --new out: all is pulled again, what the case has is known")
    return Problem(f"nothing of {asked.table} was collected here before with these filters", where=str(case),
                   hint="Leave --new out")


def preview(place: Place, asked: Asked, settings: Settings) -> Preview:
    """What a pull of everything would be; nothing is pulled, nothing written."""
    with place.service(Gate()).open() as service:
        ledger: Any = None
        pull = Pull(service, asked, ledger, settings, lambda _: None)
        cut = pull.cut_at()
        planner = Planner(service, asked, Window(None, cut), Aim(), Effort(), settings.searching)
        rows, slices = pull.plan(planner)
        if settings.searching:
            return Preview(asked, cut, None, None, len(slices), 2 * len(slices), None, 2)
        size = int(sum(one.size for one in slices) * planner.aim.swelling)
        pieces = sum(max(1, -(-one.rows // planner.aim.rows), -(-int(one.size * planner.aim.swelling) // planner.aim.size))
                     for one in slices)
        return Preview(asked, cut, rows, size, pieces, pieces + planner.effort.requests + 2,
                       max(size / 10e6, pieces * 2.0 / settings.concurrency), 0)


def collect(case: Path, place: Place, asked: Asked, settings: Settings, options: Options, watch: Callable[[State], None],
            progress: Progress) -> Iterator[Collected]:
    """Pulls what is new of one table into the case; or what an earlier pull left undone, and what is new after it with `more`."""
    ledger = Ledger(home(case, place.scope, asked), place.scope, asked)
    try:
        while True:
            left = [row for row in ledger.windows() if row["state"] != "stored"]
            last = not left or not settings.more
            number = left[0]["id"] if left else None
            if not left or left[0]["state"] == "planned":
                number = _pull(place, asked, settings, ledger, number, watch)
            if number is None:
                yield Collected(asked, None)
                return
            yield _store(case, place, asked, ledger, number, options, progress)
            if last:
                return
    finally:
        ledger.close()


def _pull(place: Place, asked: Asked, settings: Settings, ledger: Ledger, number: int | None,
          watch: Callable[[State], None]) -> int | None:
    """Pulls the window with this number, or a new one; its number, None where there can be nothing new."""
    try:
        with place.service(Gate()).open() as service:
            pull = Pull(service, asked, ledger, settings, watch)
            pull.told("signing in and asking for the service's time")
            if number is None:
                number = pull.begin(pull.cut_at())
            if number is None:
                return None
            if ledger.window(number)["recounted"] is None:
                pull.again(number)
            pull.run(number)
            return number
    except OSError as error:
        raise unwritable(ledger.folder, error) from None


def _store(case: Path, place: Place, asked: Asked, ledger: Ledger, number: int, options: Options,
           progress: Progress) -> Collected:
    """A pulled window into the case, with its proof."""
    row = ledger.window(number)
    name = place.scope.strip("/").rpartition("/")[2]
    try:
        found = []
        for path, held in proof.files(ledger, number):
            proven = proof.pulled(ledger, row, place.scope, asked, place.cloud.name, place.host, held)
            found.append(Source(path, f"{name}/{asked.table}/{path.name}", ("live", ledger.id), pulled=proven))
    except OSError as error:
        raise unwritable(ledger.folder, error) from None
    taken = take(case, found, options, progress)
    for one in taken:
        if one.refused:
            raise Refused(one.refused)
    ledger.stored(number)
    return Collected(asked, row, taken, sum(one.rows for source in found if source.pulled for one in source.pulled.slices))
