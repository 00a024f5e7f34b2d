"""Cases for the pages (by hand, of the sample data, of the corpus of hostile texts), and browsers over them."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hostile_evidence  # type: ignore[import-not-found]
import httpx
import pytest
from by_hand import HOSTILE, RAW, add_event, add_source, empty_case, fill, insert  # type: ignore[import-not-found]

from fimforensics import serve
from fimforensics.analyze import analyze
from fimforensics.ingest import Options, ingest
from fimforensics.serve import Ways
from fimforensics.text import storable
from tests.analyses.building import made
from tests.analyses.stories import STORIES

__all__ = ["HOSTILE", "RAW", "add_event", "add_source", "empty_case", "fill", "insert"]  # tests take them from here


class Browser:
    """Asks a guarded app for pages, in this process."""

    def __init__(self, cases: list[Path], **more: Any) -> None:
        self.served = serve.build(cases, **more)
        self.app = serve.asgi(self.served)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request as a browser on this machine would send it; redirects are not followed."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)  # type: ignore[arg-type]
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8001") as client:
                return await client.request(method, path, **more)

        return asyncio.run(ask())

    def get(self, path: str, **more: Any) -> httpx.Response:
        """A GET."""
        return self.request("GET", path, **more)

    def sql(self, sql: str, kind: str = "json", database: str = "case", **more: str) -> httpx.Response:
        """A statement typed into the SQL box."""
        return self.get(f"/{database}.{kind}" if kind else f"/{database}", params={"sql": sql, **more})


@pytest.fixture(scope="session")
def words() -> list[str]:
    """The hostile texts as the case keeps them."""
    return [storable(word)[0] for word in HOSTILE]


@pytest.fixture(scope="session")
def hostile_case(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> Path:
    """A case with a hostile text in every column of text."""
    return fill(
        tmp_path_factory.mktemp("hostile") / "hostile.db", words, case_number=HOSTILE[3], examiner=HOSTILE[5], note=HOSTILE[6]
    )


@pytest.fixture(scope="session")
def normal_case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case of three harmless events."""
    return fill(tmp_path_factory.mktemp("normal") / "normal.db", ["alpha", "beta", "gamma"], case_number="2026-17")


def opened(path: Path) -> Iterator[Browser]:
    """A browser on a case, closed afterwards."""
    browser = Browser([path])
    yield browser
    serve.close(browser.served)


@pytest.fixture(scope="session")
def hostile(hostile_case: Path) -> Iterator[Browser]:
    """A browser on the hostile case."""
    yield from opened(hostile_case)


@pytest.fixture(scope="session")
def normal(normal_case: Path) -> Iterator[Browser]:
    """A browser on the harmless case."""
    yield from opened(normal_case)


SAMPLES = Path(__file__).resolve().parents[2] / "sample_data"


@pytest.fixture(scope="session")
def sample_case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample data's case, all analyses run: it has something on every page."""
    case = tmp_path_factory.mktemp("sample") / "sample.db"
    folders = [SAMPLES / name for name in ("portal", "rest", "export", "az")]
    taken = ingest(case, folders, Options(case_number="DEMO-1", case_key=hostile_evidence.KEY))
    assert [one.refused for one in taken if one.refused] == []
    analyze(case, ())
    return case


@pytest.fixture(scope="session")
def noted_sample(sample_case: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser on the sample data's case, with notes."""
    ways = Ways(notes=True, notes_file=tmp_path_factory.mktemp("sample-notes") / "notes.db")
    browser = Browser([sample_case], ways=ways)
    yield browser
    serve.close(browser.served)


@pytest.fixture(scope="session")
def stories_case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All six stories in one small case, with a reject: every page has something to show and none is long."""
    bad = [{"Computer": "web-1", "TimeGenerated": "yesterday", "Type": "MDCFileIntegrityMonitoringEvents"}]
    return made(tmp_path_factory.mktemp("stories"), bad, *(source for story in STORIES.values() for source in story()))


@pytest.fixture(scope="session")
def corpus_case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case whose every text column holds the corpus of hostile texts, ingested and analysed."""
    return hostile_evidence.made(tmp_path_factory.mktemp("corpus"))  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def corpus_ways(corpus_case: Path, tmp_path_factory: pytest.TempPathFactory) -> Ways:
    """That case served with notes, each of a hostile text on a thing of its own."""
    from noting import THINGS, Writer, number_of  # type: ignore[import-not-found]

    ways = Ways(notes=True, notes_file=tmp_path_factory.mktemp("corpus-notes") / "notes.db", owner="<b>\u202eeve")
    writer = Writer([corpus_case], ways)
    for at, text in enumerate(text for text in hostile_evidence.CORPUS[::4] if text.strip() and len(text) < 500):
        table, shown = THINGS[at % len(THINGS)], text.encode("utf-8", "replace").decode()
        answer = writer.say(("comment", "tag")[at % 2], shown[:60], table, number_of(table, corpus_case) + at // len(THINGS))
        assert answer.status_code in (303, 400), (text, answer.status_code)
    serve.close(writer.served)
    return ways


@pytest.fixture(scope="session")
def corpus(corpus_case: Path, corpus_ways: Ways) -> Iterator[Browser]:
    """A browser on that case, with those notes."""
    browser = Browser([corpus_case], ways=corpus_ways)
    yield browser
    serve.close(browser.served)


# Chromium asks its makers for things by itself, whatever it shows. Of two such lists on a command line the last one counts, so
# that what Playwright switches off is said again here; what no switch ends is led to a port where nothing listens.
SILENT = [
    "AutofillServerCommunication", "OptimizationHints", "NetworkTimeServiceQuerying", "MediaRouter", "AimEnabled",
    "PreconnectToSearch", "HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable", "Translate", "LensOverlay", "PaintHolding",
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose",
]
CHROMIUM = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-domain-reliability", "--no-pings",
    f"--disable-features={','.join(SILENT)}", "--gaia-url=http://127.0.0.1:9",
    "--component-updater=url-source=http://127.0.0.1:9/", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


def _missing(reason: str) -> None:
    """Skips with the reason; where CI is set that is a failure, for there a browser must be."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Any]:
    """Playwright, started; while it is, no other event loop may run in this thread."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("playwright is not installed")
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The Chromium of this machine."""
    found = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
    if found is None:
        _missing("no Chromium on this machine")
    return str(found)


@pytest.fixture(scope="module")
def chromium(playwright: Any, chromium_path: str) -> Iterator[Any]:
    """A headless Chromium that knows no name of another machine."""
    browser = playwright.chromium.launch(executable_path=chromium_path, args=CHROMIUM)
    yield browser
    browser.close()


@contextmanager
def serving(cases: list[Path], **more: Any) -> Iterator[str]:
    """A server on loopback over the cases: its address."""
    served = serve.build(cases, **more)
    with serve._listen("127.0.0.1", 0) as listening:
        server = serve.uvicorn.Server(serve.uvicorn.Config(serve.asgi(served), log_config=None, access_log=False))
        running = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        running.start()
        yield serve._address("127.0.0.1", listening)
        server.should_exit = True
        running.join(20)
    serve.close(served)
