"""One form of time: UTC text `YYYY-MM-DDTHH:MM:SS.fffffffZ`, made from every form an export is known to use.

Nothing is guessed. A text without zone needs the zone of its column or the operator's; a day and month in figures need a
proof (a number over 12, in the text or in its column) or the operator's word; a local hour that came twice or never is
refused. Fractions are cut to 100 ns, never rounded, so that the same instant told by two exports stays the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from fimforensics.errors import Misuse
from fimforensics.model import Reading

_OFFSET = r"(?P<zone>Z|z|(?:UTC|GMT)?[+-][0-9]{2}(?::?[0-9]{2})?|UTC|GMT)?"
_CLOCK = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)? ?" + _OFFSET
)
_TAIL = re.compile(r":[0-5][0-9](?:\.([0-9]{1,9}))?Z\Z").match
_MINUTE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}").fullmatch
_ISO = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}):([0-9]{2})(?:[.,]([0-9]{1,9}))? ?" + _OFFSET
).fullmatch
_YEAR_FIRST = re.compile(r"(?P<year>[0-9]{4})([-/.])(?P<month>[0-9]{1,2})\2(?P<day>[0-9]{1,2}),? +" + _CLOCK).fullmatch
_YEAR_LAST = re.compile(r"(?P<one>[0-9]{1,2})([/.-])(?P<two>[0-9]{1,2})\2(?P<year>[0-9]{4}),? +" + _CLOCK).fullmatch
_MONTH_FIRST = re.compile(r"(?P<name>[A-Za-z]{3,9})\.? (?P<day>[0-9]{1,2}), ?(?P<year>[0-9]{4}),? +" + _CLOCK).fullmatch
_DAY_FIRST = re.compile(r"(?P<day>[0-9]{1,2}) (?P<name>[A-Za-z]{3,9})\.?,? (?P<year>[0-9]{4}),? +" + _CLOCK).fullmatch
# What a spreadsheet makes of a time when it saves a CSV that it opened: no seconds, or only minutes and seconds.
_CUT_SHORT = re.compile(
    r"(?:[0-9]{1,4}([-/.])[0-9]{1,2}\1[0-9]{1,4}(?:,? +|T)[0-9]{1,2}:[0-9]{2}(?: ?[AaPp]\.?[Mm]\.?)? ?"
    + _OFFSET + r"|[0-9]{1,2}:[0-9]{2}[.,][0-9]{1,3})"
).fullmatch
_STATED = re.compile(r"(?:UTC|GMT)?([+-])([0-9]{2})(?::?([0-9]{2}))?").fullmatch
# What browsers write around the figures: narrow and plain no-break space before AM, invisible left-to-right marks.
_MARKS = str.maketrans({"\u202f": " ", "\u00a0": " ", "\u200e": None, "\u200f": None})
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONG = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")


def canonical(text: str, zone: str | None, reading: Reading) -> str:
    """The time as UTC text with 7 fraction digits; ValueError says in a few words why it cannot be one.

    `zone` is what the source says of the column: "UTC", "local", an offset such as "+02:00", or None. A zone in the text
    itself comes first, the source's next, the operator's (`reading.timezone`) last; an unknown zone there is Misuse.
    """
    if text[10:11] == "T" and (tail := _TAIL(text, 16)) is not None:  # nearly all are of this form; their minutes repeat
        _check_minute(text[:16])
        return text if len(text) == 28 else f"{text[:19]}.{(tail[1] or '')[:7].ljust(7, '0')}Z"
    iso = _ISO(text)
    if iso is not None:
        date, clock, second, fraction, stated = iso.groups()
        return _instant(f"{date}T{clock}", second, fraction, stated, zone, reading)
    if len(text) > 64:
        raise ValueError(f"not a time: {text[:40]!r}...")
    return _local_form(text, zone, reading)


def order_proof(texts: Iterable[str]) -> str | None:
    """"dmy" or "mdy" where a number over 12 in one column proves it, None where none does; ValueError where both do."""
    proven: dict[str, str] = {}
    for text in texts:
        match = _YEAR_LAST(_plain(text))
        order = _own_order(match) if match else None
        if order:
            proven.setdefault(order, text)
            if len(proven) == 2:
                raise ValueError(f"one column has days before months ({proven['dmy']}) and months before days ({proven['mdy']})")
    return next(iter(proven), None)


def needs_order(text: str) -> bool:
    """Is this a time whose day and month are both figures with the year last, so that its form leaves their order open?"""
    return _YEAR_LAST(_plain(text)) is not None


def check_zone(name: str) -> None:
    """Misuse unless `name` is a zone an operator may state: an IANA name, "UTC" or an offset."""
    try:
        _named_zone(name)
    except ValueError as error:
        raise Misuse(str(error), hint="Offsets reach from -14:00 to +14:00") from None


def cut_ms(text: str) -> str:
    """A canonical time cut to milliseconds, for comparison across exports: `2026-07-16T20:26:12.030`."""
    return text[:23]


def digits(text: str) -> int:
    """How many fraction digits of a canonical time say something (0 to 7): the finer of two readings has more."""
    return len(text[20:27].rstrip("0"))


def odd(text: str) -> bool:
    """Is a canonical time outside 1980 to 2100, so legal but to be flagged (1601 is a zero FILETIME, 9999 a never)?"""
    return not "1980" <= text[:4] <= "2100"


@lru_cache(maxsize=1 << 16)
def _check_minute(text: str) -> None:
    """ValueError unless `YYYY-MM-DDTHH:MM` is a minute of the calendar."""
    try:
        if _MINUTE(text):  # int() alone would take "20_0" and other scripts' figures
            datetime(int(text[:4]), int(text[5:7]), int(text[8:10]), int(text[11:13]), int(text[14:16]))
            return
    except ValueError:
        pass  # told below, with the text
    raise ValueError(f"not a time: {text!r} is in no calendar")


def _instant(minute: str, second: str, fraction: str | None, stated: str | None, zone: str | None, reading: Reading) -> str:
    """Put the parts together in UTC; the fraction never goes through arithmetic."""
    if second > "59":
        raise ValueError(f"not a time: second {second}" + (" (a leap second)" if second == "60" else ""))
    _check_minute(minute)
    cut = (fraction or "")[:7].ljust(7, "0")
    basis = _zone_of(stated, zone, reading)
    if basis == "UTC":
        return f"{minute}:{second}.{cut}Z"
    return f"{_to_utc(f'{minute}:{second}', basis)}.{cut}Z"


def _zone_of(stated: str | None, zone: str | None, reading: Reading) -> str:
    """The name of the zone to read by: the text's own, the column's, the operator's; ValueError where nobody says."""
    for said in (stated, zone if zone != "local" else None):
        if said in ("Z", "z", "UTC", "GMT"):
            return "UTC"
        if said:
            if _STATED(said) is None:
                raise ValueError(f"unknown time zone {said!r}")
            return said
    if reading.timezone is None:
        raise ValueError("no time zone stated")
    return reading.timezone


