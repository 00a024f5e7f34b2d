"""The test server is what it says: the real SDK talks to it, queries are really run, limits bind, faults come as drawn."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, IncompleteReadError, ServiceResponseError
from azure.core.rest import HttpRequest
from azure.identity import AzureCliCredential, ClientSecretCredential
from azure.monitor.query import LogsQueryPartialResult, LogsQueryResult

from fimforensics.model import COLUMNS
from tests.live import bodies, tokens
from tests.live.clients import client, hour
from tests.live.faults import FAULTS, LIES, Faults
from tests.live.server import LogServer
from tests.live.store import Store
from tests.live.workspace import RESOURCE, WORKSPACE, Limits, Workspace

T = "MDCFileIntegrityMonitoringEvents"
Serve = Callable[..., LogServer]


def rows(server: LogServer, query: str, **more: Any) -> list[list[Any]]:
    """The rows that a query gives."""
    answer = client(server).query_workspace(WORKSPACE, query, timespan=None, **more)
    assert isinstance(answer, LogsQueryResult)
    return [list(row) for row in answer.tables[0].rows]


def raw(server: LogServer, query: str, path: str = f"/workspaces/{WORKSPACE}/query", **more: Any) -> Any:
    """The answer's JSON, not altered by the SDK."""
    request = HttpRequest("POST", path, json={"query": query} | more, headers={"Prefer": "wait=600"})
    answer = client(server).send_request(request)
    return answer.status_code, answer.json() if answer.content else None


def test_every_form_of_answer_is_as_log_analytics_gives_it(store: Store, serve: Serve) -> None:
    store.add([hour(1), hour(2, FilePath='C:\\a"b\'c\u202e\x07é😀', InitiatingProcessCreationTime=None, FileSize=2**62)])
    status, body = raw(serve(Workspace(store)), f"{T}\n| where FileSize > 1\n| extend _ItemId = _ItemId")
    assert (status, list(body), [table["name"] for table in body["tables"]]) == (200, ["tables"], ["PrimaryResult"])
    table = body["tables"][0]
    names = [column["name"] for column in table["columns"]]
    assert names == [*[name for name in COLUMNS if not name.startswith("_")], "_ItemId"] and len(names) == 64
    assert [column["type"] for column in table["columns"]][:-1] == [COLUMNS[name] for name in names[:-1]]
    row = dict(zip(names, table["rows"][0], strict=True))
    assert len(table["rows"]) == 1 and len(row.pop("_ItemId")) == 36
    assert {name: cell for name, cell in row.items() if cell not in ("", None)} == {
        "TimeGenerated": "2026-11-02T02:00:00.1234567Z", "Computer": "srv-1", "MonitoredEntityType": "File", "Type": T,
        "FileName": "file-2", "ChangeType": "Modified", "FilePath": 'C:\\a"b\'c\u202e\x07é😀', "FileSize": 2**62}
    assert (row["FileMd5"], row["InitiatingProcessCreationTime"], row["InitiatingProcessId"]) == ("", None, None)


def test_borders_hold_to_the_seventh_digit(store: Store, serve: Serve) -> None:
    """Bins and bounds are exact: floating seconds put a row on a border of a millisecond to the wrong side."""
    times = [f"2026-11-02T03:04:05.{digits}Z" for digits in ("0009999", "0010000", "0010001", "0019999", "0020000")]
    store.add([hour(1, TimeGenerated=time) for time in times])
    server = serve(Workspace(store))
    plan = raw(server, f"{T} | summarize Rows = count() by Bin = bin(TimeGenerated, 1ms)")[1]["tables"][0]["rows"]
    assert sorted(plan) == [["2026-11-02T03:04:05.0000000Z", 1], ["2026-11-02T03:04:05.0010000Z", 3],
                            ["2026-11-02T03:04:05.0020000Z", 1]]
    bounded = f"{T} | where TimeGenerated >= datetime({times[1]}) and TimeGenerated < datetime({times[3]}) | count"
    assert rows(server, bounded) == [[2]]


