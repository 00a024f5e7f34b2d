"""Small examples that broke a law once; drawn at random they would come up again only now and then."""

from __future__ import annotations

from tests.laws.bench import bench, digest, rows
from tests.laws.drawn_tables import BAD, Row, row
from tests.laws.tables_as_shapes import az_json, export_csv, json_lines, semicolon_csv

WEB = {"AzureResourceId": "/subscriptions/s/web01", "Computer": "web01"}
CREATED = Row(MonitoredEntityType="File", ChangeType="Created", FilePath="/etc/a", FileName="a")


def made(host: dict | None = None, *, time: str = "2026-03-04T05:06:07.1230000Z", **cells: object) -> Row:
    """A file created on a host."""
    return Row({**row(time, host or WEB, CREATED, {}, {}), **cells})


def test_az_writes_None_for_no_item_id() -> None:
    """Rows without an id are no retries of each other."""
    with bench() as at:
        case = at.case(
            at.source("az", az_json([made(_ItemId="one"), made(_ItemId=None), made(_ItemId=None), made(_ItemId="one")]))
        )
        assert rows(case, "SELECT records, new_events, known_events FROM snapshots") == [(4, 3, 1)]
        assert rows(case, "SELECT count(*) FROM occurrences WHERE item_id = 'None'") == [(0,)]


def test_a_search_jobs_own_ids_say_nothing() -> None:
    """Two runs of a search job over the same row give it two ids, and the row's own id beside them."""
    found = [
        {
            **made(),
            "Type": "MDCFileIntegrityMonitoringEvents_SRCH",
            "_ItemId": f"job-{number}",
            "_OriginalItemId": "one",
            "_OriginalTimeGenerated": "2026-03-04T05:06:07.1230000Z",
        }
        for number in (1, 2)
    ]
    with bench() as at:
        case = at.case(at.source("search", json_lines(found)))
        assert rows(case, "SELECT records, new_events, known_events FROM snapshots") == [(2, 1, 1)]


def test_ids_that_come_only_after_the_first_record() -> None:
    """A retry is known in a later transaction, too, though the first record of all had no id."""
    table = [made(), made(_ItemId="one"), made(_ItemId="one")]
    with bench() as at:
        case = at.case(at.source("ids", json_lines(table)), batch=1, commit=1)
        assert rows(case, "SELECT records, new_events, known_events FROM snapshots") == [(3, 2, 1)]


def test_one_more_of_a_key_whose_events_differ() -> None:
    """Of three equal keys two say ELF: whichever portion told the third, the events are the same."""
    with bench() as at:
        elf, bare = made(FileType="ELF"), made()
        whole = digest(at.case(at.source("whole", json_lines([elf, bare, elf]))))["events_digest"]
        parts = [at.source("one", json_lines([elf, bare])), at.source("two", json_lines([elf]))]
        assert digest(at.case(*parts, parts=True))["events_digest"] == whole
        more = at.source("more", json_lines([elf, bare, elf]))
        assert digest(at.case(parts[0], more))["case_digest"] == digest(at.case(more, parts[0]))["case_digest"]


def test_a_reject_labels_nothing() -> None:
    """How a record spelled a host that became no event shows nowhere, whatever came first."""
    with bench() as at:
        bad = {**made({**WEB, "Computer": "WEB01"}), **BAD}
        sources = [
            at.source("with a reject", json_lines([made({"Computer": "db01"}), bad])),
            at.source("good", json_lines([made()])),
        ]
        case, turned = at.case(*sources), at.case(*sources[::-1])
        assert (
            rows(case, "SELECT name FROM hosts ORDER BY 1")
            == rows(turned, "SELECT name FROM hosts ORDER BY 1")
            == [("db01",), ("web01",)]
        )
        assert digest(case)["case_digest"] == digest(turned)["case_digest"]


def test_a_better_host_takes_its_label_along() -> None:
    """A record that moves an event to another host leaves no label of the event on the first."""
    with bench() as at:
        first, better = made({"Computer": "DB", "CloudIdentifier": "c1"}), made({"Computer": "DB", "CloudIdentifier": "c2"})
        later = made({"Computer": "db", "CloudIdentifier": "c1"}, time="2026-03-04T05:06:08.0000000Z")
        one, two, three = (
            at.source(name, json_lines([cells])) for name, cells in zip("abc", (first, better, later), strict=True)
        )
        found = [at.case(*order) for order in ((one, two, three), (one, three, two), (three, two, one))]
        assert len({digest(case)["case_digest"] for case in found}) == 1


def test_records_of_every_csv_are_read_again() -> None:
    """Where two rows of a key differ they are read from their bytes again, by their own delimiter, encoding and line ends."""
    for write in (semicolon_csv, export_csv):
        table = [made(FileType="ELF", NewValueData='a;\x0b b,\x85\u2028 c\n"d"'), made(NewValueData='a;\x0b b,\x85\u2028 c\n"d"')]
        with bench() as at:
            assert (
                digest(at.case(at.source("csv", write(table))))["events_digest"]
                == digest(at.case(at.source("lines", json_lines(table))))["events_digest"]
            )


def test_what_no_key_holds_tells_records_apart_too() -> None:
    """Two events in one millisecond, one with an extra column: a coarser source must not mix them up."""
    with bench() as at:
        table = [made(time="2026-03-04T05:06:07.1230000Z", Note=None), made(time="2026-03-04T05:06:07.1230001Z", Note="5")]
        fine, coarse = (
            at.source("fine", json_lines(table)),
            at.source("coarse", json_lines([{**cells, "TimeGenerated": "2026-03-04T05:06:07.123Z"} for cells in table])),
        )
        alone = digest(at.case(fine))["events_digest"]
        assert digest(at.case(fine, coarse))["events_digest"] == alone == digest(at.case(coarse, fine))["events_digest"]