@lru_cache(maxsize=1 << 14)
def _to_utc(wall: str, zone: str) -> str:
    """A wall clock's `YYYY-MM-DDTHH:MM:SS` in UTC; ValueError for an hour that came twice or never in that zone."""
    local = datetime.fromisoformat(wall).replace(tzinfo=_named_zone(zone))
    early, late = local.utcoffset(), local.replace(fold=1).utcoffset()
    assert early is not None and late is not None  # every tzinfo made here knows its offset
    if early != late:
        why = "it came twice" if early > late else "it never came"
        raise ValueError(f"ambiguous local time {wall} in {zone}: {why} when clocks were changed")
    try:
        moved = local.replace(tzinfo=None) - early
    except OverflowError:
        raise ValueError(f"{wall} in {zone} is outside the years 1 to 9999 in UTC") from None
    return moved.isoformat(timespec="seconds")


@lru_cache(maxsize=256)
def _named_zone(name: str) -> tzinfo:
    match = _STATED(name)
    if match is not None:
        sign, hours, minutes = match.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
        if offset > timedelta(hours=14) or int(minutes or 0) > 59:
            raise ValueError(f"no such offset: {name}")
        return timezone(-offset if sign == "-" else offset)
    if name.upper() in ("UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Misuse(f"unknown time zone {name!r}", hint="Give an IANA name (Europe/Berlin), UTC or an offset (+02:00)") from None


def _plain(text: str) -> str:
    return (text if text.isascii() else text.translate(_MARKS)).strip()


@lru_cache(maxsize=1 << 14)
def _local_form(text: str, zone: str | None, reading: Reading) -> str:
    """A time as browsers and spreadsheets write it; cached, for the same process's times come again and again."""
    plain = _plain(text)
    if plain != text and (iso := _ISO(plain)) is not None:
        return canonical(iso.group(), zone, reading)
    match = _YEAR_FIRST(plain) or _YEAR_LAST(plain) or _MONTH_FIRST(plain) or _DAY_FIRST(plain)
    if match is None:
        if _CUT_SHORT(plain):
            raise ValueError(f"a time cut short, as spreadsheets save it: {plain!r} (take the export as it was before)")
        raise ValueError("no time given" if not plain else f"not a time: {text!r}")
    part = match.groupdict()
    if "one" in part:
        day, month = _day_and_month(match, reading.date_order)
    else:
        day, month = int(part["day"]), int(part["month"]) if "month" in part else _month(part["name"])
    minute = f"{part['year']}-{month:02}-{day:02}T{_hour(part['hour'], part['half']):02}:{part['minute']}"
    return _instant(minute, part["second"], part["fraction"], part["zone"], zone, reading)


def _own_order(match: re.Match[str]) -> str | None:
    """The order of day and month that the two numbers themselves prove."""
    first_is_day, second_is_day = int(match["one"]) > 12, int(match["two"]) > 12
    if first_is_day == second_is_day:
        return None
    return "dmy" if first_is_day else "mdy"


def _day_and_month(match: re.Match[str], stated: str | None) -> tuple[int, int]:
    one, two = int(match["one"]), int(match["two"])
    own = _own_order(match)
    if own and stated and own != stated:
        raise ValueError(f"day and month are not in the stated order {stated}: {match.group()!r}")
    order = own or stated
    if order is None and one != two:
        raise ValueError(f"order of day and month not proven: {match.group()!r}")
    return (two, one) if order == "mdy" else (one, two)


def _month(name: str) -> int:
    short = name.lower()
    if short not in _LONG and short not in _MONTHS and short != "sept":
        raise ValueError(f"not a month: {name!r}")
    return _MONTHS.index(short[:3]) + 1


def _hour(text: str, half: str | None) -> int:
    """The hour of the day, 0 to 23; with AM or PM only 1 to 12 may be written."""
    hour = int(text)
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError(f"not a time: hour {hour} with {half.upper()}M")
    return hour % 12 + (12 if half in "pP" else 0)
