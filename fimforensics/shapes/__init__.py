"""The shelf of shapes: how the bytes of a member become records. Each shape is one file with the same three names.

`NAME`; `recognise(head)`: whether the first bytes of a member are of this shape; `open_shape(member, head)`: what its
records share, and the records. The first in `SHAPES` that recognises a member takes it, so the order matters: JSON
documents come before JSON Lines, whose lines might be documents, and what has a signature comes first.
"""

from __future__ import annotations

from typing import Protocol

from fimforensics.errors import Problem, Refused
from fimforensics.model import Opened, Reading
from fimforensics.shapes import csv_text, json_document, jsonl, parquet, xlsx
from fimforensics.shapes.containers import Member, members
from fimforensics.shapes.folders import Tree, tree
from fimforensics.shapes.refuse import refusal

__all__ = ["HEAD", "SHAPES", "Member", "Shape", "Tree", "members", "open_member", "recognise", "tree"]

HEAD = 1 << 18  # bytes by which a shape is recognised


class Shape(Protocol):
    """What a module of this shelf offers."""

    NAME: str

    def recognise(self, head: bytes) -> bool:
        """Whether a member that starts so is of this shape."""

    def open_shape(self, member: Member, head: bytes) -> Opened:
        """The member's records; Refused where it holds none that can be read."""


SHAPES: tuple[Shape, ...] = (parquet, xlsx, json_document, jsonl, csv_text)


def recognise(head: bytes) -> Shape:
    """The shape of a member that starts with `head`; Refused with what to do instead where it has none."""
    for shape in SHAPES:
        if shape.recognise(head):
            return shape
    raise refusal(head)


def open_member(member: Member, reading: Reading | None = None) -> Opened:
    """The records of a member, whatever its shape; Refused without a place where it has none: the caller knows its name.

    Records do not depend on `reading`: it decides what values mean, which is the tables' part.
    """
    head, damage = b"", None
    with member.open() as stream:
        try:
            while len(head) < HEAD and (piece := stream.read(HEAD - len(head))):
                head += piece
        except Problem as problem:  # comes again when the records before it have been read
            damage = problem
    try:
        shape = recognise(head)
    except Refused:
        if damage:
            raise damage from None
        raise
    return shape.open_shape(member, head)
