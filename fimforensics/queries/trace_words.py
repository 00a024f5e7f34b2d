"""A trace told in words: what each step says of the one before, why it ranks so, what was cut; and short names of things."""

from __future__ import annotations

from fimforensics import paths
from fimforensics.queries.trace import COUNTED, Cut, Step, Trace
from fimforensics.queries.trace_rank import Score
from fimforensics.queries.trace_steps import Move

ON_HOSTS = ("file", "registry value", "process")  # whose names begin with their host
RELATIONS = ("created", "modified", "renamed", "deleted", "set", "renamed to", "had", "ran", "became", "acted through")
_LABELS = {"had": "had content", "renamed to": "was renamed to"}


def label(relation: str) -> str:
    """A relation as people read it between its two ends."""
    return _LABELS.get(relation, relation)


def around(move: Move, back: bool) -> tuple[str, str]:
    """What stands before and after the name of the thing that a step leads to; `it` is the thing of the step before."""
    content = move.relation == "had"
    if back:
        if content and move.to.key == move.object:
            return "it had content", ", which was elsewhere before"
        return "", "had it" if content else f"{label(move.relation)} it"
    if content:
        return ("had content", ", which came elsewhere") if move.to.key == move.object else ("came to", "")
    return label(move.relation), ""


def basis(move: Move) -> str:
    """By what two things were joined: `by hash`; '' where there is nothing to say."""
    return "" if not move.basis else f"by {move.basis}" if move.relation == "became" else move.basis


def why(points: Score) -> str:
    """Why a step stands so high, in few words."""
    known = f"{points.hosts:,} of {points.of_hosts:,} hosts" if points.hosts is not None else ""
    fan = "" if points.fan == 1 else f"1 of {many(points.fan)}"
    return ", ".join(part for part in (known, fan, span(points.seconds)) if part)


def many(number: int) -> str:
    """A count that ends at COUNTED."""
    return f"more than {COUNTED:,}" if number > COUNTED else f"{number:,}"


def span(seconds: float) -> str:
    """A length of time in its largest unit; '' below a second."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return ""


def host(kind: str, name: str) -> str:
    """The host that a name begins with; '' for things that are on none."""
    return name.partition(":")[0] if kind in ON_HOSTS else ""


def short(kind: str, name: str) -> str:
    """What tells it from its neighbours: a file's name, a value's last two parts, a process without its time, part of a hash."""
    if kind == "content":
        return f"{name[:16]}…" if len(name) > 16 else name
    own = name.partition(":")[2] if kind in ON_HOSTS else name
    if kind == "process":
        return own.rpartition("]@")[0] + "]" if "]@" in own else own
    if kind == "registry value":
        return "\\".join(own.rsplit("\\", 2)[-2:])
    return paths.last_segment(own) or own if kind == "file" else own


def cut(found: Trace, one: Cut) -> str:
    """A cut in plain words."""
    step: Step | None = found.steps[one.after - 1] if one.after else None
    kind, name = (step.move.to.kind, found.names[step.move.to.key]) if step else (found.start.kind, found.start.name)
    return (f"{one.shown:,} of {many(one.of)} steps {'before' if one.back else 'after'} {short(kind, name)} by "
            f"“{label(one.relation)}”: the most telling of the nearest in time")
