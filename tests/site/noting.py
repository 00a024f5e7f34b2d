"""A browser that keeps its cookie and sends the forms of notes, in process."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import httpx
from conftest import Browser  # type: ignore[import-not-found]

from fimforensics.serve import Ways
from tests.analyses.building import change, value

RUN = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run"
EVENTS = [change("srv-1", "08:00", "/etc/cron.d/job", "Created", "job", by="/usr/bin/vim", account="root"),
          value("srv-2", "09:00", RUN, "Updater", "powershell.exe -enc " + "QUJD" * 40),
          change("srv-2", "07:00", "/etc/sysctl.conf", "Modified", "a", by="/usr/bin/vim", pid=None, account="root")]
THINGS = ("hosts", "files", "registry_values", "contents", "processes", "accounts", "events", "findings")
TOKEN = re.compile(r'name="token" value="([0-9a-f]{64})"')


def number_of(table: str, case: Path) -> int:
    """The first row of a table."""
    with sqlite3.connect(case.as_uri() + "?mode=ro", uri=True) as connection:
        return int(connection.execute(f"SELECT min(id) FROM {table}").fetchone()[0])


class Writer(Browser):
    """One person at a browser."""

    def __init__(self, cases: list[Path], ways: Ways) -> None:
        super().__init__(cases, ways=ways)
        self.jar: dict[str, str] = {}
        self._token: str | None = None

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """As the parent, with the cookie that was given last."""
        headers = {**({"cookie": "; ".join(f"{name}={value}" for name, value in self.jar.items())} if self.jar else {}),
                   **more.pop("headers", {})}
        answer = super().request(method, path, headers=headers, **more)
        for cookie in answer.headers.get_list("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.jar[name] = value
        return answer

    def token(self, path: str = "/case/hosts/1") -> str:
        """The token of the first form on a page."""
        found = TOKEN.search(self.get(path).text)
        assert found is not None, path
        return found[1]

    def known(self) -> str:
        """The token, asked for once."""
        if self._token is None:
            self._token = self.token()
        return self._token

    def say(self, do: str, value: str = "", table: str = "hosts", number: object = 1, **more: Any) -> httpx.Response:
        """Sends one note."""
        fields = {"token": self.known(), "do": do, "value": value, "table": table, "number": str(number), "next": "/case/hosts/1"}
        return self.request("POST", more.pop("to", "/case/-/notes"), data={**fields, **more})
