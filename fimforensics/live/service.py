"""The service: one query, sent through the SDK's client, answered or refused, tried again as long as that makes sense.

The SDK signs in, speaks TLS and finds proxies; it neither retries nor parses, for it would do both in ways that lose rows.
What may pass is tried again here; what an answer's size or time forbids comes out as `TooMuch`, to be cut smaller; what will
never pass is a Problem, one line.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from fimforensics.errors import Problem
from fimforensics.live import failures
from fimforensics.live.answer import Answer, NotWhole, item_ids, read, reason
from fimforensics.live.gate import Gate, seconds
from fimforensics.live.signin import SignIn

WAIT, GRACE = 600, 60  # seconds that a query may run in the service, and that its answer may come late
TRIES, REFUSALS = 12, 60  # in a row: failures of one query, and times that it is told to come back later
FIRST_TRIES = 5  # as long as nobody was there at all
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 60.0
BLOCK = 1 << 20
T = TypeVar("T")


class TooMuch(Exception):
    """There is more than one answer can hold, or it takes too long; `rows` came before it was cut, 0 where none did."""

    def __init__(self, why: str, rows: int = 0) -> None:
        self.why, self.rows = why, rows
        super().__init__(why)


class Again(Exception):
    """This time it did not work; the next it may."""


@dataclass
class Effort:
    """What a query took: requests sent, and what went wrong, counted by kind."""

    requests: int = 0
    faults: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Body:
    """An answer's bytes on disk, and what they hold."""

    path: Path
    size: int
    sha256: str
    columns: tuple[str, ...]
    rows: int
    failure: str | None
    ids: list[bytes] = field(repr=False, default_factory=list)


class Service:
    """One workspace's or resource's query service, for several workers."""

    def __init__(self, sign_in: SignIn, endpoint: str, path: str, ca: Path | None, gate: Gate) -> None:
        """`path` is that of queries, below the endpoint's `/v1`."""
        self.sign_in, self.endpoint, self.gate, self._path, self._ca = sign_in, endpoint, gate, path, ca
        self._client: Any = None
        self._answered = False

    @contextlib.contextmanager
    def open(self) -> Iterator[Service]:
        """The SDK's client, closed at the end. Loaded here: no other command pays for it."""
        from azure.core.pipeline.policies import RetryPolicy
        from azure.monitor.query import LogsQueryClient

        more = {} if self._ca is None else {"connection_verify": str(self._ca)}
        with LogsQueryClient(
                self.sign_in, endpoint=self.endpoint, audience=self.sign_in.cloud.audience, retry_policy=RetryPolicy.no_retries(),
                connection_timeout=30, read_timeout=WAIT + GRACE, connection_data_block_size=BLOCK, **more) as self._client:
            yield self

    def ask(self, query: str, effort: Effort, timespan: str | None = None) -> list[dict[str, Any]]:
        """The rows of a small answer."""
        def once() -> list[dict[str, Any]]:
            with self._send(query, timespan) as response:
                answer = self._read(b"".join(response.iter_bytes()))
            _whole(answer)
            return answer.values()
        return self.patiently(once, effort)

    def pull(self, query: str, into: BinaryIO, effort: Effort, timespan: str | None = None, partial: bool = False) -> Body:
        """The answer's bytes in this file, on disk for sure; `partial` takes also what the service cut itself."""
        def once() -> Body:
            into.seek(0)
            into.truncate()
            hashed = sha256()
            with self._send(query, timespan) as response:
                for block in response.iter_bytes():
                    hashed.update(block)
                    into.write(block)
            size = into.tell()
            into.flush()
            if not size:
                raise Again("empty")
            into.seek(0)
            answer = self._read(into.read())
            if not partial:
                _whole(answer)
            return Body(Path(into.name), size, hashed.hexdigest(), answer.columns, len(answer.rows), answer.failure,
                        item_ids(answer))
        return self.patiently(once, effort)

    def _read(self, data: bytes) -> Answer:
        try:
            return read(data)
        except NotWhole as error:
            raise Again(f"no whole answer: {error}") from None

    @contextlib.contextmanager
    def _send(self, query: str, timespan: str | None) -> Iterator[Any]:
        """The response to a query, its body still to come; what is no answer is raised."""
        from azure.core.exceptions import AzureError
        from azure.core.rest import HttpRequest

        request = HttpRequest("POST", self._path, json={"query": query} | ({"timespan": timespan} if timespan else {}),
                              headers={"Prefer": f"wait={WAIT}", "Cache-Control": "no-cache"})
        used = self.sign_in.secret
        try:
            response = self._client.send_request(request, stream=True)
            try:
                self._judge(response, used)
                yield response
            finally:
                response.close()
        except AzureError as error:
            raise failures.of_transport(error, self.endpoint, self._ca is not None) from None

    def _judge(self, response: Any, used: str | None) -> None:
        """Raises what a status other than 200 means."""
        status = response.status_code
        self._answered = True
        if status == 200:
            self.gate.passed()
            return
        told = reason(response.read()) or response.reason or "no reason given"
        if status == 429:
            wait = seconds(response.headers.get("Retry-After"), time.time())
            self.gate.shut(wait, "the service, which has too many requests (429)")
            raise failures.Later(told)
        if status == 401:
            self.sign_in.forget(used)
            raise failures.Expired(told)
        if status == 504:
            raise failures.Slow(f"504: {told}")
        if status >= 500 or status in (204, 408):
            raise Again(str(status))
        if status == 413:
            raise TooMuch(told)
        raise failures.of_status(status, told, self.endpoint, self.sign_in.cloud)

    def patiently(self, once: Callable[[], T], effort: Effort) -> T:
        """What `once` gives, tried again as long as what it raises may pass."""
        tries = later = slow = expired = much = 0
        while True:
            self.gate.wait()
            effort.requests += 1
            try:
                return once()
            except failures.Later as error:
                effort.faults["429"] += 1
                later += 1
                if later >= REFUSALS:
                    raise Problem(f"the service refuses for too long (429: {error})", where=self.endpoint,
                                  hint=failures.GO_ON) from None
            except failures.Expired as error:
                effort.faults["401"] += 1
                expired += 1
                if expired > 1:
                    raise failures.of_status(401, str(error), self.endpoint, self.sign_in.cloud) from None
            except failures.Slow as error:
                effort.faults["timeout"] += 1
                slow += 1
                if slow > 1:
                    raise TooMuch(str(error)) from None
            except TooMuch:
                effort.faults["too large"] += 1
                much += 1
                if much > 1:  # once may be an accident, which would cut every other slice in pieces too
                    raise
            except (Again, failures.Broken) as error:
                effort.faults[kind(error)] += 1
                tries += 1
                if tries >= (TRIES if self._answered or not isinstance(error, failures.Nobody) else FIRST_TRIES):
                    raise Problem(f"the service gives no answer, {tries} times in a row (at last: {error})", where=self.endpoint,
                                  hint=failures.GO_ON) from None
                self.gate.waiting_for = f"the service ({error})"[:60]
                pause = min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE)
                self.gate.wait(pause * random.uniform(0.5, 1.0))


def kind(error: Exception) -> str:
    """A word for a failure, to count it by."""
    text = str(error)
    return text.split(":")[0][:40]


def _whole(answer: Answer) -> None:
    """Raises where the answer says itself that it is not whole."""
    if answer.too_large:
        raise TooMuch(answer.failure or "too large", len(answer.rows))
    if answer.failure:
        raise Again(f"partial: {answer.failure}")