def test_queries_are_run_for_real(store: Store, serve: Serve) -> None:
    store.add([hour(number, Computer=("web-01", "WEB-02", "db")[number % 3]) for number in range(12)])
    server = serve(Workspace(store))
    assert rows(server, f'{T} | where Computer in~ ("web-01", "web-02") | summarize count()') == [[8]]
    assert rows(server, f'{T} | where FilePath startswith "/ETC/FILE-1" | count') == [[3]]
    assert rows(server, f'{T} | where FilePath == "/etc/file\\u002d1" | count') == [[1]]
    assert rows(server, f'{T} | where strcat(FilePath, "\\\\", FileName) == "/etc/file-1\\\\file-1" | count') == [[1]]
    parts = rows(server, f"{T} | summarize Rows = count() by Part = hash(_ItemId, 3)")
    assert sum(count for _, count in parts) == 12
    assert [rows(server, f"{T} | where hash(_ItemId, 3) == {part} | count") for part, _ in parts] == [[[n]] for _, n in parts]
    sizes = raw(server, f"{T} | summarize sum(estimate_data_size(*))")[1]["tables"][0]
    assert sizes["columns"] == [{"name": "sum_", "type": "long"}] and sizes["rows"][0][0] > 500
    size = rows(server, f"{T} | where ingestion_time() < datetime(2026-11-02T01:01:00.1234567Z) | count")
    assert size == [[1]], "a row is ingested a minute after its time; the border itself is outside"


@pytest.mark.parametrize(("query", "told"), [
    ("Nope | count", "Nope"), (f"{T} | where Nope == 1", "Nope"), (f"{T} | wherex", "wherex"),
    (f'{T} | where Computer == "a', "'\"a'"), (f'{T} | where Computer == "\\q"', "escape"),
    (f"{T} | where hash(Computer, 3) == 1", "_ItemId"), (f"{T} | getschema", "getschema")])
def test_what_cannot_be_run_is_refused(store: Store, serve: Serve, query: str, told: str) -> None:
    status, body = raw(serve(Workspace(store)), query)
    assert (status, body["error"]["code"]) == (400, "BadArgumentError")
    assert told in body["error"]["innererror"]["innererror"]["message"]


def test_limits_cut_an_answer_and_say_so_deep_inside(store: Store, serve: Serve) -> None:
    store.add([hour(number) for number in range(20)])
    workspace = Workspace(store, Limits(rows=15))
    server = serve(workspace)
    answer = client(server).query_workspace(WORKSPACE, T, timespan=None)
    assert isinstance(answer, LogsQueryPartialResult) and len(answer.partial_data[0].rows) == 15
    assert raw(server, T)[1]["error"] == bodies.too_many_rows(15)
    workspace.limits = Limits(bytes=2_000)
    body = raw(server, T)[1]
    assert body["error"] == bodies.too_many_bytes(2_000) and 1 <= len(body["tables"][0]["rows"]) < 20
    workspace.limits = Limits(slow_rows=19)
    assert raw(server, T)[0] == 504


def test_too_many_at_once_or_too_often_are_turned_away(store: Store, serve: Serve) -> None:
    workspace = Workspace(store, Limits(concurrent=2), faults=Faults(1.0, ("read timeout",), most=2), stall=60.0)
    server = serve(workspace)

    def ask() -> None:
        with pytest.raises(ServiceResponseError):
            raw(server, T)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    server.wait_for(2)
    assert raw(server, T)[0] == 429
    workspace.hurry.set()
    for thread in threads:
        thread.join()
    assert raw(server, T)[0] == 200
    workspace.limits = Limits(requests=5)
    assert [raw(server, f"{T} | count")[0] for _ in range(3)] == [200, 429, 429]


