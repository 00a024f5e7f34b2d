"""Made-up FIM events for the benchmarks, as many as asked for, as JSON Lines.

All 65 columns are written, six of ten events are of files, a fifth of the rows repeat another row to the byte.
The numbers of hosts, paths and processes stay the same however many events are made, so that two sizes compare. A process
acts after its creation, on one host, and ends: as on a real machine its changes lie close together in time.
"""

from __future__ import annotations

import argparse
import hashlib
import mmap
import random
import sys
from array import array
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

HOSTS, PATHS, PROCESSES, IMAGES, KEYS = 200, 80_000, 100_000, 400, 20_000
REPEATS, RECENT = 0.2, 2_000  # share of rows that repeat one of the most recent ones
LIVE = 5  # processes that write on a host at a time
START = datetime(2026, 9, 1, tzinfo=UTC)
FOLDERS = ["Windows\\System32", "Windows\\System32\\drivers", "Program Files\\Contoso\\bin", "Windows\\SysWOW64",
           "ProgramData\\Microsoft\\Windows\\Start Menu\\Programs\\StartUp", "inetpub\\wwwroot\\assets"]
VENDORS = ["Microsoft Corporation", "Contoso Ltd", "Fabrikam Inc", "Tailspin Toys"]


def _hex(text: str, algorithm: str) -> str:
    return hashlib.new(algorithm, text.encode()).hexdigest()


def _stamp(seconds: float, ticks: int = 0) -> str:
    return (START + timedelta(seconds=int(seconds))).strftime("%Y-%m-%dT%H:%M:%S") + f".{ticks:07d}Z"


def _hosts() -> list[dict]:
    found = []
    for number in range(HOSTS):
        name = f"srv-{number:03d}"
        found.append({
            "TenantId": "3b0c9f52-77aa-4a51-b6ce-0c7c7f1f0a11",
            "AzureResourceId": "/subscriptions/7b1f0c52-3a0e-4d7c-9d5e-2f6a0b8c4e11/resourceGroups/rg-prod"
                               f"/providers/Microsoft.Compute/virtualMachines/{name}",
            "AADTenantID": "5e2d1c7a-90b4-4c38-b6a7-1d0f3e8a9c25", "Computer": f"{name}.contoso.example",
            "CloudProvider": "Azure", "CloudIdentifier": "", "CloudResourceType": "Server"})
    return found


def _images() -> list[dict]:
    found = []
    for number in range(IMAGES):
        name, folder = f"svc{number:03d}.exe", FOLDERS[number % len(FOLDERS)]
        found.append({
            "InitiatingProcessName": name, "InitiatingProcessImageFileName": name,
            "InitiatingProcessImageFilePath": f"C:\\{folder}\\{name}",
            "InitiatingProcessImageFileType": "PortableExecutable", "InitProcImageFileSizeInBytes": 40_000 + number * 977,
            "InitProcImageCreationTimeUtc": _stamp(-90_000 - number, number), "InitProcImagePeTimestampUtc": _stamp(-900_000),
            "InitProcImageLastWriteTimeUtc": _stamp(-80_000 - number, number * 3), "InitProcImageLsHash": _hex(name, "md5")[:16],
            "InitProcImageMd5": _hex(name, "md5"), "InitProcImageSha256": _hex(name, "sha256"),
            "InitProcImageSha1": _hex(name, "sha1"), "InitProcVersionInfoCompanyName": VENDORS[number % 4],
            "InitProcVersionInfoProductName": f"Service {number}", "InitProcVersionInfoProductVersion": f"10.0.{number}.1",
            "InitProcVersionInfoInternalFileName": name, "InitProcVersionInfoOriginalFileName": name,
            "InitProcVersionInfoFileDescription": f"Host process of service {number}"})
    return found


class _Processes:
    """The processes of a fleet: a few live on each host at a time, act in turns, end, and are followed by others.

    A host has its share of PROCESSES over the whole span, however many events that makes for each.
    """

    def __init__(self, rng: random.Random, images: list[dict], events: int) -> None:
        self._rng, self._images = rng, images
        self._ends = min(1.0, PROCESSES / max(events * (1 - REPEATS), 1))
        self._live: list[list[dict]] = [[] for _ in range(HOSTS)]

    def acting(self, host: int, seconds: float) -> dict:
        """The process on this host that makes a change now; it may be its last."""
        live = self._live[host]
        while len(live) < LIVE:
            live.append(self._start(seconds))
        at = self._rng.randrange(LIVE)
        process = live[at]
        if self._rng.random() < self._ends:
            live[at] = self._start(seconds)
        return process

    def _start(self, seconds: float) -> dict:
        rng = self._rng
        user = rng.randrange(300)
        started = _stamp(seconds - rng.random() * 30, rng.randrange(10_000_000))
        return {
            **self._images[int(rng.random() ** 2 * IMAGES)],
            "InitiatingProcessId": rng.randrange(4, 60_000), "InitiatingProcessCreationTime": started,
            "InitiatingProcessSessionId": rng.randrange(3), "InitiatingProcessFirstSeen": started,
            "InitiatingProcessAccountSid": f"S-1-5-21-3125456671-949036322-3048627137-{1000 + user}",
            "InitiatingProcessAccountDomainName": "CONTOSO", "InitiatingProcessAccountName": f"user{user:03d}",
            "InitiatingProcessSource": "Sensor"}


