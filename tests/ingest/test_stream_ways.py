"""Which sources are read in process, and which by a process of their own."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from fimforensics import stream
from fimforensics.task import Task

PLAIN = b'{"TimeGenerated":"2026-01-01T00:00:00Z","ChangeType":"Created","FilePath":"/a"}\n'
MORE = PLAIN.replace(b"FilePath", b"Elsewhere")


@pytest.mark.parametrize(("data", "compiled", "way"), [
    (PLAIN * 3, True, "here"),
    (PLAIN * 3, False, "beside"),  # Python alone is slower than what it costs to cross
    (MORE * 3, True, "beside"),  # not the compiled module's columns
    (gzip.compress(PLAIN * 3), True, "beside"),
    (b"{\n" + PLAIN, True, "beside"),
    (b"", True, "beside"),
])
def test_who_reads(data: bytes, compiled: bool, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    source.write_bytes(data)
    monkeypatch.setattr(stream, "native", object() if compiled else None)
    monkeypatch.setattr(stream, "messages", lambda task: iter([("here",)]))
    monkeypatch.setattr(stream, "_beside", lambda task: iter([("beside",)]))
    task = Task(path=str(source), label="source", snapshot=1, first_seq=1, case_key=b"")
    assert list(stream.stream(task, stream.ALONE)) == [(way,)]
    assert list(stream.stream(task, stream.ALONE - 1)) == [("here",)]  # small ones always


def test_a_source_that_is_gone_is_told_by_who_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "native", object())
    monkeypatch.setattr(stream, "_beside", lambda task: iter([("beside",)]))
    task = Task(path=str(tmp_path / "gone"), label="gone", snapshot=1, first_seq=1, case_key=b"")
    assert list(stream.stream(task, stream.ALONE)) == [("beside",)]
