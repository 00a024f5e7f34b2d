"""The plain sentences on the page of a file or registry value: what is known in one line, and what each version's row cannot say.

All of it is text as the evidence has it: the template makes it visible.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from fimforensics import arrivals
from fimforensics.queries.history import HASHES
from fimforensics.queries.life import COUNTED
from fimforensics.site.lanes import Lanes

BASES = {"hash": "a hash was told", "size": "only the size was told", "event only": "nothing was told of it",
         "data": "the data were told", "inferred from old value": "the next event told it as old data",
         "deleted": "deleted", "moved away": "renamed away", "key deleted": "its key was deleted"}


def headline(versions: Sequence[dict], lanes: Lanes, in_all: int, word: str) -> str:
    """What is known in one line: how many contents, since when, what is last known of it and by whom, and what is unknown."""
    if not versions:
        return f"No version is known: no event tells what it held, so its {word} is not known at any time."
    last, contents = versions[-1], _counted(lanes.contents, word)
    since = versions[0]["since"]
    many = f" in {_counted(in_all, 'version')}" if in_all > max(1, lanes.contents) else ""
    begin = f"{'The newest of ' + format(in_all, ',') + ' versions: ' if lanes.left_out else ''}" \
            f"{contents}{many if not lanes.left_out else ''}" + (f" since {_time(since)}" if since else "")
    back = f"; an earlier one came back {_times(lanes.reverted)}" if lanes.reverted else ""
    return f"{begin[:1].upper()}{begin[1:]}{back}. {_last(last, word)} {_unknown(versions, lanes, word)}".strip()


def _last(version: dict, word: str) -> str:
    doer = "".join((f", by {_process(version)}" if version["process"] else "",
                    f", as {version['account']}" if version["account"] else ""))
    when = f"at {_time(version['since'])}" if version["since"] else "nobody knows when"
    if version["state"] == "absent":
        how = {"moved away": "renamed away", "key deleted": "gone with its key"}.get(version["basis"], "deleted")
        return f"Last known: {how} {when}{doer}."
    if version["change"] is None:
        return f"Last known: changed unseen {'after ' + _time(version['since']) if version['since'] else 'at an unknown time'}."
    known = any(version.get(kind) for kind in HASHES) or version.get("data") is not None
    what = f"this {word}" if known else f"a {word} that is not known"
    return f"Last known: {what} {'since ' + _time(version['since']) if version['since'] else 'since an unknown time'}{doer}."


def _unknown(versions: Sequence[dict], lanes: Lanes, word: str) -> str:
    first = versions[0]
    parts = []
    if not lanes.left_out and first["since"] is not None and first["before"] != "absent":
        parts.append(f"what was there before {_time(first['since'])}")
    if not lanes.left_out and first["since"] is None:
        parts.append(f"since when the first {word} was there, and who set it")
    untold = sum(lane.periods for lane in lanes.lanes if lane.kind == "unknown")
    if untold:
        parts.append(f"the {word} of {_counted(untold, 'version')}")
    unseen = sum(1 for one in versions if one["until"] and one["ended_by"] is None)
    if unseen:
        parts.append(f"who changed it unseen {_times(unseen)}")
    return f"Not known: {'; '.join(parts)}." if parts else "Nothing in between is unknown, as far as the events tell."


def notes(version: dict, word: str) -> Iterator[str]:
    """What the columns of a version's row cannot tell; renames are told with their links by the template."""
    if version["since"] is None:
        yield "since when is not known"
    if version["first"] and version["since"] is not None:
        yield "not there before" if version["before"] == "absent" else f"{word} before not known"
    if version["over"]:
        yield "came over what was here"
    if version["basis"] == "inferred from old value" and version["since"] and version["begun_by"] is None:
        yield "set unseen in this time"
    if version["here"] == "same":
        yield f"the same {word} as was here before"
    if version["here"] == "unknown" and version["change"]:
        yield f"whether the {word} changed is not known"
    if version["state"] == "absent" and version["until"] and version["since"]:
        yield f"gone for {span(version['since'], version['until'])}"
    if version.get("deleted_hash"):
        yield f"deleted with content {version['deleted_hash']}"
    if version["until"] and version["ended_by"] is None:
        yield "changed unseen after this"
    if version["events"] > 1:
        yield f"{version['events']:,} events, the last {_time(version['last_seen'])}"


def lasted(version: dict) -> str:
    """How long a version lasted, `still so`, or '' where it has no begin."""
    if version["until"] is None:
        return "still so"
    return span(version["since"], version["until"]) if version["since"] else ""


def span(since: str, until: str) -> str:
    """The time between two moments in one unit; exact moments of less than a second apart in milliseconds."""
    seconds = max(0.0, arrivals.seconds(until) - arrivals.seconds(since))
    return f"{seconds * 1000:,.0f} ms" if 0.0005 <= seconds < 1 else arrivals.lasting(seconds)


def events_told(number: int) -> str:
    """A number of events that was counted up to a bound."""
    return f"more than {COUNTED:,} events" if number > COUNTED else _counted(number, "event")


def _counted(number: int, word: str) -> str:
    if word == "data":
        return f"{number:,} different data" if number > 1 else "the same data" if number else "no data told"
    return f"{number:,} {word}{'' if number == 1 else 's'}" if number else f"no {word} told"


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")


def _time(time: str) -> str:
    return datetime.fromisoformat(time[:19]).isoformat(" ")


def _process(version: dict) -> str:
    return str(version["process"]) + ("" if version["pid"] is None else f"[{version['pid']}]")
