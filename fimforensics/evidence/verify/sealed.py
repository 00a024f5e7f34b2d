"""The seal's side of a verification: file, signatures, statement, digests, tree. What a seal states is compared with the case."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from fimforensics.errors import Problem
from fimforensics.evidence import beside, digests, sshsig, statement, tree
from fimforensics.evidence.verify.report import MOST, Difference, Report
from fimforensics.opening import open_quick


@dataclass(frozen=True)
class Seal:
    """The statement that lies beside a case, and who signed it."""

    statement: dict[str, Any]
    sha256: str
    signers: tuple[str, ...]  # fingerprints


def of(case: Path, report: Report) -> Seal | None:
    """The seal beside a case with its signatures checked; None where there is none that can be read."""
    path = beside.seal_file(case)
    if not path.exists():
        return None
    try:
        told, data = statement.read(path)
    except Problem as problem:
        report.check("signature", "the statement", [Difference("signature", f"{path.name}: {problem.what}")])
        return None
    signers = []
    for signature in beside.signature_files(case):
        try:
            signers.append(sshsig.check(signature.read_text("ascii", "replace"), data).fingerprint)
        except (Problem, OSError) as problem:
            what = problem.what if isinstance(problem, Problem) else "it cannot be read"
            report.differ(Difference("signature", f"{signature.name}: {what}"))
    report.check("signature", f"{len(signers)} of Ed25519 over the statement" if signers else "no signature is there")
    if told["sealed"]["signer"] and told["sealed"]["signer"] not in signers:
        report.differ(Difference("signature", f"the statement says that {told['sealed']['signer']} signed it, and that "
                                              "signature is missing"))
    return Seal(told, sha256(data).hexdigest(), tuple(signers))


def pinned(seal: Seal | None, fingerprint: str | None, report: Report) -> None:
    """Is the case signed by the key that it must be signed by? Without such a key, says what that leaves open."""
    signers = seal.signers if seal else ()
    if fingerprint is not None and fingerprint not in signers:
        by = "signed by " + " and ".join(signers) if signers else "not signed" if seal else "not sealed"
        report.check("signature", "the pinned key", [Difference("signature", f"it is {by}, not signed by the pinned key "
                                                                             f"{fingerprint}")])
    elif fingerprint is not None:
        report.trust.append(f"signed by the pinned key {fingerprint}")
    elif signers:
        report.trust += [f"signed by {one}; no key was pinned, so trust rests on this fingerprint being the sealer's" for one in
                         signers]
    elif seal:
        report.trust.append("the seal is not signed: anybody could have made it. Compare the root with one noted elsewhere")
    else:
        report.trust.append("the case is not sealed: what is checked is that it follows from the originals that are in it")


def file(case: Path, seal: Seal, report: Report) -> None:
    """The whole file against its hash."""
    found, told = statement.file_facts(case), seal.statement["file"]
    different = []
    if found["size"] != told["size"]:
        different.append(Difference("file", f"the file has {found['size']:,} bytes, the sealed one had {told['size']:,}"))
    if found["sha256"] != told["sha256"]:
        different.append(Difference("file", f"the file's SHA-256 is {found['sha256']}, the sealed one's was {told['sha256']}"))
    report.check("file", f"SHA-256 of all {found['size']:,} bytes, against the statement", different)


def tables(case: Path, connection: sqlite3.Connection, seal: Seal, report: Report) -> None:
    """The schema's digest, every table's, and every cell's that the statement tells."""
    told = seal.statement["digests"]
    with contextlib.closing(open_quick(case)) as quick:
        found = digests.table_digests(connection, quick=quick)
    different = []
    if digests.schema_digest(connection) != told["schema"]:
        different.append(Difference("digests", "the schema is not the sealed one"))
    changed = [table for table, one in found.items() if told["tables"].get(table) != {"rows": one.rows, "sha256": one.sha256}]
    cells = [one for table in changed if table in seal.statement["cells"] for one in _cells(connection, seal, table)]
    named = {one.table for one in cells}
    for table in sorted(told["tables"].keys() | found.keys()):
        here, there = found.get(table), told["tables"].get(table)
        if here is None or there is None:
            different.append(Difference("digests", "the table is " + ("not in the seal" if here else "missing"), table))
        elif here.rows != there["rows"]:
            different.append(Difference("digests", f"it has {here.rows:,} rows, when sealed it had {there['rows']:,}", table))
        elif here.sha256 != there["sha256"] and table not in named:
            different.append(Difference("digests", "its rows are not the sealed ones", table))
    report.check("digests", f"the schema's and {len(found)} tables', over every cell, against the statement", different + cells)


def _cells(connection: sqlite3.Connection, seal: Seal, table: str) -> Iterator[Difference]:
    """What differs in a table that the statement tells cell by cell."""
    there = seal.statement["cells"][table]
    here: dict[str, Any] = digests.cell_digests(connection, table)
    if here["columns"] != there["columns"]:
        return
    old, new = ({row[0]: row[1:] for row in one["rows"]} for one in (there, here))
    count = 0
    for number in sorted(old.keys() | new.keys()):
        if number not in new or number not in old:
            yield Difference("digests", "the row is missing" if number not in new else "the row was not there when it was sealed",
                             table, number)
            count += 1
            continue
        for name, was, now in zip(here["columns"], old[number], new[number], strict=False):
            if was != now and count < MOST:
                count += 1
                yield Difference("digests", "the cell is not the sealed one", table, number, name)


def roots(leaves: tree.Joined, root: str, connection: sqlite3.Connection, seal: Seal, report: Report) -> None:
    """The tree's root, the snapshots' roots, and the proof that it grew from its parent."""
    told = seal.statement["tree"]
    different = []
    if (len(leaves), root) != (told["leaves"], told["root"]):
        different.append(Difference("tree", f"the root is {root} over {len(leaves):,} leaves, the sealed one was {told['root']} "
                                            f"over {told['leaves']:,}", "leaves"))
        stated = {one["id"]: one for one in seal.statement["snapshots"]}
        for one in statement.snapshot_trees(connection, leaves):
            if one["id"] in stated and one["root"] != stated[one["id"]]["root"]:
                different.append(Difference("tree", "the snapshot's root is not the sealed one", "leaves", snapshot=one["id"]))
    report.check("tree", f"the root over {len(leaves):,} leaves and the snapshots' roots, against the statement", different)
    if seal.statement["parent"]:
        report.check("tree", "that it grew from its parent", _grown(seal, len(leaves), root, report))


def _grown(seal: Seal, size: int, root: str, report: Report) -> Iterator[Difference]:
    parent = seal.statement["parent"]
    try:
        old = parent["statement"]["tree"]
        proof = [bytes.fromhex(one) for one in parent["consistency"]]
        holds = tree.consistent(old["leaves"], size, bytes.fromhex(old["root"]), bytes.fromhex(root), proof)
        data = statement.canonical(parent["statement"])
        holds = holds and sha256(data).hexdigest() == parent["sha256"]
        signers = [sshsig.check(one, data).fingerprint for one in parent["signatures"]]
    except (KeyError, TypeError, ValueError, Problem):
        holds, signers = False, []
    if not holds:
        yield Difference("tree", "the proof that it grew from its parent does not hold")
    else:
        by = f", signed by {' and '.join(signers)}" if signers else ", which nobody signed"
        report.trust.append(f"it grew from the case sealed {old['root'][:16]}… over {old['leaves']:,} leaves{by}")
