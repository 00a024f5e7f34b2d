"""Small tables of changes, drawn at random.

Few hosts, paths and instants, so that rows collide: in a millisecond, in all but a cell that does not count for identity, in
everything.
"""

from __future__ import annotations

from hypothesis import strategies as st

from fimforensics.model import COLUMNS, MDC


class Row(dict):
    """The cells of a row by column; in a failing example only those that are not null are shown."""

    def __repr__(self) -> str:
        return repr({name: cell for name, cell in self.items() if cell is not None})


_WEB = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/web01"
_HOSTS: tuple[dict, ...] = (
    {"AzureResourceId": _WEB, "Computer": "web01"},
    {"AzureResourceId": _WEB.upper(), "Computer": "WEB01"},
    {"Computer": "db01"},
    {"Computer": "db01", "CloudIdentifier": "arn:aws:ec2:x:instance/i-1", "CloudProvider": "AWS"},
)
_ABC = "ab" * 16
_ODD = 'we"ird,\n né\u2028;x","FileType":"y'  # quotes, a line break in a cell, letters beyond ASCII, a line end that is none


def _file(change: str, path: str, name: str, **more: object) -> Row:
    return Row({"MonitoredEntityType": "File", "ChangeType": change, "FilePath": path, "FileName": name, **more})


def _registry(change: str, key: str, name: str | None, **more: object) -> Row:
    return Row(
        {
            "MonitoredEntityType": "Registry",
            "ChangeType": change,
            "RegistryKey": key,
            "RegistryHive": "HKEY_LOCAL_MACHINE",
            "NewValueName": name,
            **more,
        }
    )


# In each line of a group the event is the same, but told otherwise.
_WHAT: tuple[Row, ...] = (
    _file("Created", "C:\\Temp\\a.txt", "a.txt"),
    _file("Created", "C:\\Temp\\", "a.txt"),
    _file("Created", "C:\\Temp", "a.txt"),
    _file("Modified", "/etc/" + _ODD, _ODD, FileSha256=_ABC * 2, FileSha1=_ABC + "ab" * 4, FileMd5=_ABC, FileSize=7),
    _file("Modified", "/etc/", _ODD, FileSha256=_ABC.upper() * 2, FileSha1=_ABC + "AB" * 4, FileMd5=_ABC, FileSize=7),
    _file("Deleted", "/etc/passwd", "passwd"),
    _file("Deleted", "/etc/passwd", "passwd", FileSha256=""),
    _file("Renamed", "C:\\Temp\\b.txt", "b.txt", OriginalFilePath="C:\\Temp\\", OriginalFileName="a.txt"),
    _file("Renamed", "C:\\Temp\\b.txt", "b.txt", OriginalFilePath="C:\\Temp\\a.txt", OriginalFileName="a.txt"),
    _registry(
        "RegistryValueSet", "HKEY_LOCAL_MACHINE\\Software\\Run", "x", NewValueType="REG_SZ", NewValueData="=1+1\n\u00e9\U0001f600"
    ),
    _registry("RegistryValueSet", "HKLM\\Software\\Run", "x", NewValueType="REG_SZ", NewValueData="=1+1\n\u00e9\U0001f600"),
    _registry("RegistryValueSet", "HKLM\\Software\\Run", "x", NewValueType="REG_SZ", NewValueData=""),
    _registry("RegistryValueSet", "HKLM\\Software\\Run", "x", NewValueType="REG_SZ", OldValueName="x", OldValueData="5"),
    _registry("RegistryKeyDeleted", "HKLM\\Software\\Run", None),
)
_PROCESS = {
    "InitiatingProcessId": 4,
    "InitiatingProcessName": "cmd.exe",
    "InitiatingProcessCreationTime": "2026-03-04T05:06:00.0000001Z",
    "InitiatingProcessImageFilePath": "C:\\Windows\\cmd.exe",
    "InitiatingProcessImageFileName": "cmd.exe",
    "InitiatingProcessAccountName": "SYSTEM",
    "InitiatingProcessAccountDomainName": "NT AUTHORITY",
}
_WHO: tuple[dict, ...] = (
    {},
    _PROCESS,
    {**_PROCESS, "InitiatingProcessCreationTime": "2026-03-04T05:06:00.0009990Z"},
    {**_PROCESS, "InitiatingProcessCreationTime": None},
    {**_PROCESS, "InitiatingProcessId": None},
    {"RequestAccountName": "ann", "RequestSourceIP": "192.0.2.1", "RequestSourcePort": "445", "RequestSource": "SMB"},
)
_BESIDES: tuple[dict, ...] = (  # what does not count for identity
    {},
    {"FileType": "ELF"},
    {"FileType": ""},
    {"FileType": "Zip", "_BilledSize": 812.5},
    {"_BilledSize": 800},
    {"InitProcImageFileSizeInBytes": 9, "InitProcImageSha1": "AB" * 20, "InitProcVersionInfoCompanyName": 'Müller, "X"'},
    {
        "InitProcImagePeTimestampUtc": "1601-01-01T00:00:00.0000000Z",
        "InitProcImageLastAccessTimeUtc": "2026-03-01T00:00:00.1234567Z",
    },
    {"TenantId": "t", "_IsBillable": "true", "SourceSystem": ""},
    {"InitiatingProcessSessionId": 1, "InitiatingProcessSource": ""},
)
_TIMES = (
    "2026-03-04T05:06:07.1230000Z",
    "2026-03-04T05:06:07.1230001Z",
    "2026-03-04T05:06:07.1239999Z",
    "2026-03-04T05:06:07.1240000Z",
    "2026-03-04T15:06:00.0000000Z",
)


