"""`collect` by the real command line, against a workspace behind HTTPS: what it shows, refuses in one line, and never tells."""

from __future__ import annotations

import json
import logging
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fimforensics import case as cases
from fimforensics.cli import main
from fimforensics.live import service
from tests.live.faults import Faults
from tests.live.server import LogServer
from tests.live.store import Store
from tests.live.workspace import RESOURCE, WORKSPACE, Limits, Workspace

MDC = "MDCFileIntegrityMonitoringEvents"
Collect = Callable[..., Result]


def row(number: int, **more: object) -> dict[str, object]:
    """A change of a file in that minute of 2 November."""
    return {"TimeGenerated": f"2026-11-02T{number // 60:02d}:{number % 60:02d}:00.1234567Z", "Computer": f"srv-{number % 3}",
            "MonitoredEntityType": "File", "ChangeType": "Modified", "FileName": f"file-{number}", "FilePath": "/etc/secret-row/",
            "FileSize": number, "Type": MDC} | more


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store()
    made.create()
    made.add(row(number) for number in range(300))
    made.add([row(7)] * 60)  # equal rows in one instant
    yield made
    made.connection.close()


@pytest.fixture
def workspace(store: Store) -> Workspace:
    return Workspace(store, Limits(rows=100), stall=0.1)


@pytest.fixture
def collect(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collect]:
    """Runs the command against the server, with impatience; `env` goes on top of the server's own environment."""
    for name, value in (("FIRST_PAUSE", 0.01), ("LONGEST_PAUSE", 0.05)):
        monkeypatch.setattr(service, name, value)
    root = logging.getLogger()
    held, level = list(root.handlers), root.level
    with LogServer(workspace, folder=tmp_path) as server:
        def run(*words: str, case: str = "case.db", env: dict[str, str] | None = None, ca: bool = True) -> Result:
            told = list(words)
            if "--resource" not in told and "--workspace" not in told:
                told += ["--workspace", WORKSPACE]
            told += [] if "--endpoint" in told else ["--endpoint", server.url]
            told += ["--ca", str(server.ca)] if ca else []
            around = dict.fromkeys(name for name in ("HTTPS_PROXY", "https_proxy", "AZURE_TOKEN_CREDENTIALS"))
            return CliRunner().invoke(main, ["collect", str(tmp_path / case), "--no-analyze", *told],
                                      env={**around, **server.environment(), **(env or {})})
        yield run
    root.handlers[:] = held
    root.setLevel(level)


def cells(case: Path, query: str) -> list[tuple]:
    """What a query over the case gives."""
    with closing(sqlite3.connect(case)) as connection:
        return connection.execute(query).fetchall()


def test_a_window_is_pulled_counted_and_proved(collect: Collect, workspace: Workspace, tmp_path: Path) -> None:
    case = tmp_path / "case.db"
    result = collect("--case-number", "C-7", "--examiner", "Ann", "--note", "live", "--concurrency", "2", "--margin", "60")
    assert result.exit_code == 0 and "complete: 360 rows of 360 that the service counts, 360 new events" in result.output
    assert sorted(cells(case, "SELECT file_size FROM events")) == sorted([(n,) for n in range(300)] + [(7,)] * 60)
    kept = cells(case, "SELECT case_number, examiner, note, truncated, records FROM snapshots")
    assert kept == [("C-7", "Ann", "live", None, 360)]
    assert cells(case, "SELECT expected, rows, complete, reason, ingested_from FROM pulls") == [(360, 360, 1, None, None)]
    original = CliRunner().invoke(main, ["original", str(case), "1"]).stdout_bytes
    slices = cells(case, "SELECT offset, length, sha256, rows, expected FROM slices ORDER BY number")
    assert [sha256(original[at:at + size]).hexdigest() for at, size, *_ in slices] == [one[2] for one in slices]
    assert len(slices) > 3 and all(rows == counted <= 100 for *_, rows, counted in slices)
    assert sum(size + 1 for _, size, *_ in slices) == len(original)
    again = collect("--new", "--json", "--margin", "60")
    told = json.loads(again.output)
    assert (told["window"], told["rows"], told["recounted"]) == (
        2, 0, {"windows": 1, "held": 360, "counted": 360, "more": 0, "gone": 0})
    assert all(path.name == "ledger.db" for path in (tmp_path / "case.db.collect").glob("*/*"))
    shown = CliRunner().invoke(main, ["snapshots", str(case), "1"]).output
    assert slices[0][2] in shown and "| extend _ItemId = _ItemId" in shown and "complete: 360 rows of 360" in shown
    assert "ingestion_time() < datetime(" in json.loads(
        CliRunner().invoke(main, ["snapshots", str(case), "1", "--json"]).output)["pull"]["slices"][0]["query"]
    assert CliRunner().invoke(main, ["snapshots", str(case), "9"]).exit_code == 1


