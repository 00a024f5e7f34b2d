"""A folder of several exports: only what Azure wrote by the hour is one set, wherever it lies; every other file stands alone."""

from __future__ import annotations

import json
from pathlib import Path

from fimforensics import case as cases
from fimforensics.ingest import Options, ingest
from fimforensics.model import Reading
from fimforensics.sources import sources

ROW = {"TimeGenerated": "2026-09-30T02:14:00Z", "Computer": "srv-1", "MonitoredEntityType": "File", "ChangeType": "Modified",
       "FilePath": "/etc/x", "FileName": "x", "Type": "MDCFileIntegrityMonitoringEvents"}
HOUR = "export/WorkspaceResourceId=w/y=2026/m=09/d=30/h=02"


def _files(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        own = ROW | {"FilePath": f"/etc/{name.replace('/', '-')}", "FileName": name.replace("/", "-")}
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in (ROW, own)), encoding="utf-8")


def test_a_tree_beside_other_exports_does_not_make_them_its_parts(tmp_path: Path) -> None:
    _files(tmp_path / "in", "a.jsonl", "b/c.jsonl", f"{HOUR}/m=10/PT05M.json", f"{HOUR}/m=15/PT05M.json")
    case = tmp_path / "case.db"
    taken = ingest(case, [tmp_path / "in"], Options(reading=Reading(None, None)))
    assert [one.refused for one in taken] == [None] * 4
    with cases.reading(case) as db:  # two parts of one tree tell of two events; each other file tells of the first again
        assert db.execute("SELECT count(*) FROM events_flat WHERE path = '/etc/x'").fetchone() == (2,)
        assert db.execute("SELECT count(*) FROM events").fetchone() == (6,)
        assert db.execute("SELECT count(DISTINCT set_id) FROM snapshots").fetchone() == (3,)


def test_a_part_of_a_tree_named_by_itself_belongs_to_the_same_tree(tmp_path: Path) -> None:
    _files(tmp_path, f"{HOUR}/m=10/PT05M.json", f"{HOUR}/m=15/PT05M.json")
    found, bad = sources([tmp_path / HOUR / "m=10", tmp_path / HOUR / "m=15"], parts=False)
    assert bad == [] and len({source.group for source in found}) == 1
