"""The plugins may be there twice, from a wheel and from a folder: each hook works once. And plain Datasette works."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from conftest import Browser, fill  # type: ignore[import-not-found]
from datasette.app import Datasette
from datasette.plugins import pm

from fimforensics import serve
from fimforensics.site.settings import metadata, site_folder

FOLDER = site_folder() / "datasette_plugins"
# What a hook does when it works: patched in every copy of the plugins, and counted.
WORK = ("overviews", "answer", "event_vars", "finished_only", "row_vars", "conditions", "cell", "menu", "common", "panel",
        "harden", "describe", "drawn")


@pytest.fixture
def copies() -> Iterator[list[ModuleType]]:
    """The plugins registered a second time under other names, as entry points of a wheel would be."""
    made = []
    for path in sorted(FOLDER.glob("*.py")):
        name = f"fimforensics_wheel_{path.stem}"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        pm.register(module, name=name)
        made.append(module)
    yield made
    for module in made:
        pm.unregister(module)
        del sys.modules[module.__name__]


def counting(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each piece of work is done by any copy of any plugin."""
    counts: Counter[str] = Counter()

    def wrapped(name: str, work: Any) -> Any:
        def counted(*told: Any, **more: Any) -> Any:
            counts[name] += 1
            return work(*told, **more)
        return counted
    for plugin in pm.get_plugins():
        if str(getattr(plugin, "__file__", "")).startswith(str(FOLDER)):
            for name in WORK:
                if callable(getattr(plugin, name, None)):
                    monkeypatch.setattr(plugin, name, wrapped(f"{Path(plugin.__file__).stem}.{name}", getattr(plugin, name)))
    return counts


PATHS = ("/case", "/case/events", "/case/events/1", "/case/hosts/1", "/case/files/1", "/case/-/findings", "/case/events.csv",
         "/case/-/trace?of=host%231", "/nothing")


def work_of(case: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Counter[str], list[int], int]:
    """What is done for some pages, how they answer, and how many addresses there are."""
    with monkeypatch.context() as patched:
        site = Browser([case])
        counts = counting(patched)
        found = [site.get(path).status_code for path in PATHS]
        routes = len(site.served._routes())
        assert counts.pop("site.harden") == len(site.served.databases["case"]._all_file_connections) + 1  # CSV has its own
        serve.close(site.served)
    return counts, found, routes


def test_hooks_work_once_where_the_plugins_are_there_twice(normal_case: Path, monkeypatch: pytest.MonkeyPatch,
                                                           request: pytest.FixtureRequest) -> None:
    once = work_of(normal_case, monkeypatch)
    assert {name.partition(".")[2] for name in once[0]} >= {*WORK} - {"harden", "drawn"}
    request.getfixturevalue("copies")
    assert work_of(normal_case, monkeypatch) == once


def get(site: Datasette, path: str) -> httpx.Response:
    return asyncio.run(site.client.get(path))


@pytest.mark.parametrize("told", [metadata(["case"]), None])
def test_plain_datasette_shows_one_case_and_several(tmp_path: Path, told: dict[str, Any] | None) -> None:
    """As `datasette -i case.db -i other.db --plugins-dir datasette_plugins -m metadata.yml` makes it."""
    first, other = fill(tmp_path / "case.db", ["alpha"]), fill(tmp_path / "other.db", ["beta"], case_number="2026-18")
    site = Datasette([], immutables=[str(first), str(other)], plugins_dir=str(FOLDER), metadata=told)
    for name, word in (("case", "alpha"), ("other", "beta")):
        for path in ("", "/events", "/events/1", "/hosts/1", "/files/1", "/-/findings", f"/-/search?q={word}", "/one_machine"):
            answer = get(site, f"/{name}{path}")
            assert (answer.status_code, "content-security-policy" in answer.headers) == (200, True), (name, path)
        assert word in get(site, f"/{name}/events/1").text and "One change" in get(site, f"/{name}/events").text
        assert get(site, f"/{name}/page.json").status_code == get(site, f"/{name}/hosts/1/page.json").status_code == 200
    assert "2026-18" in get(site, "/other").text and get(site, "/").status_code == 200
    assert get(site, "/case/-/notes").status_code in (400, 404) and get(site, "/-/login").status_code == 404
    assert asyncio.run(site.client.post("/case/-/notes", data={"do": "star"})).status_code == 405
    assert sorted(path.name for path in tmp_path.iterdir()) == ["case.db", "other.db"]
    shutil.rmtree(tmp_path)
