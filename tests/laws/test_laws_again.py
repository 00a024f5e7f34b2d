"""Done again it is the same: an ingest on another day, a case rebuilt from its originals, a record read a second time."""

from __future__ import annotations

from contextlib import closing

from hypothesis import assume, given
from hypothesis import strategies as st

from fimforensics import case as cases
from fimforensics.evidence import raw
from fimforensics.model import Reading
from fimforensics.replay import rebuild, replay
from tests.laws.bench import FEW, KEY, balanced, bench, digest, rows
from tests.laws.drawn_tables import Row, several_tables, tables
from tests.laws.tables_as_shapes import PARTIAL, SHAPES, export_csv, json_lines, plain_csv, semicolon_csv

UNSAID, UTC = Reading(None, "mdy"), Reading("UTC", "mdy")


@FEW
@given(several_tables(bad=True), st.booleans(), st.data())
def test_rebuilt_and_made_again(made: list[list[Row]], parts: bool, data: st.DataObject) -> None:
    with bench() as at:
        pieces = {data.draw(st.sampled_from((*SHAPES, PARTIAL))).write(table) for table in made}
        sources = [at.source(str(number), piece) for number, piece in enumerate(sorted(pieces))]
        case, new = at.case(*sources, parts=parts), at.new()
        assert digest(at.case(*sources, parts=parts)) == digest(case)
        assert rebuild(case, new, KEY, lambda *_: None) == len(sources)
        balanced(new)
        assert digest(new) == digest(case)


def zoneless(table: list[Row]) -> list[Row]:
    """The same with times that tell no zone, but for the first row."""
    return [
        Row({name: str(cell).removesuffix("Z") if at and name == "TimeGenerated" else cell for name, cell in row.items()})
        for at, row in enumerate(table)
    ]


WAYS = (json_lines, plain_csv, semicolon_csv, export_csv)


@FEW
@given(several_tables(bad=True), st.sampled_from(WAYS), st.booleans())
def test_rejects_without_zone_become_the_events_that_they_are(made: list[list[Row]], write, parts: bool) -> None:
    made = [table for table in made if table[0]["FileSize"] != "many"]
    pieces = list(dict.fromkeys(write(zoneless(table)) for table in made))
    assume(pieces)
    with bench() as at:
        sources = [at.source(str(number), piece) for number, piece in enumerate(pieces)]
        case, known = at.case(*sources, reading=UNSAID, parts=parts), at.case(*sources, reading=UTC, parts=parts)
        rejects = rows(case, "SELECT count(*) FROM rejects")[0][0]
        bad = rows(known, "SELECT count(*) FROM rejects")[0][0]
        assert replay(case, UNSAID) == (rejects, 0)
        assert replay(case, UTC) == (rejects, rejects - bad)
        assert replay(case, UTC) == (bad, 0)
        balanced(case)
        assert digest(case)["events_digest"] == digest(known)["events_digest"]
        same = (
            "SELECT s.source, o.offset, o.length, e.match_key, k.row_check FROM occurrences o JOIN events e ON e.id = o.event_id "
            "JOIN event_keys k ON k.event_id = e.id JOIN snapshots s ON s.id = o.snapshot_id ORDER BY 1, 2"
        )
        assert rows(case, same) == rows(known, same)
        with closing(cases.open_read(case)) as connection:
            for seq, number, offset, length in rows(case, "SELECT seq, snapshot_id, offset, length FROM occurrences"):
                assert raw.raw_record(connection, seq) == pieces[number - 1][offset : offset + length]


@FEW
@given(tables(), st.sampled_from(WAYS))
def test_what_was_replayed_is_there_after_a_rebuild(table: list[Row], write) -> None:
    with bench() as at:
        case, new = at.case(at.source("a", write(zoneless(table))), reading=UNSAID), at.new()
        replay(case, UTC)
        rebuild(case, new, KEY, lambda *_: None)
        balanced(new)
        assert digest(new)["events_digest"] == digest(case)["events_digest"]


@FEW
@given(several_tables(), st.data())
def test_what_comes_later_changes_no_id(made: list[list[Row]], data: st.DataObject) -> None:
    with bench() as at:
        first, *later = list(dict.fromkeys(data.draw(st.sampled_from(SHAPES)).write(table) for table in made))
        case = at.case(at.source("first", first))
        held = rows(case, "SELECT id, match_key, ordinal FROM events ORDER BY id")
        for number, piece in enumerate(later):
            at.case(at.source(f"later-{number}", piece), at=case)
        assert rows(case, "SELECT id, match_key, ordinal FROM events ORDER BY id")[: len(held)] == held
