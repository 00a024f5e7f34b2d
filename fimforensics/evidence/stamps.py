"""Time stamps over the air gap (RFC 3161): a query is carried to an authority, its answer carried back and laid beside the case.

What is stamped is the statement, so with it all of the case. Whether an answer fits statement and query is checked here; whether
the authority is one to trust, who holds its certificate checks, for which `openssl` has a command.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import sha256, sha512
from pathlib import Path

from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, TimeStampResponse, decode_timestamp_response

from fimforensics.errors import Problem
from fimforensics.evidence import beside

_LARGEST = 1 << 20
_HASHES = {"2.16.840.1.101.3.4.2.1": sha256, "2.16.840.1.101.3.4.2.3": sha512}


@dataclass(frozen=True)
class Stamp:
    """What a time stamp says."""

    time: str  # UTC
    serial: str
    policy: str


def query(case: Path) -> Path:
    """Writes the query for a time stamp over the statement; its file."""
    data = _statement(case)
    path = beside.query_file(case)
    request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).cert_request(cert_request=True).build()
    _new_file(path, request.as_bytes())
    return path


def attach(case: Path, answer: Path) -> Stamp:
    """Lays an answer beside the case as `CASE.tsr`, once it fits the statement and the query."""
    data = _read(answer)
    stamp = check(case, data)
    wanted = _nonce(beside.query_file(case))
    found = decode_timestamp_response(data).tst_info.nonce
    if wanted is not None and found != wanted:
        raise Problem("it answers another query than the one beside the case", where=str(answer),
                      hint="Attach the answer to that query, or make a new one: fimforensics timestamp query")
    _new_file(beside.stamp_file(case), data)
    return stamp


def check(case: Path, data: bytes) -> Stamp:
    """What the answer says; Problem where it is none, or stamps something else than the statement of this case."""
    answer = _answer(data)
    info = answer.tst_info
    imprint = info.message_imprint
    hashed = _HASHES.get(imprint.hash_algorithm.dotted_string)
    if hashed is None:
        raise Problem("the time stamp uses a hash that is not known")
    if hashed(_statement(case)).digest() != imprint.message:
        raise Problem("the time stamp is over something else than the statement of this case")
    policy = info.policy.dotted_string if info.policy else ""
    return Stamp(info.gen_time.strftime("%Y-%m-%dT%H:%M:%SZ"), f"{info.serial_number:x}", policy)


def stamped(case: Path) -> Stamp | None:
    """The time stamp beside a case, checked; None where there is none."""
    path = beside.stamp_file(case)
    return check(case, _read(path)) if path.exists() else None


def command(case: str, statement: str) -> str:
    """The line by which `openssl` checks the stamp against the authority's certificates."""
    return f"openssl ts -verify -data {statement} -in {case} -CAfile AUTHORITY.pem"


def _answer(data: bytes) -> TimeStampResponse:
    try:
        answer = decode_timestamp_response(data)
        if answer.status not in (0, 1):
            raise Problem(f"the authority refused to stamp ({', '.join(answer.status_string) or answer.status})"[:200])
        answer.tst_info  # noqa: B018 - fails where no token is in it
    except ValueError:
        raise Problem("it is no time stamp (an RFC 3161 answer)") from None
    return answer


def _nonce(path: Path) -> int | None:
    """The nonce of the query beside a case: the number that the answer must repeat."""
    if not path.exists():
        return None
    data = _read(path)
    # TimeStampReq: SEQUENCE { version, messageImprint, [policy], nonce, certReq }: the nonce is the last INTEGER of the sequence
    at, found = 2 + (data[1] & 0x7F if data[1] & 0x80 else 0), None
    while at + 2 <= len(data):
        size = data[at + 1]
        if size & 0x80:
            return None
        found = int.from_bytes(data[at + 2:at + 2 + size], "big", signed=True) if data[at] == 2 and at > 5 else found
        at += 2 + size
    return found


def _statement(case: Path) -> bytes:
    try:
        return beside.seal_file(case).read_bytes()
    except FileNotFoundError:
        raise Problem("it is not sealed", where=str(case), hint="Seal it first: fimforensics seal CASE") from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    except OSError as error:
        raise Problem(f"cannot be read ({error.strerror})", where=str(path)) from None
    if len(data) > _LARGEST:
        raise Problem("it is no time stamp (far too large)", where=str(path))
    return data


def _new_file(path: Path, data: bytes) -> None:
    try:
        with path.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except FileExistsError:
        raise Problem("it is there already", where=str(path), hint="Move it away first: nothing is overwritten") from None
    except OSError as error:
        raise Problem(f"cannot be written ({error.strerror})", where=str(path)) from None