def test_the_proof_stands_verify_and_rebuild_and_no_cell_of_it_can_be_changed(collect: Collect, tmp_path: Path) -> None:
    case, new = tmp_path / "case.db", tmp_path / "new.db"
    assert collect().exit_code == 0
    assert CliRunner().invoke(main, ["verify", str(case)]).exit_code == 0
    rebuilt = CliRunner().invoke(main, ["rebuild", str(case), str(new), "--no-analyze"])
    assert rebuilt.exit_code == 0
    for table in ("pulls", "slices"):
        assert cells(new, f"SELECT * FROM {table}") == cells(case, f"SELECT * FROM {table}")
    for change in ("UPDATE pulls SET expected = 1", "UPDATE slices SET query = 'x' WHERE number = 2",
                   "UPDATE slices SET sha256 = '00' WHERE number = 1", "UPDATE slices SET rows = 0 WHERE number = 1",
                   "DELETE FROM slices WHERE number = 1", "DELETE FROM pulls", "UPDATE slices SET length = 'x'"):
        copy = tmp_path / "copy.db"
        copy.write_bytes(case.read_bytes())
        (tmp_path / "copy.db.key").write_bytes((tmp_path / "case.db.key").read_bytes())
        with closing(sqlite3.connect(copy)) as connection, connection:
            connection.execute(change)
        result = CliRunner().invoke(main, ["verify", str(copy)])
        assert result.exit_code == 1 and "pulls" in result.output, change


def test_rows_that_show_late_are_found_by_the_recount(collect: Collect, store: Store, workspace: Workspace,
                                                      tmp_path: Path) -> None:
    case = tmp_path / "case.db"
    assert collect().exit_code == 0
    store.add([row(7)] * 3 + [row(301)], visible=0)  # ingested long before the window's end
    workspace.ahead = 3_600
    result = collect("--new")
    assert "recounted 1 earlier window: 360 rows held, 364 counted now, 4 showed late and were taken" in result.output
    store.add([row(400)], ingested=workspace.now()[:-1])
    workspace.ahead = 7_200
    assert collect("--new").exit_code == 0
    assert sorted(cells(case, "SELECT file_size FROM events")) == sorted([(n,) for n in [*range(300), 301, 400]] + [(7,)] * 63)
    assert cells(case, "SELECT count(DISTINCT set_id), min(complete) FROM pulls JOIN snapshots ON id = snapshot_id") == [(1, 1)]


def test_what_cannot_be_proved_complete_says_so_everywhere(collect: Collect, workspace: Workspace, tmp_path: Path) -> None:
    case = tmp_path / "case.db"
    workspace.faults = Faults(0.0, lies=("rows dropped from a 200",), lie_often=1.0)
    result = collect()
    assert result.exit_code == 1 and "incomplete, and stored as such" in result.output
    joined = "FROM pulls JOIN snapshots ON id = snapshot_id"
    ((complete, reason, truncated),) = cells(case, f"SELECT complete, reason, truncated {joined}")
    assert not complete and reason and truncated.startswith(f"incomplete: {reason}")
    assert "1 snapshot may be truncated" in CliRunner().invoke(main, ["info", str(case)]).output
    assert "incomplete" in CliRunner().invoke(main, ["snapshots", str(case)]).output
    workspace.faults = Faults()
    repaired = collect("--new")
    assert repaired.exit_code == 0 and "showed late and were taken" in repaired.output
    assert cells(case, "SELECT count(*) FROM events") == [(360,)]
    told = cells(case, f"SELECT complete, truncated {joined} ORDER BY id")
    assert told == [(0, f"{truncated}; made good by snapshot 2"), (1, None)]
    assert "made good by snapshot 2" in CliRunner().invoke(main, ["snapshots", str(case), "1"]).output
    workspace.ahead = 60.0
    assert collect("--new").exit_code == 0
    told = [json.loads(found or "{}").get("incomplete") for found, in cells(case, f"SELECT recounted {joined} ORDER BY id")]
    assert told == [None, [1], None], "what is made good is counted like the others from then on"
    verified = CliRunner().invoke(main, ["verify", str(case)])
    assert verified.exit_code == 0, verified.output
    assert CliRunner().invoke(main, ["rebuild", str(case), str(tmp_path / "new.db"), "--no-analyze"]).exit_code == 0
    assert (cells(tmp_path / "new.db", "SELECT truncated FROM snapshots ORDER BY id")
            == cells(case, "SELECT truncated FROM snapshots ORDER BY id"))