def test_sign_in_with_real_credentials(store: Store, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    store.add([hour(1)])
    server = serve(Workspace(store))
    monkeypatch.setenv("PATH", server.environment()["PATH"])
    secret = ClientSecretCredential(tokens.TENANT, tokens.CLIENT, tokens.SECRET, authority=f"127.0.0.1:{server.port}",
                                    disable_instance_discovery=True, connection_verify=str(server.ca))
    for credential in (secret, AzureCliCredential()):
        assert len(client(server, credential).query_workspace(WORKSPACE, T, timespan=None).tables[0].rows) == 1
    wrong = ClientSecretCredential(tokens.TENANT, tokens.CLIENT, "wrong", authority=f"127.0.0.1:{server.port}",
                                   disable_instance_discovery=True, connection_verify=str(server.ca))
    with pytest.raises(HttpResponseError, match="AADSTS7000215"):
        client(server, wrong).query_workspace(WORKSPACE, T, timespan=None)
    monkeypatch.setenv("FAKE_AZ", "signed out")
    with pytest.raises(HttpResponseError, match="az login"):
        client(server, AzureCliCredential()).query_workspace(WORKSPACE, T, timespan=None)


def test_tokens_workspaces_and_addresses_are_checked(store: Store, serve: Serve) -> None:
    workspace = Workspace(store)
    server = serve(workspace)

    def said(path: str = f"/v1/workspaces/{WORKSPACE}/query", **headers: str) -> tuple[int, str]:
        answer = workspace.respond(path, {"Content-Type": "application/json"} | headers, b'{"query": "print 1"}')
        return answer.status, bodies.json.loads(answer.body).get("error", {}).get("code", "") if answer.body else ""

    good = f"Bearer {tokens.mint(workspace.key)}"
    assert said() == (401, "AuthenticationFailed")
    assert said(Authorization="Bearer a.b.c") == (403, "InvalidAuthenticationToken")
    assert said(Authorization=f"Bearer {tokens.mint(workspace.key, server.url)}") == (403, "InvalidAuthenticationTokenAudience")
    assert said(Authorization=f"Bearer {tokens.mint(workspace.key, life=-1)}") == (401, "InvalidTokenError")
    assert said(Authorization=good) == (200, "")
    assert said("/v1" + RESOURCE + "/query", Authorization=good) == (200, "")
    assert said(f"/v1/workspaces/{tokens.TENANT}/query", Authorization=good) == (404, "WorkspaceNotFoundError")
    assert said("/v2/query", Authorization=good) == (404, "PathNotFoundError")
    assert workspace.respond(f"/v1/workspaces/{WORKSPACE}/query", {"Authorization": good}, b"{}").body == b"", "no Content-Type"
    workspace.roles = False
    assert said(Authorization=good) == (403, "InsufficientAccessError")


def test_basic_tables_have_a_door_of_their_own(store: Store, serve: Serve) -> None:
    store.add([hour(1)])
    server = serve(Workspace(store, plans={T: "basic"}))
    search = f"/workspaces/{WORKSPACE}/search"
    assert [raw(server, T)[0], raw(server, T, search)[0], raw(server, T, search, timespan="P1D")[0]] == [400, 400, 200]


def test_late_rows_can_be_seen_when_their_turn_comes(store: Store, serve: Serve) -> None:
    store.add([hour(1)])
    store.add([hour(2), hour(3)], visible=2)
    server = serve(Workspace(store))
    assert [rows(server, f"{T} | count") for _ in range(3)] == [[[1]], [[1]], [[3]]]


@pytest.mark.parametrize("kind", FAULTS)
def test_every_fault_comes_as_it_is_named(store: Store, serve: Serve, kind: str) -> None:
    store.add([hour(number) for number in range(9)])
    workspace = Workspace(store, faults=Faults(1.0, (kind,), seed=4, most=1), stall=0.2)
    server = serve(workspace)
    found: Any
    try:
        status, body = raw(server, T)
        error = (body or {}).get("error", {}) if body is not None else {}
        found = (status, error.get("code"), len(body["tables"][0]["rows"]) if body and "tables" in body else None)
    except (ServiceResponseError, IncompleteReadError, HttpResponseError) as problem:
        found = type(problem).__name__
    expected: dict[str, list[Any]] = {
        "429 with Retry-After": [(429, "ThrottledError", None)], "429 without": [(429, "ThrottledError", None)],
        "5xx": [(status, code, None) for status, code in ((500, "InternalServerError"), (502, "BadGateway"),
                                                          (503, "ServiceUnavailable"))],
        "504": [(504, "GatewayTimeout", None)], "read timeout": ["ServiceResponseError"], "cut body": ["IncompleteReadError"],
        "empty 200": [(200, None, None)], "partial with rows": [(200, "PartialError", number) for number in range(10)],
        "partial without rows": [(200, "PartialError", 0)], "401 once": [(401, "InvalidTokenError", None)],
        "connection dropped": ["ServiceResponseError"], "204": [(204, None, None)]}
    assert found in expected[kind]
    assert workspace.faults.counts == {kind: 1} and workspace.asked[-1].what == kind
    assert rows(server, f"{T} | count") == [[9]], "afterwards all is well"


def test_a_liar_shows_less_and_says_nothing(store: Store, serve: Serve) -> None:
    store.add([hour(number) for number in range(9)])
    workspace = Workspace(store, faults=Faults(lies=LIES, lie_often=1.0))
    server = serve(workspace)
    assert len(rows(server, f"{T} | summarize Rows = count() by Bin = bin(TimeGenerated, 1h)")) == 8
    assert 4 <= len(rows(server, f"{T} | extend _ItemId = _ItemId")) <= 8
    assert rows(server, f"{T} | summarize Rows = count(), First = min(TimeGenerated)")[0][0] == 9, "counts are true"
    assert workspace.faults.counts == {LIES[0]: 1, LIES[1]: 1}


def test_the_same_seed_gives_the_same_faults() -> None:
    drawn = [[faults.draw() for _ in range(50)] for faults in (Faults(0.5, seed=3), Faults(0.5, seed=3), Faults(0.5, seed=4))]
    assert drawn[0] == drawn[1] != drawn[2]
    with pytest.raises(ValueError, match="no such fault"):
        Faults(kinds=("a dream",))