def row(time: str, host: dict, what: Row, who: dict, besides: dict) -> Row:
    """A row of all 65 columns."""
    return Row({**dict.fromkeys(COLUMNS), "TimeGenerated": time, **host, **what, **who, **besides, "Type": MDC})


ROWS = st.builds(row, *map(st.sampled_from, (_TIMES, _HOSTS, _WHAT, _WHO, _BESIDES)))


BAD = {"FileSize": "many"}  # no event, whatever else the row says


def _tables(pool: list[Row], items: bool, bad: bool) -> st.SearchStrategy[list[Row]]:
    """Rows of a pool, exactly or but for what does not count; with ids that come again, and with rows that are none."""
    changes = [
        st.sampled_from(({}, *({"TimeGenerated": time} for time in _TIMES[:3]))),
        st.sampled_from(({}, *_BESIDES)),
        st.sampled_from(({}, {"_ItemId": "one"}, {"_ItemId": "two"}) if items else ({},)),
        st.sampled_from(({}, {}, {}, BAD) if bad else ({},)),
    ]
    picked = st.tuples(st.sampled_from(pool), *changes)
    return st.lists(
        picked.map(lambda parts: Row({name: cell for part in parts for name, cell in part.items()})), min_size=1, max_size=8
    )


def tables(items: bool = True, bad: bool = False) -> st.SearchStrategy[list[Row]]:
    """A table in which rows come again."""
    return st.lists(ROWS, min_size=1, max_size=3).flatmap(lambda pool: _tables(pool, items, bad))


def several_tables(items: bool = True, bad: bool = False) -> st.SearchStrategy[list[list[Row]]]:
    """Tables that have rows in common."""
    return st.lists(ROWS, min_size=1, max_size=3).flatmap(
        lambda pool: st.lists(_tables(pool, items, bad), min_size=2, max_size=4)
    )


EVERYTHING = [
    row(_TIMES[at % 5], _HOSTS[at // 2 % 4], _WHAT[at % 14], _WHO[at // 3 % 6], _BESIDES[at % 9]) for at in (*range(60), 0, 7)
]