def test_filters_are_the_services_work(collect: Collect, workspace: Workspace, tmp_path: Path) -> None:
    result = collect("--since", "2026-11-02T01:00:00Z", "--until", "2026-11-02T02:00:00+00:00", "--computer", "SRV-1",
                     "--computer", "srv-2", "--path-prefix", "/ETC/secret-row/file-7", "--change", "modified", "--auth", "env",
                     "--json")
    assert json.loads(result.output)["rows"] == 7  # file-70 to file-79, but those of srv-0
    assert json.loads(result.output)["filters"] == {"table": MDC, "computers": ["SRV-1", "srv-2"], "changes": ["modified"],
                                                    "path_prefixes": ["/ETC/secret-row/file-7"]}
    other = collect("--new", "--computer", "nobody")
    assert (other.exit_code, other.output.count("\n")) == (1, 1) and "Leave --new out" in other.output


def test_a_resource_a_search_job_and_a_basic_table(collect: Collect, store: Store, workspace: Workspace, tmp_path: Path) -> None:
    assert collect("--resource", RESOURCE, case="one.db").exit_code == 0
    assert {asked.path for asked in workspace.asked} == {f"/v1{RESOURCE}/query"}
    store.create("Weeks_SRCH", {"TimeGenerated": "datetime", "_OriginalTimeGenerated": "datetime", "Computer": "string",
                                "MonitoredEntityType": "string", "ChangeType": "string", "FilePath": "string", "Type": "string"})
    store.add([{"TimeGenerated": "2026-11-20T00:00:00Z", "_OriginalTimeGenerated": f"2026-11-0{n}T00:00:00Z", "Computer": "a",
                "ChangeType": "Created", "MonitoredEntityType": "File", "FilePath": "/a", "Type": f"{MDC}_SRCH"}
               for n in (1, 2, 3)], "Weeks_SRCH")
    result = collect("--table", "Weeks_SRCH", "--table", MDC, "--since", "2026-11-02", case="two.db")
    assert result.exit_code == 0 and "2 rows of 2" in result.output and "360 rows of 360" in result.output
    workspace.plans[MDC] = "basic"
    refused = collect(case="three.db")
    assert refused.exit_code == 1 and "say --table-plan basic or auxiliary" in refused.output
    basic = ["--table-plan", "basic", "--since", "2026-11-01", "--until", "2026-11-03"]
    planned = collect(*basic, "--plan", case="three.db")
    assert planned.exit_code == 0 and "scanned and billed 2 times" in planned.output and not (tmp_path / "three.db").exists()
    assert collect(*basic, case="three.db").exit_code == 0
    assert cells(tmp_path / "three.db", "SELECT count(*), (SELECT complete FROM pulls) FROM events") == [(360, 1)]


def test_a_plan_pulls_nothing(collect: Collect, workspace: Workspace, tmp_path: Path) -> None:
    result = collect("--plan", "--json")
    assert json.loads(result.output) | {"ingested_before": 0} == {
        "table": MDC, "ingested_before": 0, "rows": 360, "bytes": json.loads(result.output)["bytes"], "slices": 1, "requests": 5,
        "seconds": 0.5, "scans": 0}
    assert json.loads(result.output)["bytes"] > 10_000
    assert not [asked for asked in workspace.asked if "extend" in asked.query] and not list(tmp_path.glob("case*"))


REFUSED = [
    (["--workspace", "3b0c9f52-77aa-4a51-b6ce-0c7c7f1f0a99"], {}, "(404)", "the cloud (now public, --cloud)"),
    ([], {"FAKE_AZ": "signed out"}, "sign-in (cli) failed", "Run: az login"),
    ([], {"FAKE_AZ": "expired"}, "AADSTS700082", "Run: az login --scope https://api.loganalytics.io/.default"),
    (["--cloud", "gov"], {}, "wrong audience", "The token is for another cloud: say --cloud"),
    ([], {"HTTPS_PROXY": "http://127.0.0.1:9"}, "the proxy does not let it through", "See HTTPS_PROXY"),
    ([], {"PATH": "/nowhere"}, "the Azure CLI (az) is not there", "or say another --auth"),
    (["--endpoint", "https://127.0.0.1:9"], {}, "gives no answer", "the same command again goes on where it stopped"),
    (["--auth", "env"], {"AZURE_CLIENT_SECRET": ""}, "sign-in (env) cannot be set up", "Set AZURE_TENANT_ID"),
    (["--auth", "default"], {}, "sign-in (default) cannot be set up", "Set AZURE_TOKEN_CREDENTIALS"),
    (["--auth", "env"], {"AZURE_CLIENT_SECRET": "wrong"}, "AADSTS7000215", "Set AZURE_TENANT_ID"),
    (["--table", "Nothing"], {}, "(400)", "See the table's name"),
]


