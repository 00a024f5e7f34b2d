"""Times: every known form to one, nothing guessed, nothing rounded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fimforensics import times
from fimforensics.errors import Misuse
from fimforensics.model import Reading

NOTHING_SAID = Reading()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-02-18T13:47:27.0644670Z", "2025-02-18T13:47:27.0644670Z"),
        ("2025-02-18T13:47:27Z", "2025-02-18T13:47:27.0000000Z"),
        ("2025-02-18T13:47:27.5Z", "2025-02-18T13:47:27.5000000Z"),
        ("2025-02-18T13:47:27.123Z", "2025-02-18T13:47:27.1230000Z"),
        ("2025-02-18T13:47:27.123456Z", "2025-02-18T13:47:27.1234560Z"),
        ("2025-02-18T13:47:27.999999999Z", "2025-02-18T13:47:27.9999999Z"),
        ("2025-02-18 13:47:27.123+00:00", "2025-02-18T13:47:27.1230000Z"),
        ("2025-02-18T01:47:27.123+02:00", "2025-02-17T23:47:27.1230000Z"),
        ("2025-02-18T22:47:27.123-0230", "2025-02-19T01:17:27.1230000Z"),
        ("2025-02-18 13:47:27 +02:00", "2025-02-18T11:47:27.0000000Z"),
        ("2025-02-18 13:47:27 UTC", "2025-02-18T13:47:27.0000000Z"),
        ("  2025-02-18 13:47:27Z ", "2025-02-18T13:47:27.0000000Z"),
        ("1601-01-01T00:00:00Z", "1601-01-01T00:00:00.0000000Z"),
        ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.9999999Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.0000000Z"),
        ("2024-02-29T00:00:00.0000000Z", "2024-02-29T00:00:00.0000000Z"),
    ],
)
def test_iso_with_a_zone(text: str, expected: str) -> None:
    assert times.canonical(text, None, NOTHING_SAID) == expected


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("9/4/2020, 7:29:45.114 AM", "mdy", "2020-09-04T07:29:45.1140000Z"),
        ("9/4/2020, 7:29:45.114 AM", "dmy", "2020-04-09T07:29:45.1140000Z"),
        ("4/4/2020, 12:00:00 AM", None, "2020-04-04T00:00:00.0000000Z"),
        ("10/25/2023, 12:43:21.994 PM", None, "2023-10-25T12:43:21.9940000Z"),
        ("16/07/2026 20:26:12.030", None, "2026-07-16T20:26:12.0300000Z"),
        ("13/03/2024, 3:40:13.988 pm", None, "2024-03-13T15:40:13.9880000Z"),
        ("05/12/2024 18:41:25.123", "dmy", "2024-12-05T18:41:25.1230000Z"),
        ("Apr 15, 2024 11:09:27 AM", None, "2024-04-15T11:09:27.0000000Z"),
        ("May 7, 2024 6:41:25.321 PM", None, "2024-05-07T18:41:25.3210000Z"),
        ("September 7, 2024, 6:41:25 p.m.", None, "2024-09-07T18:41:25.0000000Z"),
        ("15 Apr 2024, 11:09:27", None, "2024-04-15T11:09:27.0000000Z"),
        ("2/25/2025, 9:19:25.391\u202fAM", None, "2025-02-25T09:19:25.3910000Z"),
        ("\u200e2\u200e/\u200e25\u200e/\u200e2025\u200e \u200e9\u200e:\u200e19\u200e:\u200e25\u200e \u200eAM", None,
         "2025-02-25T09:19:25.0000000Z"),
        ("16.07.2026, 20:26:12", None, "2026-07-16T20:26:12.0000000Z"),
        ("16.7.2026, 20:26:12,030", None, "2026-07-16T20:26:12.0300000Z"),
        ("2026/07/06 20:26:12", None, "2026-07-06T20:26:12.0000000Z"),
        ("2026-07-16 20:26:12,030", None, "2026-07-16T20:26:12.0300000Z"),
    ],
)  # fmt: skip
def test_local_forms_in_a_utc_column(text: str, order: str | None, expected: str) -> None:
    assert times.canonical(text, "UTC", Reading(date_order=order)) == expected


@pytest.mark.parametrize(
    ("text", "zone", "timezone", "expected"),
    [
        ("2026-07-16 12:00:00", "+02:00", None, "2026-07-16T10:00:00.0000000Z"),
        ("2026-07-16 12:00:00", "UTC+05:30", None, "2026-07-16T06:30:00.0000000Z"),
        ("2026-07-16 12:00:00", "local", "Europe/Berlin", "2026-07-16T10:00:00.0000000Z"),
        ("2026-01-16 12:00:00", None, "Europe/Berlin", "2026-01-16T11:00:00.0000000Z"),
        ("2026-01-16 12:00:00", None, "UTC", "2026-01-16T12:00:00.0000000Z"),
        ("2026-01-16 12:00:00", None, "-0800", "2026-01-16T20:00:00.0000000Z"),
        ("2026-01-16 12:00:00", "UTC", "Europe/Berlin", "2026-01-16T12:00:00.0000000Z"),  # the source's word comes first
        ("2026-01-16 12:00:00Z", "local", "Europe/Berlin", "2026-01-16T12:00:00.0000000Z"),  # the text's before all
        ("2026-03-29 01:59:59.9999999", None, "Europe/Berlin", "2026-03-29T00:59:59.9999999Z"),
        ("2026-03-29 03:00:00", None, "Europe/Berlin", "2026-03-29T01:00:00.0000000Z"),
    ],
)
def test_zones(text: str, zone: str | None, timezone: str | None, expected: str) -> None:
    assert times.canonical(text, zone, Reading(timezone=timezone)) == expected


@pytest.mark.parametrize(
    ("text", "zone", "reading", "reason"),
    [
        ("2026-01-16 12:00:00", None, NOTHING_SAID, "no time zone stated"),
        ("2026-01-16 12:00:00", "local", NOTHING_SAID, "no time zone stated"),
        ("2026-01-16 12:00:00", "Mars", NOTHING_SAID, "unknown time zone 'Mars'"),
        ("2026-01-16T12:00:00+15:00", None, NOTHING_SAID, "no such offset"),
        ("2026-03-29 02:30:00", None, Reading("Europe/Berlin"), "ambiguous local time .* it never came"),
        ("2026-10-25 02:30:00", None, Reading("Europe/Berlin"), "ambiguous local time .* it came twice"),
        ("0001-01-01T00:00:00+02:00", None, NOTHING_SAID, "outside the years"),
        ("9999-12-31T23:00:00-02:00", None, NOTHING_SAID, "outside the years"),
        ("2016-12-31T23:59:60Z", None, NOTHING_SAID, "leap second"),
        ("2026-02-29T00:00:00.0000000Z", None, NOTHING_SAID, "in no calendar"),
        ("2026-01-16T24:00:00.0000000Z", None, NOTHING_SAID, "in no calendar"),
        ("0000-01-16T12:00:00.0000000Z", None, NOTHING_SAID, "in no calendar"),
        ("20_0-01-16T12:00:00.0000000Z", None, NOTHING_SAID, "in no calendar"),
        ("٢٠٢٦-01-16T12:00:00.0000000Z", None, NOTHING_SAID, "in no calendar"),
        ("2026-01-16T12:00:00.0000000Z\n9", None, NOTHING_SAID, "not a time"),
        ("9/4/2020, 7:29:45 AM", "UTC", NOTHING_SAID, "order of day and month not proven"),
        ("16/07/2026 20:26:12", "UTC", Reading(date_order="mdy"), "not in the stated order mdy"),
        ("13/13/2026 20:26:12", "UTC", Reading(date_order="mdy"), "in no calendar"),
        ("9/14/2020, 13:29:45 PM", "UTC", NOTHING_SAID, "hour 13 with PM"),
        ("9/14/2020, 0:29:45 AM", "UTC", NOTHING_SAID, "hour 0 with AM"),
        ("9/14/2020, 7:29 AM", "UTC", NOTHING_SAID, "a time cut short, as spreadsheets save it: '9/14/2020, 7:29 AM'"),
        ("04.09.2020 07:29", "UTC", NOTHING_SAID, "a time cut short, as spreadsheets save it"),
        ("2020-09-04T07:29Z", None, NOTHING_SAID, "a time cut short, as spreadsheets save it"),
        ("2020-09-04 7:29", None, Reading("Europe/Berlin"), "a time cut short, as spreadsheets save it"),
        ("29:45.1", "UTC", NOTHING_SAID, "a time cut short, as spreadsheets save it"),
        ("04.09.2020", "UTC", NOTHING_SAID, "not a time"),
        ("16/07/26 20:26:12", "UTC", NOTHING_SAID, "not a time"),
        ("Smarch 15, 2024 11:09:27 AM", "UTC", NOTHING_SAID, "not a month"),
        ("", "UTC", NOTHING_SAID, "no time given"),
        ("None", "UTC", NOTHING_SAID, "not a time"),
        ("1" * 100_000, "UTC", NOTHING_SAID, "not a time"),
    ],
)
def test_what_is_no_time(text: str, zone: str | None, reading: Reading, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        times.canonical(text, zone, reading)


def test_an_unknown_zone_of_the_operator_is_misuse() -> None:
    for name in ("Europe/Nowhere", "../etc/passwd", "Europe", ""):
        with pytest.raises(Misuse):
            times.check_zone(name)
    for name in ("Europe/Berlin", "UTC", "+02:00"):
        times.check_zone(name)
    with pytest.raises(Misuse, match="no such offset"):
        times.check_zone("+15:00")


def test_order_proof() -> None:
    assert times.order_proof(["9/4/2020, 7:29:45 AM", "10/25/2023, 9:43:21 AM"]) == "mdy"
    assert times.order_proof(["", "01/02/2026 20:26:12", "16/07/2026 20:26:12.030"]) == "dmy"
    assert times.order_proof(["9/4/2020, 7:29:45 AM", "2020-13-13T00:00:00Z", "99/99/2020 1:00:00"]) is None
    with pytest.raises(ValueError, match="one column has days before months"):
        times.order_proof(["16/07/2026 20:26:12", "07/16/2026 20:26:12"])


def test_needs_order() -> None:
    assert [text for text in (
        "9/4/2020, 7:29:45.114\u202fAM", "16.07.2026, 20:26:12", "2026/07/16 20:26:12", "2026-07-16T20:26:12Z",
        "May 7, 2024 6:41:25 PM", "", "1/2/3",
    ) if times.needs_order(text)] == ["9/4/2020, 7:29:45.114\u202fAM", "16.07.2026, 20:26:12"]  # fmt: skip


def test_the_parts_of_a_canonical_time() -> None:
    assert times.cut_ms("2026-07-16T20:26:12.0309999Z") == "2026-07-16T20:26:12.030"
    assert [times.digits(f"2026-07-16T20:26:12.{fraction}Z") for fraction in ("0000000", "5000000", "0300000", "1234567")] == [
        0, 1, 2, 7,
    ]  # fmt: skip
    years = ("0001", "1601", "1979", "1980", "2026", "2100", "2101", "9999")
    assert [year for year in years if times.odd(f"{year}-01-01T00:00:00.0000000Z")] == ["0001", "1601", "1979", "2101", "9999"]


moments = st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31))


@given(moments, st.integers(-14 * 60, 14 * 60))
def test_any_offset_gives_the_same_instant(moment: datetime, minutes: int) -> None:
    shifted = moment.replace(tzinfo=UTC).astimezone(timezone(timedelta(minutes=minutes)))
    expected = moment.strftime("%m-%dT%H:%M:%S.%f0Z")
    assert times.canonical(shifted.isoformat(timespec="microseconds"), None, NOTHING_SAID) == f"{moment.year:04}-{expected}"


@given(moments)
def test_canonical_is_idempotent_and_reads_its_local_form(moment: datetime) -> None:
    once = times.canonical(moment.isoformat(timespec="milliseconds") + "Z", None, NOTHING_SAID)
    assert times.canonical(once, "local", NOTHING_SAID) == once
    hour = moment.hour % 12 or 12
    half = "PM" if moment.hour >= 12 else "AM"
    fraction = f"{moment.microsecond // 1000:03}"
    clock = f"{hour}:{moment.minute:02}:{moment.second:02}.{fraction} {half}"
    american = f"{moment.month}/{moment.day}/{moment.year:04}, {clock}"
    assert times.canonical(american, "UTC", Reading(date_order="mdy")) == once
