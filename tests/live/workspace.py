"""A Log Analytics workspace as its API shows it: from a request to a response, without the network.

In this order: whose token is it, is there such an address and workspace, is the caller within the limits, does a fault come over
it; then the query is run for real, and the answer cut where a limit or a lie cuts it.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.live import bodies
from tests.live.faults import Faults
from tests.live.kql import Moment, Refused
from tests.live.store import Answer, Store
from tests.live.tokens import AUDIENCE, claims, new_key

WORKSPACE = "3b0c9f52-77aa-4a51-b6ce-0c7c7f1f0a11"
RESOURCE = ("/subscriptions/7b1f0c52-3a0e-4d7c-9d5e-2f6a0b8c4e11/resourceGroups/rg-prod"
            "/providers/Microsoft.Compute/virtualMachines/srv")
START = datetime(2026, 11, 28, 12, tzinfo=UTC)  # what the server's clock shows at first
JSON_TYPE = {"Content-Type": "application/json; charset=utf-8"}


@dataclass(frozen=True)
class Limits:
    """What the service allows. Microsoft's numbers; tests make them smaller."""

    rows: int = 500_000  # of one answer
    bytes: int = 64_000_000
    concurrent: int = 5  # queries of one user at a time; 2 on the Basic and Auxiliary plans
    requests: int = 200  # of one user in `within` seconds
    within: float = 30.0
    slow_rows: int = 10**9  # a query that gives more rows takes longer than the service allows: 504


