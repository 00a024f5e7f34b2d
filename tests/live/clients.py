"""Rows in few words, and clients of the real SDK for a server."""

from __future__ import annotations

from typing import Any

from azure.core.credentials import AccessToken
from azure.core.pipeline.policies import RetryPolicy
from azure.monitor.query import LogsQueryClient

from tests.live.server import LogServer
from tests.live.tokens import mint
from tests.live.workspace import Workspace


def hour(number: int, **more: object) -> dict[str, object]:
    """A row of the main table, a change of a file at that hour of 2 November."""
    return {"TimeGenerated": f"2026-11-02T{number:02d}:00:00.1234567Z", "Computer": "srv-1", "MonitoredEntityType": "File",
            "ChangeType": "Modified", "FilePath": f"/etc/file-{number}", "FileName": f"file-{number}", "FileSize": number,
            "Type": "MDCFileIntegrityMonitoringEvents"} | more


class Token:
    """A credential that needs no sign-in."""

    def __init__(self, workspace: Workspace) -> None:
        self._key = workspace.key

    def get_token(self, *scopes: str, **more: Any) -> AccessToken:
        return AccessToken(mint(self._key, scopes[0].removesuffix("/.default")), 2**33)


def client(server: LogServer, credential: Any = None) -> LogsQueryClient:
    """The real client, which tries once only."""
    return LogsQueryClient(credential or Token(server.workspace), endpoint=server.url, audience=server.workspace.audience,
                           retry_policy=RetryPolicy.no_retries(), connection_verify=str(server.ca))