def test_a_refusal_is_one_line_and_the_ledger_goes_on(collect: Collect) -> None:
    for words, env, what, hint in REFUSED:
        result = collect(*words, env=env)
        assert (result.exit_code, result.output.count("\n")) == (1, 1), result.output
        assert what in result.output and hint in result.output, result.output
    assert collect().exit_code == 0


def test_a_case_that_cannot_take_it_is_told_before_anything_is_asked(collect: Collect, workspace: Workspace,
                                                                     tmp_path: Path) -> None:
    assert collect().exit_code == 0
    case, asked = tmp_path / "case.db", len(workspace.asked)
    key = (tmp_path / "case.db.key").read_bytes()
    (tmp_path / "case.db.key").unlink()
    assert "the case's key is not there" in collect().output
    (tmp_path / "case.db.key").write_bytes(key)
    cases.seal_file(case).write_text("{}")
    assert "a sealed case is never written again" in collect().output
    cases.seal_file(case).unlink()
    case.write_bytes(b"no case")
    assert "it is not a case" in collect().output
    assert "there is no such folder" in collect(case="nowhere/case.db").output and not (tmp_path / "nowhere").exists()
    assert len(workspace.asked) == asked


def test_no_role_and_a_certificate_that_nobody_trusts(collect: Collect, workspace: Workspace) -> None:
    workspace.roles = False
    refused = collect()
    assert refused.exit_code == 1 and "(403)" in refused.output and "Log Analytics Reader" in refused.output
    workspace.roles = True
    refused = collect(ca=False)
    assert (refused.exit_code, refused.output.count("\n")) == (1, 1)
    assert "its certificate is not trusted" in refused.output and "--ca FILE" in refused.output
    assert collect("--case-key", "nowhere.key", case="other.db").exit_code == 1


@pytest.mark.parametrize("words", [
    ["--workspace", "prod"], ["--resource", "/x"], ["--resource", "srv"], ["--workspace", WORKSPACE, "--resource", RESOURCE],
    ["--since", "soon"],
    ["--new", "--since", "2026-11-01"], ["--since", "2026-11-02", "--until", "2026-11-01"], ["--endpoint", "http://127.0.0.1"],
    ["--table", "A | B"], ["--table", "Mine", "--computer", "a"], ["--table-plan", "basic"], ["--computer", "\udc80"],
    ])
def test_wrong_use_asks_nobody(collect: Collect, workspace: Workspace, words: list[str], tmp_path: Path) -> None:
    result = collect(*words)
    assert (result.exit_code, workspace.asked) == (2, []) and not list(tmp_path.glob("case.db"))


def test_the_most_verbose_log_holds_no_token_and_no_row(collect: Collect, workspace: Workspace, tmp_path: Path) -> None:
    workspace.faults = Faults(0.3, seed=5)
    log = tmp_path / "log.txt"
    result = collect("--log", str(log), "--auth", "env")
    text = log.read_text() + result.output
    assert result.exit_code == 0 and "/query HTTP/1.1" in text and "msal" in text
    assert "eyJ" not in text and "secret-row" not in text and "a secret of the tests" not in text
    logging.getLogger("any").error("Bearer %s", "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOjF9.abc")
    assert "eyJ" not in log.read_text() and "(token)" in log.read_text()
    assert collect("--log", str(log)).exit_code == 1  # nothing is ever overwritten


def test_ctrl_c_ends_at_once_and_the_next_run_goes_on(workspace: Workspace, tmp_path: Path) -> None:
    workspace.faults, workspace.stall, case = Faults(1.0, ("read timeout",), most=4), 600.0, tmp_path / "case.db"
    with LogServer(workspace, folder=tmp_path) as server:
        words = [sys.executable, "-m", "fimforensics", "collect", str(case), "--workspace", WORKSPACE,
                 "--endpoint", server.url, "--ca", str(server.ca), "--no-analyze"]
        # heard even where the tests run in the background, which a shell makes deaf to it
        with subprocess.Popen(words, env=server.environment(), stderr=subprocess.PIPE, text=True,
                              preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler)) as process:
            try:
                server.wait_for(1)
                process.send_signal(signal.SIGINT)
                told = process.communicate(timeout=120)[1]  # long before the server has an answer
            finally:
                process.kill()
        assert (process.returncode, told) == (130, "fimforensics: stopped; the same command again goes on where it stopped\n")
        workspace.faults = Faults()
        assert subprocess.run(words, env=server.environment(), capture_output=True).returncode == 0
    assert cells(case, "SELECT count(*) FROM events") == [(360,)]
