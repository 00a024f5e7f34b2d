"""Members made of bytes, and what the shapes read from them."""

from __future__ import annotations

import pytest

from fimforensics.errors import Problem
from fimforensics.model import Opened, Record
from fimforensics.shapes import Member, open_member


def made(data: bytes, piece: int = 1 << 20) -> Member:
    """A member of these bytes, which come in pieces of a size."""
    return Member("", False, "made", lambda: (data[at:at + piece] for at in range(0, len(data), piece)))


def read_all(data: bytes, piece: int = 1 << 20) -> tuple[Opened, list[Record]]:
    """A member's opening and records; each record's bytes are checked to lie where it says, in order, not overlapping."""
    opened = open_member(made(data, piece))
    records = list(opened.records)
    end = 0
    for record in records:
        if not opened.rendered:
            assert data[record.offset:record.offset + record.length] == record.raw
            assert record.length and record.offset >= end
        assert (record.values is None) == (record.problem is not None)
        end = record.offset + record.length
    return opened, records


def read_member(member: Member) -> tuple[list[Record], Problem | None]:
    """The records up to the Problem in which a member ends, and that."""
    records = []
    try:
        for record in open_member(member).records:
            records.append(record)
    except Problem as problem:
        return records, problem
    return records, None


@pytest.fixture(scope="session")
def read():
    return read_all


@pytest.fixture(scope="session")
def read_until():
    return read_member


@pytest.fixture(scope="session")
def member():
    return made
