"""One entry of a notes file: who said what of which subject, when, and what the case was like then.

An entry's own hash goes over all its cells, so the same entry is the same in every file it is merged into. The chain's hash goes
over the entry's, the hash before it, and how it came into this file; the first is chained to the file's own beginning.
"""

from __future__ import annotations

import json
import platform
import secrets
from dataclasses import astuple, dataclass
from datetime import datetime
from hashlib import sha256

from fimforensics.errors import Misuse
from fimforensics.evidence.custody import now, tool
from fimforensics.text import storable

ACTIONS = ("star", "tag", "comment", "disposition", "retract")
DISPOSITIONS = ("benign", "suspicious", "malicious", "undecided")
KINDS = ("event", "file", "registry value", "content", "process", "account", "host", "finding")
LONGEST = {"comment": 10_000, "tag": 60, "disposition": 20, "star": 0}
LONGEST_ACTOR = 100


@dataclass(frozen=True)
class Entry:
    """What is hashed of an entry, in this order; `subject` is a natural key, `target` the hash of an entry taken back."""

    time: str
    local_offset: str
    actor: str
    machine: str
    case_id: str
    evidence_digest: str
    seal: str | None
    action: str
    kind: str
    subject: str
    name: str
    value: str | None
    target: str | None
    tool: str
    nonce: str

    @property
    def hash(self) -> str:
        """The entry's own hash: what it is known by in every file."""
        return digest(list(astuple(self)))


CELLS = tuple(Entry.__dataclass_fields__)


@dataclass(frozen=True)
class At:
    """What an entry is written about: the state of the case, and the thing."""

    case_id: str
    evidence_digest: str
    seal: str | None
    kind: str
    subject: str
    name: str


def new(at: At, actor: str, action: str, value: str | None = None, target: str | None = None) -> Entry:
    """An entry of now; Misuse, in words for who wrote it, where it is none."""
    who = storable(actor)[0].strip()
    if not who or len(who) > LONGEST_ACTOR:
        raise Misuse("who says it is not known")
    if at.kind not in KINDS or action not in ACTIONS or (action == "retract") != (target is not None):
        raise Misuse("that is no note")
    said = _value(action, value)
    return Entry(now(), datetime.now().astimezone().strftime("%z"), who, platform.node(), at.case_id, at.evidence_digest, at.seal,
                 action, at.kind, at.subject, at.name, said, target, tool(), secrets.token_hex(8))


def _value(action: str, value: str | None) -> str | None:
    if action in ("star", "retract"):
        return None
    said = storable(value or "")[0].replace("\r\n", "\n").strip()
    if action == "tag":
        said = " ".join(said.split())
    if not said:
        raise Misuse(f"an empty {action} says nothing")
    if len(said) > LONGEST[action]:
        raise Misuse(f"a {action} has at most {LONGEST[action]:,} letters; this one has {len(said):,}")
    if action == "disposition" and said not in DISPOSITIONS:
        raise Misuse(f"a disposition is one of {', '.join(DISPOSITIONS)}")
    return said


def digest(cells: list) -> str:
    """The SHA-256 of a JSON array, in hexadecimal."""
    return sha256(json.dumps(cells, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")).hexdigest()
