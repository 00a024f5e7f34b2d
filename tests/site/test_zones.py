"""Times in a zone that the address asks for: what they look like, which links keep it, what stays UTC."""

from __future__ import annotations

import re

import pytest
from conftest import Browser  # type: ignore[import-not-found]

from fimforensics.site import zones

BERLIN = "?_zone=europe/berlin"


def test_utc_unless_asked_otherwise(normal: Browser) -> None:
    page = normal.get("/case/events").text
    assert "2026-05-01 10:00:00<small>.1234567Z</small>" in page and "Every time is UTC" in page and "_zone=" not in page
    assert normal.get("/case/events?_zone=utc").text.count("+00:00") == 0


def test_each_shown_time_names_its_offset_and_has_utc_beside_it(normal: Browser) -> None:
    page = normal.get("/case/events" + BERLIN).text
    assert 'title="2026-05-01T10:00:00.1234567Z">2026-05-01 12:00:00<small>.1234567 +02:00</small></time>' in page
    assert "every other time is UTC" in page
    assert "<small>+02:00</small></time>" in normal.get("/case/events/1" + BERLIN).text + normal.get("/case" + BERLIN).text


@pytest.mark.parametrize("path", ["/", "/case", "/case/events", "/case/events/1", "/case/events?_facet=host_id&_sort=id",
                                  "/case/-/findings", "/case/-/search?q=alpha", "/case/hosts/1", "/case/-/coverage",
                                  "/case/-/compare"])
def test_all_links_and_forms_keep_it_and_nothing_else_does(normal: Browser, path: str) -> None:
    answer = normal.get(path + ("&" if "?" in path else "?") + BERLIN[1:])
    assert answer.status_code == 200 and "set-cookie" not in answer.headers
    links = [link for link in re.findall(r'<a\b[^>]*?\shref="([^"]*)"', answer.text) if not link.startswith("#")]
    kept = [link for link in links if not re.search(r"\.(csv|json|svg)|/page\.json", link)]
    assert kept and all(link.count("_zone=Europe%2FBerlin") == 1 for link in kept)
    assert all("_zone" not in link for link in links if link not in kept)
    forms = re.findall(r"<form\b[^>]*>(<input type=\"hidden\" name=\"_zone\")?", answer.text)
    assert forms.count("") == 1  # that of the switch, which names it itself
    assert answer.text.count('name="_zone"') == len(forms)


def test_a_redirect_keeps_it(normal: Browser) -> None:
    answer = normal.get(f"/case/events{BERLIN}&_filter_column=host_id&_filter_op=exact&_filter_value=1")
    assert answer.status_code == 302 and "host_id__exact=1" in answer.headers["location"]
    assert answer.headers["location"].endswith("&_zone=Europe%2FBerlin")


def test_json_and_csv_stay_utc(normal: Browser) -> None:
    for path in ("/case/events.json", "/case/events.csv", "/case/events/1/page.json", "/case/-/findings/page.json"):
        plain, asked = (re.sub(r'"query_ms": ?[0-9.]+', "", normal.get(one).text) for one in (path, path + BERLIN))
        assert plain == asked


def test_a_zone_that_is_none_is_said(normal: Browser) -> None:
    page = normal.get("/case/events?_zone=%3Cscript%3EMars/Olympus").text
    assert "There is no zone <bdi>&lt;script&gt;Mars/Olympus</bdi>: times are UTC" in page and "_zone=" not in page


def test_evidence_that_looks_like_a_link_is_left_alone(hostile: Browser) -> None:
    page = hostile.get("/case/events" + BERLIN).text
    assert "<script>alert" not in page and 'href="javascript' not in page


def test_times_at_the_ends_of_the_calendar_stay_utc() -> None:
    token = zones._CHOSEN.set("Pacific/Auckland")
    try:
        assert zones.local("9999-12-31T23:59:59.0000000Z") is None
        assert zones.local("1601-01-01T00:00:00.0000000Z") == ("1601-01-01 11:39:04", "+11:39")
        assert zones.local("2026-10-12T08:00:00.0000000Z") == ("2026-10-12 21:00:00", "+13:00")
    finally:
        zones._CHOSEN.reset(token)
