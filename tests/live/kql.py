"""KQL as the product sends it → SQL that DuckDB runs: duckdb-kql translates, this module bridges what it does not know.

Before the translation, over the query's tokens: string literals become placeholders (decoded here, by Kusto's rules), tables
show only rows that are visible by now, and what exists in Log Analytics alone (`ingestion_time()`, `estimate_data_size(*)`,
`hash()`, columns that stay hidden unless named, the server's clock) becomes a column or a literal. After it, times keep their
seventh digit: literals are nanoseconds, bins whole numbers. What is not understood is refused; nothing is run half understood.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import duckdb_kql

HIDDEN = "__h"  # `_ItemId` is kept as `__h_ItemId`
TOKEN = re.compile(r"""
    (?P<space>\s+|//[^\n]*)
  | (?P<string>[hH]?(?:@"(?:[^"]|"")*"|@'(?:[^']|'')*'|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
  | (?P<time>datetime\s*\(\s*[^()"']*\))
  | (?P<word>!?[A-Za-z_][A-Za-z0-9_]*~?)
  | (?P<number>\d+(?:\.\d+)?(?:[a-z]+\b)?)
  | (?P<mark>==|=~|!=|!~|<=|>=|\.\.|[-+*/%(){}\[\],;|=<>.:!])
""", re.X | re.S)
ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([abfnrtv0\\'\"]))|\\")
OPERATORS = {"where", "summarize", "extend", "project", "count", "take", "limit", "sort", "order", "top", "distinct"}
NAMED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}


class Refused(Exception):
    """What Kusto, or this bridge, does not accept."""


@dataclass(frozen=True)
class Moment:
    """What the server is at the time of a query: its clock, and how many rows can be seen by now."""

    now: str  # 7 digits, Z
    visible: int  # rows whose `__h_visible` is not greater


def literal(text: str) -> str:
    """The value of a Kusto string literal."""
    text = text[1:] if text[0] in "hH" else text
    if text[0] == "@":
        return text[2:-1].replace(text[1] * 2, text[1])
    return joined(ESCAPE.sub(_unescaped, text[1:-1]))


def _unescaped(match: re.Match[str]) -> str:
    four, eight, two, name = match.groups()
    if digits := four or eight or two:
        return chr(int(digits, 16))
    if name is None:
        raise Refused(f"an unknown escape in a string literal: {match.string[match.start():match.start() + 2]}")
    return NAMED.get(name, name)


def joined(text: str) -> str:
    """Surrogate pairs, which escapes can spell, made one character again."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def tokens(query: str) -> Iterator[tuple[str, str]]:
    """The query's (kind, text), blanks and comments left out."""
    at = 0
    while at < len(query):
        match = TOKEN.match(query, at)
        if match is None:
            raise Refused(f"a character that starts nothing, at {at}: {query[at:at + 20]!r}")
        at = match.end()
        if match.lastgroup != "space":
            yield str(match.lastgroup), match.group()


def to_sql(query: str, tables: Collection[str], hidden: Collection[str], moment: Moment) -> str:
    """The SQL for a query; `Refused` where anything in it is not understood."""
    literals: list[str] = []
    bridged = " ".join(_bridged(list(tokens(query)), tables, hidden, moment, literals))
    try:
        sql = duckdb_kql.to_sql(bridged)
    except duckdb_kql.KqlError as error:
        raise Refused(str(error)) from error
    return _repaired(sql, literals)


def _bridged(found: list[tuple[str, str]], tables: Collection[str], hidden: Collection[str], moment: Moment,
             literals: list[str]) -> Iterator[str]:
    """The query's tokens in duckdb-kql's reach."""
    at, operator = 0, ""
    texts = [text for _, text in found] + ["", "", "", "", "", ""]
    while at < len(found):
        kind, text = found[at]
        before, after = texts[at - 1] if at else "", texts[at + 1]
        step = 1
        if before == "|":
            operator = text
            if text not in OPERATORS:
                raise Refused(f"this server does not know the operator {text}")
        if kind == "string":
            literals.append(literal(text))
            yield f"'fim_literal_{len(literals) - 1}'"
        elif text in tables and before not in (".", "="):
            yield f"{text} | where {HIDDEN}_visible <= {moment.visible} and {HIDDEN}_ingestion <= datetime({moment.now})"
        elif text in hidden and after != "=":
            listed = operator in ("project", "summarize", "distinct") and before in (operator, ",", "by")
            bare = listed and after in (",", "|", "")
            yield f"{text} = {HIDDEN}{text}" if bare else HIDDEN + text
        elif kind == "word" and after == "(":
            said, step = _call(texts[at:at + 8], hidden, moment)
            yield said
        else:
            yield text
        at += step


def _call(ahead: list[str], hidden: Collection[str], moment: Moment) -> tuple[str, int]:
    """What stands for a call, and how many tokens it took; a call that needs no bridge is its name alone."""
    name = ahead[0]
    if ahead[:3] == ["now", "(", ")"]:
        return f"datetime({moment.now})", 3
    if ahead[:3] == ["ingestion_time", "(", ")"]:
        return f"{HIDDEN}_ingestion", 3
    if ahead[:4] == ["estimate_data_size", "(", "*", ")"]:
        return f"{HIDDEN}_size", 4
    if name == "hash":
        if ahead[2] != "_ItemId" or ahead[3] != "," or not ahead[4].isdigit() or ahead[5] != ")":
            raise Refused("this server hashes _ItemId by a modulus only: hash(_ItemId, 7)")
        return f"({HIDDEN}_hash % {ahead[4]})", 6
    if name in ("now", "ago", "ingestion_time", "estimate_data_size"):
        raise Refused(f"this server does not know this form of {name}()")
    return name, 1


TIME = re.compile(r"COALESCE\(TRY_CAST\('([^']*)' AS TIMESTAMPTZ\) AT TIME ZONE 'UTC', "
                  r"try_strptime\(CAST\('\1' AS VARCHAR\), \[[^\]]*\]\)\)")
BIN = re.compile(r"to_timestamp\(floor\(epoch\((\"\w+\")\) / epoch\(INTERVAL '(\w+)'\)\) \* epoch\(INTERVAL '\2'\)\) "
                 r"AT TIME ZONE 'UTC'")
LITERAL = re.compile(r"'fim_literal_(\d+)'")
STEP = re.compile(r"(\d+)([a-z]+)")
TICKS = {"d": 864_000_000_000, "h": 36_000_000_000, "m": 600_000_000, "s": 10_000_000, "ms": 10_000}


def _repaired(sql: str, literals: list[str]) -> str:
    """SQL whose times keep their seventh digit, with the literals in their places."""
    sql = TIME.sub(lambda match: f"CAST('{match[1]}' AS TIMESTAMP_NS)", sql)
    sql = BIN.sub(lambda match: _bin(match[1], match[2]), sql)
    if "epoch(" in sql or "try_strptime" in sql or "now()" in sql:
        raise Refused("this server does not know this form of a time")
    return LITERAL.sub(lambda match: quoted(literals[int(match[1])]), sql)


def _bin(column: str, step: str) -> str:
    """A bin counted in whole nanoseconds: in seconds as floating numbers a row on a border falls to the wrong side."""
    match = STEP.fullmatch(step)
    if match is None or match[2] not in TICKS:
        raise Refused(f"this server does not know bins of {step}")
    width = int(match[1]) * TICKS[match[2]] * 100
    return f"make_timestamp_ns((epoch_ns({column}) // {width}) * {width})"


def quoted(value: str) -> str:
    """A value as a literal of SQL; a NUL, which SQL text cannot hold, is named."""
    value = value.encode("utf-8", "replace").decode()
    return "(" + " || chr(0) || ".join("'" + piece.replace("'", "''") + "'" for piece in value.split("\0")) + ")"
