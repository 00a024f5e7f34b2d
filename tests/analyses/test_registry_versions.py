"""Versions of registry values and keys: every row of small lives, as one line of text each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.analyses.building import made, rows, value

RUN = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Run"
NEW = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Start"
SQL = """
    SELECT r.path, v.chain_id, v.basis, CASE v.basis WHEN 'data' THEN ifnull(d.new_data, '""')
      WHEN 'inferred from old value' THEN d.old_data END, v.since, v.until,
      v.before, v.differs, p.id IS NOT NULL, ifnull(p.since, ''), v.events, b.time, l.time, e.time, v.process_id IS NOT NULL
    FROM registry_versions v JOIN registry_values r ON r.id = v.registry_value_id
    LEFT JOIN events d ON d.id = v.data_event_id LEFT JOIN registry_versions p ON p.id = v.previous_id
    LEFT JOIN events b ON b.id = v.begun_by LEFT JOIN events l ON l.id = v.last_event_id LEFT JOIN events e ON e.id = v.ended_by
    ORDER BY r.host_id, r.key, r.name, v.id"""


def lives(folder: Path, *events: dict[str, Any]) -> list[str]:
    """The rows by value: `place chain basis data since-until before differs <previous xEvents`, empty parts left out."""
    found, chains = [], {}
    for (path, chain, basis, data, since, until, before, differs, has_previous, previous, count, begun, last, ended,
         acted) in rows(made(folder, list(events), analyses=("versions",)), SQL):
        assert (begun is None) == (not acted) and begun in (None, since)
        assert (ended in (None, until)) and (last is None) == (count == 0)
        name = f"#{chains.setdefault(chain, len(chains) + 1)}"
        unseen = "" if begun else "unseen"
        parts = [path.removeprefix("HKEY_LOCAL_MACHINE\\SOFTWARE\\"), name, basis.split(" ")[0] if data else basis, data, unseen,
                 f"{(since or '')[11:16]}-{(until or '')[11:16]}", until and not ended and "not seen after",
                 before and f"before {before}", differs and f"differs {differs}", has_previous and f"<{previous[11:16]}",
                 f"x{count}" if count > 1 else ""]
        found.append(" ".join(part for part in parts if part))
    return found


def at(time: str, data: str | None, name: str | None = "a", key: str = RUN, **more: Any) -> dict[str, Any]:
    """An event of the registry of the one host of these tests."""
    return value("srv-1", time, key, name, data, **more)


def key(time: str, what: str, where: str = RUN, **more: Any) -> dict[str, Any]:
    """An event of a key."""
    return at(time, None, None, where, what=what, **more)


GONE = "RegistryValueDeleted"
TYPED = {"NewValueType": "REG_DWORD"}


@pytest.mark.parametrize(("events", "expected"), [
    ([at("08:00", "x"), at("09:00", "x"), at("10:00", "y"), at("11:00", None, what=GONE), at("12:00", "y")],
     ["Run\\a #1 data x 08:00-10:00 before unknown x2", "Run\\a #1 data y 10:00-11:00 differs yes <08:00",
      "Run\\a #1 deleted 11:00-12:00 <10:00", "Run\\a #1 data y 12:00- differs no <10:00"]),
    ([at("08:00", None, what=GONE), at("09:00", None, what=GONE), at("10:00", "x")],
     ["Run\\a #1 deleted 08:00-10:00 before unknown x2", "Run\\a #1 data x 10:00-"]),
    # data not told
    ([at("08:00", None), at("09:00", None), at("10:00", "x"), at("11:00", None)],
     ["Run\\a #1 event only 08:00-10:00 before unknown x2", "Run\\a #1 data x 10:00-11:00 differs unknown <08:00",
      "Run\\a #1 event only 11:00- differs unknown <10:00"]),
    # data proven to be empty, and data of which the source only says ''
    ([at("08:00", ""), at("09:00", "x")], ['Run\\a #1 data "" 08:00-09:00 before unknown',
     "Run\\a #1 data x 09:00- differs yes <08:00"]),
    ([at("08:00", "", NewValueType="")], ["Run\\a #1 event only 08:00- before unknown"]),
    # the same data of another type are others
    ([at("08:00", "1", **TYPED), at("09:00", "1"), at("10:00", "1", NewValueType="REG_SZ")],
     ["Run\\a #1 data 1 08:00-10:00 before unknown x2", "Run\\a #1 data 1 10:00- differs yes <08:00"]),
    # long data, which differ far behind
    ([at("08:00", "z" * 100), at("09:00", "z" * 100), at("10:00", "z" * 99 + "y")],
     [f"Run\\a #1 data {'z' * 100} 08:00-10:00 before unknown x2", f"Run\\a #1 data {'z' * 99}y 10:00- differs yes <08:00"]),
    # a table that says no more than Created, Modified, Deleted
    ([at("08:00", "x", what="Created"), at("09:00", "y", what="Modified"), at("10:00", None, what="Deleted")],
     ["Run\\a #1 data x 08:00-09:00 before absent", "Run\\a #1 data y 09:00-10:00 differs yes <08:00",
      "Run\\a #1 deleted 10:00- <09:00"]),
])
def test_data_follow_each_other(tmp_path: Path, events: list[dict], expected: list[str]) -> None:
    assert lives(tmp_path, *events) == expected


@pytest.mark.parametrize(("events", "expected"), [
    # what the chain knows is confirmed
    ([at("08:00", "x"), at("09:00", "y", old="x")],
     ["Run\\a #1 data x 08:00-09:00 before unknown", "Run\\a #1 data y 09:00- differs yes <08:00"]),
    # what it does not know was there before its first event
    ([at("08:00", "y", old="x")],
     ["Run\\a #1 inferred x unseen -08:00 before unknown", "Run\\a #1 data y 08:00- differs yes <"]),
    ([at("08:00", "x", old="x")], ["Run\\a #1 inferred x unseen - before unknown"]),
    ([at("08:00", None, old="x", what=GONE)],
     ["Run\\a #1 inferred x unseen -08:00 before unknown", "Run\\a #1 deleted 08:00- <"]),
    # a change nobody saw lies between 08:30 and 09:00
    ([at("08:00", "x"), at("08:30", "x"), at("09:00", "y", old="z")],
     ["Run\\a #1 data x 08:00-08:30 not seen after before unknown x2",
      "Run\\a #1 inferred z unseen 08:30-09:00 differs yes <08:00",
      "Run\\a #1 data y 09:00- differs yes <08:30"]),
    ([at("08:00", "x"), at("09:00", None, old="z", what=GONE)],
     ["Run\\a #1 data x 08:00-08:00 not seen after before unknown", "Run\\a #1 inferred z unseen 08:00-09:00 differs yes <08:00",
      "Run\\a #1 deleted 09:00- <08:00"]),
    ([at("08:00", "x"), at("09:00", "z", old="z"), at("10:00", "z")],
     ["Run\\a #1 data x 08:00-08:00 not seen after before unknown", "Run\\a #1 inferred z unseen 08:00- differs yes <08:00 x2"]),
    # it had come back
    ([at("08:00", "x"), at("08:30", None, what=GONE), at("09:00", "y", old="x")],
     ["Run\\a #1 data x 08:00-08:30 before unknown", "Run\\a #1 deleted 08:30-08:30 not seen after <08:00",
      "Run\\a #1 inferred x unseen 08:30-09:00 differs no <08:00", "Run\\a #1 data y 09:00- differs yes <08:30"]),
    # what was set without saying what
    ([at("08:00", None), at("09:00", "y", old="x")],
     ["Run\\a #1 event only 08:00-08:00 not seen after before unknown",
      "Run\\a #1 inferred x unseen 08:00-09:00 differs unknown <08:00",
      "Run\\a #1 data y 09:00- differs yes <08:00"]),
    # at one moment nothing is shown to have been unseen
    ([at("08:00", "y", old="x"), at("08:00", "x", old="y")][::-1], None),
])
def test_old_data_tell_what_was_before(tmp_path: Path, events: list[dict], expected: list[str] | None) -> None:
    found = lives(tmp_path, *events)
    assert found == expected if expected else [line.split(" ")[2] for line in found] == ["inferred", "data", "data"]


@pytest.mark.parametrize(("events", "expected"), [
    ([key("08:00", "RegistryKeyCreated"), key("08:10", "RegistryKeyCreated"), at("08:30", "x"), at("08:40", "y", "b"),
      at("08:50", None, "b", what=GONE), at("08:45", "z", "c", NEW), key("09:00", "RegistryKeyDeleted"), at("10:00", "x")],
     ["Run #1 event only 08:00-09:00 before absent x2", "Run #1 deleted 09:00- <08:00",
      "Run\\a #2 data x 08:30-09:00 before unknown", "Run\\a #2 key deleted 09:00-10:00 <08:30",
      "Run\\a #2 data x 10:00- differs no <08:30",
      "Run\\b #3 data y 08:40-08:50 before unknown", "Run\\b #3 deleted 08:50- <08:40",
      "Start\\c #4 data z 08:45- before unknown"]),
    # a key deleted twice, and not seen before
    ([key("08:00", "RegistryKeyDeleted"), key("09:00", "RegistryKeyDeleted"), key("10:00", "RegistryKeyCreated")],
     ["Run #1 deleted 08:00-10:00 before unknown x2", "Run #1 event only 10:00-"]),
    # a key's default value has no name: creating the key again says nothing of its data
    ([at("08:00", "x", None), key("09:00", "RegistryKeyCreated")], ["Run #1 data x 08:00- before unknown x2"]),
    # a key's values in another spelling of the key
    ([at("08:00", "x"), key("09:00", "RegistryKeyDeleted", "HKLM\\software\\run")],
     ["HKLM\\software\\run #1 deleted 09:00- before unknown", "Run\\a #2 data x 08:00-09:00 before unknown",
      "Run\\a #2 key deleted 09:00- <08:00"]),
])
def test_values_end_with_their_key(tmp_path: Path, events: list[dict], expected: list[str]) -> None:
    assert lives(tmp_path, *events) == expected


MOVED = {"what": "RegistryKeyRenamed", "OldValueFullRegistryKey": RUN}


@pytest.mark.parametrize(("events", "expected"), [
    # the key and the value that the case knows at the new place go on there; of the other the case knows only that it left
    ([key("08:00", "RegistryKeyCreated"), at("08:10", "x"), at("08:20", "y", "b"), at("09:00", None, None, NEW, **MOVED),
      at("10:00", "z", "a", NEW)],
     ["Run #1 event only 08:00-09:00 before absent", "Run #2 moved away 09:00-", "Run\\a #3 data x 08:10-09:00 before unknown",
      "Run\\a #4 moved away 09:00-", "Run\\b #5 data y 08:20-09:00 before unknown", "Run\\b #6 moved away 09:00-",
      "Start #1 event only 09:00- differs no <08:00", "Start\\a #3 data x 09:00-10:00 differs no <08:10",
      "Start\\a #3 data z 10:00- differs yes <09:00"]),
    # over values that are still thought to be there
    ([at("08:00", "x"), at("08:10", "y", "a", NEW), at("08:20", "z", "c", NEW), at("09:00", None, None, NEW, **MOVED)],
     ["Run\\a #1 data x 08:00-09:00 before unknown", "Run\\a #2 moved away 09:00-", "Start #3 event only 09:00- before unknown",
      "Start\\a #4 data y 08:10-09:00 before unknown", "Start\\a #1 data x 09:00- differs no <08:00",
      "Start\\c #5 data z 08:20-09:00 before unknown", "Start\\c #5 key deleted 09:00- <08:20"]),
    # the same row twice, and a rename that does not say whence
    ([key("08:00", "RegistryKeyCreated"), at("09:00", None, None, NEW, **MOVED), at("09:00", None, None, NEW, **MOVED)],
     ["Run #1 event only 08:00-09:00 before absent", "Run #2 moved away 09:00-",
      "Start #1 event only 09:00- differs no <08:00 x2"]),
    ([at("09:00", None, None, NEW, what="RegistryKeyRenamed")], ["Start #1 event only 09:00- before unknown"]),
    # from where it was gone
    ([key("08:00", "RegistryKeyCreated"), key("08:30", "RegistryKeyDeleted"), at("09:00", None, None, NEW, **MOVED)],
     ["Run #1 event only 08:00-08:30 before absent", "Run #1 deleted 08:30-09:00 <08:00", "Run #2 moved away 09:00-",
      "Start #1 event only 09:00- differs unknown <08:00"]),
])
def test_a_renamed_key_takes_its_values_along(tmp_path: Path, events: list[dict], expected: list[str]) -> None:
    assert lives(tmp_path, *events) == expected


def test_rows_stay_linear_where_a_key_is_renamed_again_and_again(tmp_path: Path) -> None:
    """A value goes along for a while; then what became of it is unknown, and no row says that it is still so."""
    names = [f"v{number}" for number in range(30)]
    events = [at(f"00:{number:02}", "x", name, where) for number, name in enumerate(names) for where in (RUN, NEW)]
    for number in range(60):
        one, other = (NEW, RUN) if number % 2 == 0 else (RUN, NEW)
        events.append(key(f"{1 + number // 6:02}:{number % 6}0", "RegistryKeyRenamed", one, OldValueFullRegistryKey=other))
    case = made(tmp_path, events, analyses=("versions",))
    assert rows(case, "SELECT count(*) < 15 * (SELECT count(*) FROM events) FROM registry_versions") == [(1,)]
    assert rows(case, "SELECT count(*) FROM registry_versions v JOIN registry_values r ON r.id = v.registry_value_id "
                      "WHERE r.name IS NOT NULL AND v.state = 'present' AND v.until IS NULL") == [(0,)]
    assert rows(case, "SELECT r.path, v.state FROM registry_versions v JOIN registry_values r ON r.id = v.registry_value_id "
                      "WHERE r.name IS NULL AND v.until IS NULL ORDER BY 1") == [(RUN, "present"), (NEW, "absent")]