EMPTY = dict.fromkeys(
    ["FileName", "FileType", "FilePath", "OriginalFileName", "OriginalFilePath", "FileMd5", "FileSha256", "FileSha1",
     "RegistryKey", "RegistryHive", "OldValueData", "OldValueType", "OldValueName", "OldValueFullRegistryKey",
     "NewValueData", "NewValueType", "NewValueName"], "")
REQUEST = {"RequestAccountName": "", "RequestAccountDomain": "", "RequestAccountSid": "", "RequestSourceIP": "",
           "RequestSourcePort": "", "RequestSource": "Local"}


def _near(rng: random.Random, host: int, width: int, total: int) -> int:
    """One of the `width` neighbours that a host's changes fall on, the first of them far more often than the last."""
    return (host * total // HOSTS + int(rng.random() ** 3 * width)) % total


def _file_change(rng: random.Random, path: int) -> dict:
    folder, name = FOLDERS[path % len(FOLDERS)], f"module-{path:05d}.dll"
    change = rng.choice(("Created", "Modified", "Modified", "Renamed", "Deleted"))
    content = "" if change == "Deleted" else f"{path}/{rng.randrange(3)}"
    values = {"MonitoredEntityType": "File", "ChangeType": change, **EMPTY, "FileName": name,
              "FilePath": f"C:\\{folder}\\{name}", "FileType": "PortableExecutable",
              "FileSize": None if change == "Deleted" else 1_000 + path}
    if content:
        values |= {"FileMd5": _hex(content, "md5"), "FileSha256": _hex(content, "sha256"), "FileSha1": _hex(content, "sha1")}
    if change == "Renamed":
        values |= {"OriginalFileName": name + ".tmp", "OriginalFilePath": f"C:\\{folder}\\{name}.tmp"}
    return values


def _registry_change(rng: random.Random, key: int) -> dict:
    name = f"HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\svc{key:05d}\\Parameters"
    change = rng.choice(("RegistryValueSet", "RegistryValueSet", "RegistryKeyCreated", "RegistryValueDeleted"))
    values = {"MonitoredEntityType": "Registry", "ChangeType": change, **EMPTY, "FileSize": None,
              "RegistryKey": name, "RegistryHive": "HKEY_LOCAL_MACHINE"}
    if change == "RegistryValueSet":
        values |= {"OldValueData": str(rng.randrange(1000)), "OldValueType": "REG_DWORD", "OldValueName": "Start",
                   "OldValueFullRegistryKey": name, "NewValueData": str(rng.randrange(1000)),
                   "NewValueType": "REG_DWORD", "NewValueName": "Start"}
    return values


def lines(events: int, seed: int = 7) -> Iterator[bytes]:
    """The events one by one as JSON Lines, in order of time but for small disorder; the same bytes for the same seed."""
    rng = random.Random(seed)
    hosts, processes = _hosts(), _Processes(rng, _images(), events)
    kept: list[bytes] = []
    span = 30 * 86_400 / max(events, 1)
    for number in range(events):
        if kept and rng.random() < REPEATS:
            yield kept[rng.randrange(len(kept))]
            continue
        where = rng.randrange(HOSTS)
        seconds = number * span + rng.random() * 20
        process = processes.acting(where, number * span)
        if rng.random() < 0.4:
            change = _registry_change(rng, _near(rng, where, 250, KEYS))
        else:
            change = _file_change(rng, _near(rng, where, 1_000, PATHS))
        stamp = _stamp(seconds, int(seconds % 1 * 10_000_000))
        line = orjson.dumps({
            **hosts[where], "TimeGenerated": stamp, **change, **REQUEST, **process, "InitProcImageLastAccessTimeUtc": stamp,
            "SourceSystem": "OpsManager", "Type": "MDCFileIntegrityMonitoringEvents",
            "_BilledSize": 1_200 + rng.randrange(600), "_IsBillable": "true"}) + b"\n"
        if len(kept) < RECENT:
            kept.append(line)
        else:
            kept[number % RECENT] = line
        yield line


def write(target: Path, events: int, seed: int = 7) -> None:
    """Writes `events` rows to `target`."""
    with target.open("wb", buffering=1 << 20) as out:
        out.writelines(lines(events, seed))


def shuffle(source: Path, target: Path, seed: int = 7) -> None:
    """Writes the lines of `source` to `target` in a random order that the seed decides."""
    with source.open("rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as data:
        starts, at = array("Q"), 0
        while at < len(data):
            starts.append(at)
            at = data.find(b"\n", at) + 1 or len(data)
        order = list(range(len(starts)))
        random.Random(seed).shuffle(order)
        starts.append(len(data))
        with target.open("wb", buffering=1 << 20) as out:
            for index in order:
                out.write(data[starts[index]:starts[index + 1]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", type=int)
    parser.add_argument("target", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    write(arguments.target, arguments.events, arguments.seed)
    print(f"{arguments.events} events, {arguments.target.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
