"""Laws of versions: they tile, they do not depend on ingest, and a model that knows nothing of their making finds the same."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fimforensics.analyses.versions import places
from fimforensics.analyze import analyze
from tests.analyses.building import change, made, rows, value
from tests.analyses.versions_model import file_world, registry_world

FILES = [f"C:\\{name}.txt" for name in "abc"]
KEYS = ["HKLM\\Software\\Run", "HKLM\\Software\\Start"]
TIMES = [f"08:0{minute}" for minute in range(6)]


@st.composite
def file_events(draw: st.DrawFn) -> dict[str, Any]:
    what = draw(st.sampled_from(["Created", "Modified", "Deleted", "Renamed", "Renamed", "Scanned"]))
    more: dict[str, Any] = {"FileSha1": draw(st.sampled_from([None, None, "1" * 40, "2" * 40])),
                            "FileSize": draw(st.sampled_from([None, None, 1, 2]))}
    was = draw(st.sampled_from([*FILES, "C:\\nowhere.txt", None])) if what == "Renamed" else None
    return change(draw(st.sampled_from(["srv-1", "srv-1", "srv-2"])), draw(st.sampled_from(TIMES)),
                  draw(st.sampled_from([*FILES, "c:\\A.TXT"])), what, draw(st.sampled_from([None, "A", "B"])), was=was,
                  by=draw(st.sampled_from(["x.exe", "y.exe", None])), **more)


@st.composite
def registry_events(draw: st.DrawFn) -> dict[str, Any]:
    what = draw(st.sampled_from(["RegistryValueSet"] * 3 + ["RegistryValueDeleted", "RegistryKeyCreated", "RegistryKeyDeleted",
                                                            "RegistryKeyRenamed", "Scanned"]))
    of_key = what.startswith("RegistryKey")
    data, old = (st.none(), st.none()) if of_key else (st.sampled_from([None, "x", "y"]), st.sampled_from([None, None, "x", "y"]))
    more = {"OldValueFullRegistryKey": draw(st.sampled_from([*KEYS, None]))} if what == "RegistryKeyRenamed" else {}
    return value(draw(st.sampled_from(["srv-1", "srv-1", "srv-2"])), draw(st.sampled_from(TIMES)), draw(st.sampled_from(KEYS)),
                 None if of_key else draw(st.sampled_from(["a", "b"])), draw(data), what, old=draw(old), **more)


def repeated(events: st.SearchStrategy[dict], most: int) -> st.SearchStrategy[list[dict]]:
    """Some events, and one of them some times more: equal rows of one source are several events."""
    return st.tuples(st.lists(events, min_size=1, max_size=most), st.integers(0, most - 1), st.integers(0, 2)).map(
        lambda drawn: drawn[0] + [drawn[0][drawn[1] % len(drawn[0])]] * drawn[2])


EVENTS = repeated(st.one_of(file_events(), registry_events()), 14)

_KEY = "(SELECT hex(match_key) || '-' || ordinal FROM events WHERE id = {})"
FILE_ROWS = f"""
    SELECT v.chain_id, h.name, f.key, v.state, v.basis, k.sha256, k.sha1, v.size, v.since, v.until, {_KEY.format('v.begun_by')},
      {_KEY.format('v.last_event_id')}, {_KEY.format('v.ended_by')}, v.process_id IS NULL, p.since, pf.key, v.differs, v.before,
      v.events
    FROM file_versions v JOIN files f ON f.id = v.file_id JOIN hosts h ON h.id = f.host_id
    LEFT JOIN contents k ON k.id = v.content_id LEFT JOIN file_versions p ON p.id = v.previous_id
    LEFT JOIN files pf ON pf.id = p.file_id ORDER BY h.name, f.key, v.id"""
REGISTRY_ROWS = f"""
    SELECT v.chain_id, h.name, r.key || '|' || ifnull(r.name, ''), v.state, v.basis, {_KEY.format('v.data_event_id')}, NULL, NULL,
      v.since, v.until, {_KEY.format('v.begun_by')}, {_KEY.format('v.last_event_id')}, {_KEY.format('v.ended_by')},
      v.process_id IS NULL, p.since, pr.key || '|' || ifnull(pr.name, ''), v.differs, v.before, v.events
    FROM registry_versions v JOIN registry_values r ON r.id = v.registry_value_id JOIN hosts h ON h.id = r.host_id
    LEFT JOIN registry_versions p ON p.id = v.previous_id LEFT JOIN registry_values pr ON pr.id = p.registry_value_id
    ORDER BY h.name, 3, v.id"""


def natural(case: Path) -> dict[str, list]:
    """The rows of both tables by place, without ids, chains numbered in the order in which they are met."""
    found = {}
    for table, sql in (("files", FILE_ROWS), ("registry", REGISTRY_ROWS)):
        chains: dict[int, int] = {}
        found[table] = [(chains.setdefault(chain, len(chains)), *rest) for chain, *rest in rows(case, sql)]
    return found


@given(EVENTS, st.integers(0, 14))
@settings(max_examples=40)
def test_versions_tile_and_follow_from_the_events_alone(events: list[dict], cut: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        (one := Path(folder, "one")).mkdir()
        (other := Path(folder, "other")).mkdir()
        parts = [part for part in (events[:cut], events[cut:]) if part]
        case = made(one, *parts, analyses=("versions",))
        found = natural(case)
        for table in found.values():
            _tiles(table)
            _borders(table)
        patch.setattr(places, "KEPT", 1)  # nearly all rows lie on disk
        assert natural(made(other, *reversed(parts), analyses=("versions",))) == found
        again = [rows(case, f"SELECT * FROM {table}") for table in ("file_versions", "registry_versions")]
        patch.undo()
        analyze(case, ["versions"])
        assert [rows(case, f"SELECT * FROM {table}") for table in ("file_versions", "registry_versions")] == again


def _tiles(table: list[tuple]) -> None:
    """Each row of a place begins where the one before it ends; the last is open, and only the first may have no beginning."""
    for place in {row[1:3] for row in table}:
        mine = [row for row in table if row[1:3] == place]
        assert [row[8] for row in mine[1:]] == [row[9] for row in mine[:-1]] and mine[-1][9] is None
        assert all(row[8] is not None for row in mine[1:])
        assert all(row[9] is None or row[8] is None or row[8] <= row[9] for row in mine)


def _borders(table: list[tuple]) -> None:
    """An event begins at most one row of a chain, and ends at most one."""
    for at in (10, 12):
        borders = [(row[0], row[at]) for row in table if row[at]]
        assert len(borders) == len(set(borders))


FILE_EVENTS = """
    SELECT h.name, c.change, f.key, lower(o.path), e.time, hex(e.match_key), hex(e.match_key) || '-' || e.ordinal,
      k.sha256, k.sha1, e.file_size
    FROM events e JOIN hosts h ON h.id = e.host_id JOIN changes c ON c.id = e.change_id JOIN files f ON f.id = e.file_id
    LEFT JOIN paths o ON o.id = e.original_path_id LEFT JOIN contents k ON k.id = e.content_id
    ORDER BY h.name, e.time, e.match_key, e.ordinal"""
REGISTRY_EVENTS = """
    SELECT h.name, c.change, v.key, ifnull(v.name, ''), lower(r.old_key), e.time, hex(e.match_key),
      hex(e.match_key) || '-' || e.ordinal, e.new_data, e.old_data
    FROM events e JOIN hosts h ON h.id = e.host_id JOIN changes c ON c.id = e.change_id
    JOIN registry_values v ON v.id = e.registry_value_id LEFT JOIN registry_reports r ON r.id = e.registry_report_id
    ORDER BY h.name, e.time, e.match_key, e.ordinal"""


def _without_actor(table: list[tuple]) -> list[tuple]:
    return [row[:13] + row[14:] for row in table]


@given(repeated(file_events(), 16))
@settings(max_examples=50)
def test_a_model_of_files_finds_the_same(events: list[dict]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        case = made(Path(folder), events, analyses=("versions",))
        flat, names = rows(case, FILE_EVENTS), ("host", "change", "place", "was", "time", "match", "key")
        told = [dict(zip(names, row, strict=False)) | {"told": row[7:], "known": {one[2] for one in flat if one[0] == row[0]}}
                for row in flat]
        assert _without_actor(natural(case)["files"]) == file_world(told).rows()


@given(repeated(registry_events(), 16))
@settings(max_examples=50)
def test_a_model_of_the_registry_finds_the_same(events: list[dict]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        case = made(Path(folder), events, analyses=("versions",))
        flat = rows(case, REGISTRY_EVENTS)
        known = sorted({(row[0], f"{row[2]}|{row[3]}") for row in flat})
        names = ("host", "change", "of", "name", "was", "time", "match", "key", "data", "old")
        told = [dict(zip(names, row, strict=True)) | {"known": known} for row in flat]
        found = [(*row[:6], *row[6:]) for row in _without_actor(natural(case)["registry"])]
        assert found == [(*row[:5], row[6], None, None, *row[8:]) for row in registry_world(told).rows()]
