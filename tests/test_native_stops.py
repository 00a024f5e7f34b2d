"""Ctrl-C while the compiled lane asks Python for something comes out as what it is."""

from __future__ import annotations

import sys

import pytest
from test_hotpath import EVENT, LINE, generated, written
from test_native import Swift

from fimforensics.native import native

pytestmark = pytest.mark.skipif(native is None, reason="the native module is not compiled, or FIMFORENSICS_PURE is set")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # where a generator is thrown away
def test_an_interruption_at_any_call_into_python_comes_out_as_itself() -> None:
    lines = list(generated(300))
    files = [line for line in lines if b'"MonitoredEntityType":"File"' in line]
    moved = written({**EVENT, "FilePath": "C:\\a", "OriginalFilePath": "C:\\b", "OriginalFileName": "c", "_BilledSize": 1.5})
    data = b"".join([lines[0], *files[:3], moved])
    calls = before = 0

    def counted(frame: object, what: str, argument: object) -> None:
        nonlocal calls
        calls += what == "call"
        if what == "call" and calls == before:
            raise KeyboardInterrupt

    def interrupted() -> bool:
        nonlocal calls
        quick, calls = Swift(LINE), 0
        sys.setprofile(counted)
        try:
            assert quick.read(data)[:2] == (len(data), 5)
        except KeyboardInterrupt:
            return True
        finally:
            sys.setprofile(None)
        return False

    assert not interrupted()
    moments = range(1, calls + 1)
    stopped = 0
    for before in moments:  # noqa: B007  (`counted` looks at it)
        stopped += interrupted()
    assert stopped > 0.9 * len(moments) > 100
