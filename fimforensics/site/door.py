"""Who is at the pages: on one's own machine the account that started them, on shared pages who logged in.

A visitor is known by a random cookie that no script can read. What he may send is known by a token in the form, which only the
holder of this cookie was ever given by this very server; so another site, another port of this machine, or a program without
cookies cannot write in his name. Sessions live in memory and end after twelve hours, with the server, or by logging out.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from fimforensics.passwords import Passwords

LASTS = 12 * 3600  # seconds of a session
MOST_SESSIONS = 1_000
WINDOW = 300  # seconds in which wrong passwords are counted
MOST_WRONG = {"both": 5, "from": 50, "name": 30}  # by one name from one address, from one address, by one name
MOST_COUNTED = 20_000
_COOKIE = re.compile(r"[A-Za-z0-9_-]{43}").fullmatch


@dataclass(frozen=True)
class Visitor:
    """Who asks: his name (None where nobody logged in yet), and the token that his forms must have."""

    name: str | None
    token: str
    cookie: str
    fresh: bool  # the cookie is not his yet


class Attempts:
    """Counts wrong passwords, so that nobody can try many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._wrong: OrderedDict[tuple[str, str], list[float]] = OrderedDict()
        self._clock = clock

    def wait(self, name: str, address: str) -> int:
        """Seconds until this name may be tried again from this address; 0 where it may be now."""
        now, longest = self._clock(), 0.0
        for kind, key in _keys(name, address):
            recent = [at for at in self._wrong.get((kind, key), ()) if now - at < WINDOW]
            if len(recent) >= MOST_WRONG[kind]:
                longest = max(longest, WINDOW - (now - recent[-MOST_WRONG[kind]]))
        return int(longest + 0.999)

    def wrong(self, name: str, address: str) -> None:
        """A wrong password was given."""
        now = self._clock()
        for kind, key in _keys(name, address):
            times = [at for at in self._wrong.pop((kind, key), ()) if now - at < WINDOW]
            self._wrong[kind, key] = [*times, now][-MOST_WRONG[kind]:]
        while len(self._wrong) > MOST_COUNTED:
            self._wrong.popitem(last=False)


def _keys(name: str, address: str) -> tuple[tuple[str, str], ...]:
    short = hashlib.sha256(name.casefold().encode("utf-8", "surrogatepass")).hexdigest()
    return ("both", f"{short} {address}"), ("from", address), ("name", short)


class Door:
    """Knows visitors by their cookies. With `passwords` only who logged in has a name; else everybody is `owner`."""

    def __init__(self, passwords: Passwords | None = None, owner: str | None = None, clock: Callable[[], float] = time.monotonic
                 ) -> None:
        self.passwords, self.owner = passwords, owner
        self.attempts = Attempts(clock)
        self.cookie_name, self.secure = "fimforensics", False
        self._secret, self._clock = secrets.token_bytes(32), clock
        self._sessions: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
        self._one_at_a_time: asyncio.Semaphore | None = None

    @property
    def shared(self) -> bool:
        """Must one log in?"""
        return self.passwords is not None

    def visitor(self, cookie: str | None) -> Visitor:
        """Who has this cookie; a new one where he has none."""
        value = cookie if cookie and _COOKIE(cookie) else secrets.token_urlsafe(32)
        name = self.owner
        if self.shared:
            name, until = self._sessions.get(_hidden(value), (None, 0.0))
            if name is not None and until <= self._clock():
                self._sessions.pop(_hidden(value), None)
                name = None
        return Visitor(name, hmac.new(self._secret, value.encode(), hashlib.sha256).hexdigest(), value, value != cookie)

    async def log_in(self, name: str, password: str, address: str) -> tuple[str | None, int]:
        """The cookie of a new session, else None and the seconds to wait (0: the name or the password is wrong)."""
        if self.passwords is None:
            return None, 0
        if (wait := self.attempts.wait(name, address)):
            return None, wait
        self._one_at_a_time = self._one_at_a_time or asyncio.Semaphore(1)
        async with self._one_at_a_time:  # each costs 32 MiB; those that waited meanwhile are counted, too
            if (wait := self.attempts.wait(name, address)):
                return None, wait
            allowed = await asyncio.get_running_loop().run_in_executor(None, self.passwords.allow, name, password)
            if not allowed:
                self.attempts.wrong(name, address)
                return None, 0
        value = secrets.token_urlsafe(32)
        self._sessions[_hidden(value)] = (name, self._clock() + LASTS)
        while len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return value, 0

    def log_out(self, visitor: Visitor) -> None:
        """Ends a session at once."""
        self._sessions.pop(_hidden(visitor.cookie), None)

    def header(self, value: str) -> tuple[bytes, bytes]:
        """The header that gives a visitor his cookie."""
        told = f"{self.cookie_name}={value}; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if self.secure else "")
        return b"set-cookie", told.encode("ascii")


def _hidden(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()
