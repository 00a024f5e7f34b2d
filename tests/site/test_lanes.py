"""The pictures of lanes: the axis keeps order and shows what is short, the lanes keep contents apart, the bytes are the same."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fimforensics.site import lanes_svg, spread_svg
from fimforensics.site.axis import CUT, SECOND, axis, label, moment
from fimforensics.site.lanes import MOST_LANES, MOST_PERIODS, Lanes, lanes, letter
from fimforensics.site.spread_svg import Arrived

DAY, HOUR = 86_400 * SECOND, 3_600 * SECOND


def at(hour: int, minute: int = 0) -> str:
    return f"2026-10-{12 + hour // 24:02}T{hour % 24:02}:{minute:02}:00.0000000Z"


def version(number: int, since: str | None, until: str | None, content: str | None, **more: Any) -> dict:
    """A version as `history` gives it; `content` None is not known, `gone` absent."""
    gone = content == "gone"
    return {"version": number, "state": "absent" if gone else "present", "sha256": None if gone else content, "sha1": None,
            "md5": None, "size": None, "since": since, "until": until, "before": None} | more


def drawn(told: Lanes) -> list[tuple[str, str, bool]]:
    rows = [(told.lanes[one.lane], one) for one in told.periods]
    return [(lane.letter or lane.kind, one.told.partition(", ")[0], one.back) for lane, one in rows]


@settings(deadline=None)
@given(st.lists(st.integers(-(10 ** 18), 2 * 10 ** 18), min_size=1, max_size=420))
def test_the_axis_keeps_the_order_and_its_room(moments: list[int]) -> None:
    found = axis(moments, 200, 940)
    assert found.moments == tuple(sorted(set(moments))) and found == axis(reversed(moments), 200, 940)
    assert found.places[0] == 200 and (len(found.places) == 1 or found.places[-1] == pytest.approx(940, abs=0.2))
    assert all(before <= after for before, after in pairwise(found.places))
    assert [found.x(one) for one in found.moments] == list(found.places)
    assert all(found.places[after] - found.places[before] >= 80 for before, after in pairwise(found.labels()))


def test_even_steps_are_to_scale_whether_of_milliseconds_or_years() -> None:
    for step in (10_000, HOUR, 365 * DAY):
        found = axis([step * number for number in range(5)], 0, 400)
        assert (found.places, found.cuts, found.widened) == ((0, 100, 200, 300, 400), (), False)


def test_a_long_gap_between_quick_changes_is_cut() -> None:
    found = axis([0, HOUR, 2 * HOUR, 400 * DAY, 400 * DAY + HOUR], 0, 400)
    assert found.cuts == (2,) and round(found.places[3] - found.places[2], 1) == CUT
    assert found.places[1] == pytest.approx((400 - CUT) / 3, abs=0.1)


def test_where_many_gaps_are_long_none_is_cut_and_the_short_ones_are_widened() -> None:
    found = axis([moment_ for day in range(40) for moment_ in (day * DAY, day * DAY + SECOND // 50)], 0, 740)
    assert (found.cuts, found.widened) == ((), True)
    assert found.places[1] - found.places[0] >= 2.4


def test_moments_are_exact_to_100_ns() -> None:
    assert moment("1970-01-01T00:00:01.0000001Z") == SECOND + 1
    assert moment("1969-12-31T23:59:59.0000000Z") == -SECOND
    assert label("2026-10-12T08:00:00.0000000Z") == ("2026-10-12", "08:00:00")
    assert label("2026-10-12T08:00:00.2500001Z") == ("2026-10-12", "08:00:00.250")


def test_the_same_content_is_the_same_lane_again() -> None:
    told = lanes([version(1, at(8), at(9), "a"), version(2, at(9), at(10), "b"), version(3, at(10), at(11), "gone"),
                  version(4, at(11), at(12), None), version(5, at(12), None, "a")], 5, at(20))
    assert drawn(told) == [("unknown", "before the first event: content not known", False), ("A", "A a", False),
                           ("B", "B b", False), ("absent", "not there", False), ("unknown", "not known", False),
                           ("A", "A a", True)]
    assert [(lane.letter, lane.kind, lane.periods, lane.returns) for lane in told.lanes] == [
        ("A", "known", 2, 1), ("B", "known", 1, 0), ("", "unknown", 1, 0), ("", "absent", 1, 0)]
    assert (told.contents, told.reverted, told.left_out, told.joined) == (2, 1, 0, 0)


def test_hashes_of_one_content_in_other_words_are_one_lane() -> None:
    told = lanes([version(1, at(8), at(9), "a", md5="m", before="absent"), version(2, at(9), at(10), "b"),
                  version(3, at(10), None, None, md5="m")], 3, None)
    assert [one[0] for one in drawn(told)] == ["absent", "A", "B", "A"]


def test_data_are_lanes_with_their_types() -> None:
    said = [("x", "REG_SZ"), ("x", "REG_BINARY"), (None, None), ("x", None)]
    told = lanes([{"version": number, "state": "present", "data": data, "type": kind, "since": at(number), "before": None,
                   "until": at(number + 1)} for number, (data, kind) in enumerate(said)], 9, None, "data")
    assert [one[0] for one in drawn(told)] == ["A", "B", "unknown", "A"] and told.left_out == 5


def test_no_more_lanes_and_periods_than_can_be_read() -> None:
    many = [version(number, at(number // 60, number % 60), at((number + 1) // 60, (number + 1) % 60), f"c{number % 90}")
            for number in range(500)]
    told = lanes(many, 700, None)
    assert len(told.lanes) == MOST_LANES + 1 and len(told.periods) == MOST_PERIODS
    assert (told.contents, told.joined, told.left_out) == (90, 50, 300)
    assert [lane.kind for lane in told.lanes][-1] == "others" and told.lanes[40].label == "other contents"
    picture = str(lanes_svg.draw(told, "x"))
    assert picture.count("<rect class=\"k-") + picture.count('<rect class="mixed"') == MOST_PERIODS
    assert max(float(x) for x in re.findall(r' x="([\d.]+)"', picture)) <= lanes_svg.RIGHT


def test_letters() -> None:
    assert [letter(number) for number in (0, 25, 26, 51, 52)] == ["A", "Z", "AA", "AZ", "BA"]


def test_the_picture_is_the_same_twice_and_text_in_it_is_inert() -> None:
    told = lanes([{"version": 1, "state": "present", "data": "<b>\u202ex", "type": None, "since": at(8), "until": None,
                   "before": "absent"}], 1, at(9), "data")
    picture = str(lanes_svg.draw(told, 'a"><script>'))
    assert picture == str(lanes_svg.draw(told, 'a"><script>'))
    assert "&lt;b&gt;\\u202ex" in picture and "<b>" not in picture and "<script" not in picture and "style=" not in picture
    assert picture.count('class="still"') == 1 and 'class="none"' in picture and 'class="back"' not in picture


def test_a_spread_is_a_stair_with_a_row_for_each_host() -> None:
    hosts = [Arrived(f"h{number}", at(number), None if number else at(30), number != 2) for number in range(60)]
    picture = str(spread_svg.draw(hosts, "x"))
    assert picture.count("<circle") == spread_svg.MOST_HOSTS and picture.count('class="held"') == spread_svg.MOST_HOSTS - 1
    assert picture.count('class="step"') == spread_svg.MOST_HOSTS - 1
    assert "h2, 2026-10-12 02:00:00, how long it stayed is not known" in picture
    assert str(spread_svg.draw([], "x")) == "" and str(lanes_svg.draw(lanes([], 0, None), "x")) == ""