@dataclass(frozen=True)
class Response:
    """What goes back, and what the way back does to it: "" nothing, "cut" half a body, "drop" nothing sent."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    way: str = ""


@dataclass(frozen=True)
class Asked:
    """One request as the server saw it."""

    path: str
    query: str
    status: int
    what: str  # the fault, or ""
    rows: int


@dataclass
class Workspace:
    """The state of the service: data, limits, clock, and a record of all that was asked."""

    store: Store
    limits: Limits = field(default_factory=Limits)
    faults: Faults = field(default_factory=Faults)
    key: bytes = field(default_factory=new_key)
    audience: str = AUDIENCE
    plans: dict[str, str] = field(default_factory=dict)  # table → "basic" or "auxiliary"; the others are "analytics"
    workspaces: tuple[str, ...] = (WORKSPACE,)
    roles: bool = True  # whether the caller may read
    ahead: float = 0.0  # seconds that the server's clock was moved on
    started: float = field(default_factory=time.monotonic)
    stall: float = 3.0  # seconds that an answer which comes too late keeps one waiting
    hurry: threading.Event = field(default_factory=threading.Event)  # set: no answer is kept back any more
    came: int = 0
    answered: int = 0
    asked: list[Asked] = field(default_factory=list)
    _running: Counter[str] = field(default_factory=Counter)
    _times: dict[str, deque[float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _last_401: int = -100

    def now(self) -> str:
        """The server's clock, 7 digits; it starts in the same hour whenever a test runs."""
        passed = time.monotonic() - self.started + self.ahead
        return (START + timedelta(seconds=passed)).strftime("%Y-%m-%dT%H:%M:%S.%f") + "3Z"

    def respond(self, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """What the service says to a POST."""
        address = path.partition("?")[0]
        user, problem = self._signed_in(headers.get("Authorization", ""))
        problem = problem or self._no_way(address)
        if problem:
            return self._done(address, "", refusal(problem))
        if "application/json" not in headers.get("Content-Type", "") or not body:
            return self._done(address, "", Response(200))
        query = str(json.loads(body).get("query", ""))
        with self._within_limits(user, self._concurrent(address)) as allowed:
            if not allowed:
                return self._done(address, query, refusal(bodies.throttled(), {"Retry-After": "1"}))
            fault = self._fault()
            response, rows = self._faulty(fault, query, address, json.loads(body))
            if fault == "read timeout":
                self.hurry.wait(self.stall)
        return self._done(address, query, response, fault or "", rows)

    def _done(self, path: str, query: str, response: Response, what: str = "", rows: int = 0) -> Response:
        with self._lock:
            self.answered += 1
            self.asked.append(Asked(path, query, response.status, what, rows))
        return response

    def _signed_in(self, header: str) -> tuple[str, bodies.Error | None]:
        if not header.startswith("Bearer "):
            return "", bodies.no_token()
        said = claims(self.key, header.removeprefix("Bearer "))
        if said is None:
            return "", bodies.bad_token()
        if said["aud"] != self.audience:
            return "", bodies.wrong_audience(said["aud"], self.audience)
        if said["exp"] < time.time():
            return "", bodies.expired_token()
        return said["oid"], None if self.roles else bodies.no_role()

    def _no_way(self, address: str) -> bodies.Error | None:
        match = re.fullmatch(r"/v1(?:/workspaces/([^/]+)|(/subscriptions/.+))/(query|search)", address)
        if match is None:
            return bodies.no_path()
        if match[1] is not None:
            return None if match[1].lower() in self.workspaces else bodies.no_workspace()
        return None if match[2].lower() == RESOURCE.lower() else bodies.no_workspace()

    def _concurrent(self, address: str) -> int:
        return min(self.limits.concurrent, 2) if address.endswith("/search") else self.limits.concurrent

    @contextmanager
    def _within_limits(self, user: str, concurrent: int) -> Iterator[bool]:
        """Whether this user may run one more query now; counts it as running meanwhile."""
        with self._lock:
            times = self._times.setdefault(user, deque())
            while times and times[0] < time.monotonic() - self.limits.within:
                times.popleft()
            allowed = self._running[user] < concurrent and len(times) < self.limits.requests
            self._running[user] += 1
            self.came += 1
            times.append(time.monotonic())
        try:
            yield allowed
        finally:
            with self._lock:
                self._running[user] -= 1

    def _fault(self) -> str | None:
        """The next fault; a 401 never comes twice within a few requests, for a fresh token is then accepted."""
        fault = self.faults.draw()
        if fault == "401 once":
            with self._lock:
                if self.answered - self._last_401 < 10:
                    return None
                self._last_401 = self.answered
        return fault

    def _faulty(self, fault: str | None, query: str, address: str, said: dict) -> tuple[Response, int]:
        if fault in INSTEAD:
            return INSTEAD[fault](self.faults), 0
        response, answer = self._run(query, address, said)
        if answer is None or fault is None:
            return response, len(answer.rows) if answer else 0
        if fault == "cut body":
            return Response(200, response.body, JSON_TYPE, "cut"), 0
        error = (bodies.shard_lost(), bodies.too_many_bytes(self.limits.bytes))[self.faults.number(0, 1)]
        kept = answer.rows[:self.faults.number(0, len(answer.rows))] if fault == "partial with rows" else []
        return Response(200, bodies.answer(answer.columns, kept, error), JSON_TYPE), len(kept)

    def _run(self, query: str, address: str, said: dict) -> tuple[Response, Answer | None]:
        """The query, run for real, within the limits of one answer."""
        wrong_door = self._wrong_door(query, address, said)
        if wrong_door:
            return refusal(bodies.bad_query(wrong_door)), None
        try:
            answer = self.store.answer(query, Moment(self.now(), self.answered))
        except Refused as reason:
            return refusal(bodies.bad_query(str(reason))), None
        if len(answer.rows) > self.limits.slow_rows:
            return refusal(bodies.gateway_timeout()), None
        answer = Answer(answer.columns, self.faults.lie([name for name, _ in answer.columns], answer.rows))
        kept, error = self._cut(answer.rows)
        return Response(200, bodies.answer(answer.columns, kept, error), JSON_TYPE), Answer(answer.columns, kept)

    def _wrong_door(self, query: str, address: str, said: dict) -> str | None:
        """Basic and Auxiliary tables are asked at /search, with the time range beside the query; the others at /query."""
        cheap = [table for table, plan in self.plans.items() if plan != "analytics" and re.search(rf"\b{table}\b", query)]
        if address.endswith("/query"):
            return f"Table {cheap[0]} is on the {self.plans[cheap[0]]} plan: use the search API" if cheap else None
        if not cheap and re.search(r"^\s*\w+\s*\|", query):
            return "The search API is for tables on the Basic and Auxiliary plans"
        return None if said.get("timespan") or not cheap else "A time range is required"

    def _cut(self, rows: list[str]) -> tuple[list[str], dict | None]:
        """The rows that fit into one answer, and the error where they are not all."""
        room = self.limits.bytes
        kept: list[str] = []
        for row in rows[:self.limits.rows]:
            room -= len(row.encode()) + 1
            if room < 0:
                return kept, bodies.too_many_bytes(self.limits.bytes)
            kept.append(row)
        return kept, None if len(rows) <= self.limits.rows else bodies.too_many_rows(self.limits.rows)


def refusal(error: bodies.Error, headers: Mapping[str, str] | None = None) -> Response:
    """An error as a response."""
    return Response(error[0], json.dumps(error[1]).encode(), JSON_TYPE | dict(headers or {}))


INSTEAD: dict[str, Callable[[Faults], Response]] = {
    "429 with Retry-After": lambda faults: refusal(bodies.throttled(), {"Retry-After": "0"}),
    "429 without": lambda faults: refusal(bodies.throttled()),
    "5xx": lambda faults: refusal(bodies.unavailable((500, 502, 503)[faults.number(0, 2)])),
    "504": lambda faults: refusal(bodies.gateway_timeout()),
    "read timeout": lambda faults: Response(200, way="drop"),
    "empty 200": lambda faults: Response(200, b"{}", JSON_TYPE),
    "401 once": lambda faults: refusal(bodies.expired_token(), {"WWW-Authenticate": 'Bearer error="invalid_token"'}),
    "connection dropped": lambda faults: Response(200, way="drop"),
    "204": lambda faults: Response(204),
}
