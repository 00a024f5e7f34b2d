"""The words of sentences: who, when, how much later, how many."""

from __future__ import annotations

from datetime import datetime


def who(process: str | None, account: str | None) -> str:
    """`w3wp.exe (CONTOSO\\iis)`, or what is known of it."""
    if process is None:
        return account or "an unknown process"
    return f"{process} ({account})" if account else process


def clock(time: str) -> str:
    """`2026-10-12 08:00:05`"""
    return time[:10] + " " + time[11:19]


def later(since: str, until: str) -> str:
    """`3 minutes later`, in the greatest unit of which there are two or more; `at once` within a second."""
    seconds = (datetime.fromisoformat(until[:26]) - datetime.fromisoformat(since[:26])).total_seconds()
    if seconds < 1:
        return "at once"
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds // length)} {unit}s later"
    return f"{int(seconds)} second{'' if int(seconds) == 1 else 's'} later"


def counted(files: int, values: int) -> str:
    """`3 files and 1 registry value`"""
    told = [f"{number:,} {one}{'' if number == 1 else 's'}" for number, one in ((files, "file"), (values, "registry value"))
            if number]
    return " and ".join(told) or "nothing that has a name"
