"""The page of all findings, narrowed by severity, rule, host or what they are about, and the page of one finding."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlencode

from fimforensics.errors import Misuse
from fimforensics.queries import entities
from fimforensics.queries.event_lines import EventLine, event_lines
from fimforensics.queries.findings import SEVERITIES
from fimforensics.queries.findings_listed import ABOUT, Chosen, counted, listed, of_numbers
from fimforensics.queries.rules import BY_NAME, RULES, WITH_RULES, Rule
from fimforensics.site.parts import FindingLine, Thing, line, things, warnings
from fimforensics.site.twins import Asked

SIZE = 50  # findings on a page, and events of one finding
_TABLES = {"file": "files", "registry_value": "registry_values", "process": "processes", "account": "accounts",
           "content": "contents"}


@dataclass(frozen=True)
class Choice:
    """A filter that can be set or, when it is on, taken away: how many findings it leaves, and the address's query."""

    name: str
    findings: int
    on: bool
    query: str


@dataclass(frozen=True)
class FindingsPage:
    """Some findings with what there is to choose from; `rules` are those of the findings shown, in words."""

    severities: tuple[Choice, ...]
    by_rule: tuple[Choice, ...]
    only: tuple[tuple[Thing, str], ...]  # the host and thing that findings are narrowed to, and the query without each
    findings: int  # that fit
    in_all: int
    page: int
    pages: int
    earlier: str | None  # the query of the page before
    later: str | None
    lines: tuple[FindingLine, ...]
    rules: tuple[Rule, ...]
    looked_for: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class FindingPage:
    """One finding, its rule in words (None for a rule of another version of the program), and its events."""

    finding: FindingLine
    analysis: str
    version: int
    things: tuple[Thing, ...]
    rule: Rule | None
    lines: tuple[EventLine, ...]
    trace: int | None  # its first event
    warnings: tuple[str, ...]


def ask(connection: sqlite3.Connection, asked: Asked) -> FindingsPage:
    """The findings that the address asks for: `severity`, `rule`, `host` (name or number), one of ABOUT, and `page`."""
    chosen = _chosen(connection, asked)
    counts = counted(connection, chosen)
    by_severity, by_rule = Counter[str](), Counter[str]()
    for (severity, rule), count in counts.items():
        by_severity[severity] += count if chosen.rule in (None, rule) else 0
        by_rule[rule] += count if chosen.severity in (None, severity) else 0
    fit = {severity: count for severity, count in by_severity.items() if chosen.severity in (None, severity)}
    total = sum(fit.values())
    pages = max(1, -(-total // SIZE))
    page = asked.whole("page", 1, 1, pages)
    lines = tuple(line(one) for one in listed(connection, chosen, fit, SIZE, (page - 1) * SIZE))
    shown = dict.fromkeys(one.rule for one in lines)
    return FindingsPage(
        tuple(_choice(chosen, "severity", name, by_severity[name]) for name in SEVERITIES),
        tuple(_choice(chosen, "rule", name, by_rule[name]) for name in sorted({rule for _, rule in counts})),
        _only(connection, chosen), total, sum(counts.values()), page, pages,
        _query(chosen, page=page - 1) if page > 1 else None, _query(chosen, page=page + 1) if page < pages else None,
        lines, tuple(BY_NAME[rule] for rule in shown if rule in BY_NAME), tuple(rule.name for rule in RULES),
        warnings(connection, *WITH_RULES))


def ask_one(connection: sqlite3.Connection, asked: Asked) -> FindingPage | None:
    """One finding with its first events; None where there is none of this number."""
    found = of_numbers(connection, [asked.number])
    if not found:
        return None
    numbers = [number for (number,) in connection.execute(
        "SELECT e.id FROM finding_events x JOIN events e ON e.id = x.event_id WHERE x.finding_id = ? "
        "ORDER BY e.time, e.match_key, e.ordinal LIMIT ?", (asked.number, SIZE))]
    lines = event_lines(connection, numbers)
    one, told = found[0], line(found[0])
    return FindingPage(told, one.analysis, one.version, things(one), BY_NAME.get(one.rule), tuple(lines),
                       lines[0].id if lines else None, warnings(connection, one.analysis))


def _chosen(connection: sqlite3.Connection, asked: Asked) -> Chosen:
    severity, rule = asked.one("severity") or None, asked.one("rule") or None
    if severity is not None and severity not in SEVERITIES:
        raise Misuse("there is no such severity", hint="There are: " + ", ".join(SEVERITIES))
    if rule is not None and rule not in BY_NAME and not connection.execute(
            "SELECT 1 FROM findings WHERE rule = ? LIMIT 1", (rule,)).fetchone():
        raise Misuse("there is no such rule", hint="There are: " + ", ".join(BY_NAME))
    about = next(((kind, asked.whole(kind, 0)) for kind in ABOUT if asked.one(kind)), None)
    return Chosen(severity, rule, _host(connection, asked.one("host")), about)


def _host(connection: sqlite3.Connection, said: str) -> int | None:
    if not said:
        return None
    row = connection.execute("SELECT id FROM hosts WHERE id = ?", (int(said),)).fetchone() if (
        said.isascii() and said.isdigit() and len(said) < 19) else None
    return row[0] if row else entities.resolve(connection, said, ("host",)).id


def _only(connection: sqlite3.Connection, chosen: Chosen) -> tuple[tuple[Thing, str], ...]:
    found = []
    if chosen.host is not None:
        found.append((Thing("host", "hosts", chosen.host, entities.name(connection, "host", chosen.host)),
                      _query(chosen, host=None)))
    if chosen.about is not None:
        kind, number = chosen.about
        word = kind.replace("_", " ")
        named = Thing(word, _TABLES[kind], number, entities.name(connection, word, number))
        found.append((named, _query(chosen, **{kind: None})))
    return tuple(found)


def _choice(chosen: Chosen, what: str, name: str, findings: int) -> Choice:
    on = getattr(chosen, what) == name
    return Choice(name, findings, on, _query(chosen, **{what: None if on else name}))


def _query(chosen: Chosen, **changed: object) -> str:
    """The query of an address: what is chosen with some of it changed; the page only where it is told."""
    said: dict[str, object] = {"severity": chosen.severity, "rule": chosen.rule, "host": chosen.host}
    if chosen.about is not None:
        said[chosen.about[0]] = chosen.about[1]
    kept = {name: value for name, value in (said | changed).items() if value is not None and (name, value) != ("page", 1)}
    return "?" + urlencode(kept) if kept else ""
