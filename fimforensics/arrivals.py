"""How a content spread over a fleet: all at once, as deployments do, or host after host, as people do.

Judged from the first arrival on every host: how many of the fleet's hosts, how far apart in time, by which program and account.
The program that carried it counts most: package managers and deployment tools bring what they bring everywhere, file copies
over a network and remote shells bring it where somebody sends it. The rule is told in `judge`, and in each sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from statistics import median

from fimforensics import programs

# The hashes of the empty file, which links nothing.
EMPTY = ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
         "d41d8cd98f00b204e9800998ecf8427e")
AT_ONCE, CHAIN = "at once", "in a chain"
QUICK = 60.0  # seconds: no gap over this is a program going round, whatever it is
WINDOW = 300.0  # seconds from the first host to the last
APART = 7 * 86_400.0  # a median gap over this joins nothing
EVEN, EVEN_SECONDS = 0.01, 3.0  # gaps that differ by less than this share, or by no more seconds, are a schedule's


@dataclass(frozen=True, slots=True)
class Arrival:
    """The first time a host had it: when (seconds), by which program (its image, or its name) and account."""

    seconds: float
    program: str | None  # None: nobody is named, as in a look once a day, or by a change that only shows that it was there
    account: str | None = None
    remote: bool = False  # on whose behalf over the network is told


@dataclass(frozen=True, slots=True)
class Judged:
    """The mode (None where nothing can be said), the sentence why, and the median gap between two arrivals in seconds."""

    mode: str | None
    why: str
    gap: float | None


def seconds(time: str) -> float:
    """A canonical time as seconds since 1970."""
    return _minute(time[:16]) + float(time[17:-1])


def written(moment: float) -> str:
    """Seconds since 1970 as a canonical time, cut to whole seconds."""
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%S") + ".0000000Z"


@lru_cache(maxsize=1 << 14)
def _minute(text: str) -> float:
    return datetime.fromisoformat(text + ":00+00:00").timestamp()


def carries(one: Arrival) -> bool:
    """Did it come over the network by somebody's hand?"""
    return one.remote or programs.carries(one.program)


def is_remote(address: str | None) -> bool:
    """Does the address of a request tell of another machine?"""
    return bool(address) and address not in ("::1", "-", "::", "0.0.0.0", "localhost") and not str(address).startswith("127.")


def few(fleet: int) -> int:
    """Up to how many hosts a spread may be somebody's: half of the fleet, three at the least."""
    return max(3, fleet // 2)


def judge(arrivals: Sequence[Arrival], fleet: int) -> Judged:
    """How it spread, from the first arrival on every host in order of time, and the number of hosts in the fleet.

    In this order: one host says nothing; more than `few` hosts, at once; nobody named, at once within WINDOW, else nothing; half
    of the hosts or more by deployment tools, at once; a median gap over APART, nothing; no gap over QUICK, at once; three hosts
    or more in even steps by one program and account, at once; somebody's copy over the network, in a chain; within WINDOW, at
    once; else in a chain.
    """
    hosts = len(arrivals)
    if hosts < 2:
        return Judged(None, "Only one host is known to have it.", None)
    gaps = [after.seconds - before.seconds for before, after in pairwise(arrivals)]
    gap, span = round(median(gaps), 7), arrivals[-1].seconds - arrivals[0].seconds
    told = f"{hosts:,} of {fleet:,} hosts"
    if hosts > few(fleet):
        return Judged(AT_ONCE, f"{told} have it: so many are usually reached by a deployment.", gap)
    named = [one for one in arrivals if one.program is not None]
    if len(named) < 2:
        if span <= WINDOW:
            return Judged(AT_ONCE, f"{told} had it within {lasting(span)}.", gap)
        return Judged(None, f"{told} have it, but who brought it is told of {len(named)} of them: the times may be those of a "
                            "look, not of an arrival.", gap)
    tools = sum(programs.deploys(one.program) for one in named)
    if tools * 2 >= hosts:
        return Judged(AT_ONCE, f"On {tools:,} of {hosts:,} hosts a package manager or deployment tool brought it.", gap)
    if gap > APART:
        return Judged(None, f"{told} have it, but too far apart in time to belong together ({lasting(gap)}).", gap)
    return _by_hand(arrivals, gaps, gap, span, told)


def _by_hand(arrivals: Sequence[Arrival], gaps: list[float], gap: float, span: float, told: str) -> Judged:
    """The second half of the rule: few hosts, and no deployment tool."""
    if max(gaps) <= QUICK:
        return Judged(AT_ONCE, f"{told} had it within {lasting(span)}, never more than {lasting(QUICK)} between two.", gap)
    if len({(programs.name(one.program or ""), one.account) for one in arrivals}) == 1 and len(gaps) > 1 \
            and max(gaps) - min(gaps) <= max(EVEN_SECONDS, EVEN * gap):
        return Judged(AT_ONCE, f"{told} had it in even steps of {lasting(gap)} by the same program and account, as a schedule "
                               "does.", gap)
    copies = sum(carries(one) for one in arrivals[1:])
    if copies:
        return Judged(CHAIN, f"{told} had it one after another in {lasting(span)}; to {copies:,} of the later it came over the "
                             "network by a copy or a remote session.", gap)
    if span <= WINDOW:
        return Judged(AT_ONCE, f"{told} had it within {lasting(span)}.", gap)
    return Judged(CHAIN, f"{told} had it one after another in {lasting(span)}, by no deployment tool and in uneven steps.", gap)


def lasting(span: float) -> str:
    """A span of time in one unit, as people say it: `9 seconds`, `31 minutes`, `5 hours`, `3 days`."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if span >= 2 * length or (unit == "minute" and span >= 60):
            number = round(span / length)
            return f"{number:,} {unit}{'s' * (number != 1)}"
    number = round(span)
    return "less than a second" if 0 < span < 1 else f"{number} second{'s' * (number != 1)}"
