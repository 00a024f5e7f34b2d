"""Time stamps: a query that openssl reads, an answer that is taken only where it fits, checked again by verify and by openssl."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks import small_case
from benchmarks.small_case import run
from fimforensics.errors import Problem
from fimforensics.evidence import beside, stamps

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="needs openssl, as the authority")
SETTINGS = """[tsa]
serial = {0}/serial
signer_cert = {0}/tsa.pem
signer_key = {0}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
ess_cert_id_alg = sha256
certs = {0}/tsa.pem
"""


def openssl(*words: object) -> subprocess.CompletedProcess:
    return subprocess.run([str(OPENSSL), *map(str, words)], capture_output=True, text=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority of our own."""
    folder = tmp_path_factory.mktemp("authority")
    done = openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "tsa.key", "-out", folder / "tsa.pem",
                   "-subj", "/CN=Trial authority", "-addext", "extendedKeyUsage=critical,timeStamping")
    assert done.returncode == 0, done.stderr
    (folder / "serial").write_text("0A\n")
    (folder / "tsa.cnf").write_text(SETTINGS.format(folder))
    return folder


def answered(authority: Path, query: Path, answer: Path) -> Path:
    done = openssl("ts", "-reply", "-config", authority / "tsa.cnf", "-section", "tsa", "-queryfile", query, "-out", answer)
    assert answer.exists(), done.stderr
    return answer


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return small_case.sealed(tmp_path)


def test_over_the_gap_and_back(case: Path, authority: Path) -> None:
    assert "CASE.tsq" not in run("timestamp", "query", case).output and beside.query_file(case).exists()
    assert "it is there already" in run("timestamp", "query", case, code=1).output
    answer = answered(authority, beside.query_file(case), case.parent / "answer.tsr")
    told = json.loads(run("timestamp", "attach", case, answer, "--json").output)
    assert told["policy"] == "1.2.3.4" and told["time"].endswith("Z")
    checked = openssl("ts", "-verify", "-data", beside.seal_file(case), "-in", beside.stamp_file(case), "-CAfile",
                      authority / "tsa.pem")
    assert "Verification: OK" in checked.stdout, checked.stderr
    report = json.loads(run("verify", case, "--fast", "--json").output)
    assert report["time_stamp"]["time"] == told["time"] and any("openssl ts -verify" in one for one in report["not_checked"])


def test_an_answer_that_does_not_fit(case: Path, authority: Path) -> None:
    run("timestamp", "query", case)
    other = case.parent / "other.tsq"
    beside.query_file(case).rename(other)
    run("timestamp", "query", case)
    assert "answers another query" in run("timestamp", "attach", case, answered(authority, other, case.parent / "1.tsr"),
                                          code=1).output
    openssl("ts", "-query", "-data", case, "-sha256", "-out", case.parent / "wrong.tsq")
    wrong = answered(authority, case.parent / "wrong.tsq", case.parent / "2.tsr")
    assert "over something else" in run("timestamp", "attach", case, wrong, code=1).output
    assert not beside.stamp_file(case).exists()
    shutil.copy(wrong, beside.stamp_file(case))
    assert "time stamp: the time stamp is over something else" in run("verify", case, "--fast", code=1).output


def test_what_is_no_stamp(case: Path) -> None:
    for data in (b"", b"0\x03\x02\x01\x00", b"0" * 99, b"\x30\x80" + b"\0" * 50):
        with pytest.raises(Problem, match=r"no time stamp|refused"):
            stamps.check(case, data)
    refused = bytes.fromhex("30053003020102")
    with pytest.raises(Problem, match="refused to stamp"):
        stamps.check(case, refused)
    for path in (beside.seal_file(case), beside.signature_file(case)):
        path.unlink()
    assert "it is not sealed" in run("timestamp", "query", case, code=1).output
