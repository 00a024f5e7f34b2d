"""A part proven: records that are as they were against the root of the whole, altered ones with the whole at hand.

`proofs` needs the part alone: leaves lead to the root that the whole's statement names, and every unaltered record gives its
leaf out of its bytes, its row and its salt. `write_again` makes the star that follows from those rows, for a comparison table by
table. `against` reads altered records in the whole, alters them again and compares.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

import apsw
import rfc8785

from fimforensics import sql
from fimforensics.errors import Problem
from fimforensics.evidence import raw, sshsig, tree
from fimforensics.evidence.leaves import salted
from fimforensics.model import COLUMNS
from fimforensics.parts.alter import Alterations, Redaction, altered, cell, pseudonym_kind, with_names, with_pairs
from fimforensics.parts.star import Star, row_bytes
from fimforensics.schema import EMPTY_BIT, PATH_FORM_SHIFT, column_expression, joins
from fimforensics.settle import Reader, best

ROW = ", ".join(
    f"coalesce({path}.path, CASE WHEN e.forms & {EMPTY_BIT[name]} THEN '' END)" if path else column_expression(name)
    for name, path in ((name, {"FilePath": "p", "OriginalFilePath": "o"}.get(name)) for name in COLUMNS))
STORED = f"SELECT {ROW}, e.forms >> {PATH_FORM_SHIFT}, e.extra, e.flags {joins()} WHERE e.id = ?"
NAMES = (*COLUMNS, "the forms of its paths", "extra", "flags")
MOST = 20  # of one kind of fault that are told one by one


class Wrong(NamedTuple):
    """One thing that does not hold."""

    what: str
    table: str | None = None
    row: int | None = None
    column: str | None = None


class About(NamedTuple):
    """What a part says of itself; `signer` is the fingerprint under which the whole's statement was signed, if it was."""

    parent_root: str
    parent_records: int
    kept_events: int
    withheld_events: int
    kept_records: int
    withheld_records: int
    altered_records: int
    sealed: bool
    signers: tuple[str, ...] = ()


def about(part: Any) -> About | None:
    """The part's own row, None where the case is no part."""
    row = sql.first(part, "SELECT parent_root, parent_records, kept_events, withheld_events, kept_records, withheld_records, "
                          "altered_records, statement_sha256 IS NOT NULL FROM part")
    return About._make((*row[:7], bool(row[7]), ())) if row else None


def signers(part: Any) -> tuple[str, ...]:
    """Fingerprints of the keys that signed the whole's statement, as the part carries it; Problem for a wrong signature."""
    told, signature = _statement_text(part), sql.cell(part, "SELECT signature FROM part")
    return tuple(sshsig.check(text, told.encode()).fingerprint for text in signature_texts(signature or "")) if told else ()


def _statement_text(part: Any) -> str:
    """The statement of the whole; '' where it was not sealed."""
    return "".join(text for (text,) in sql.rows(part, "SELECT text FROM part_statement ORDER BY id"))


def signature_texts(text: str) -> list[str]:
    """The signatures in a text that holds several, one after the other."""
    begin = "-----BEGIN SSH SIGNATURE-----"
    return [begin + one for one in text.split(begin)[1:]]


def proofs(part: Any) -> Iterator[Wrong]:
    """What of a part does not lead to the whole's root; nothing where all does."""
    told = about(part)
    if told is None:
        return
    yield from _statement(part, told)
    for table in ("part_statement", "part_proof"):
        for at, (number,) in enumerate(sql.rows(part, f"SELECT id FROM {table} ORDER BY id"), 1):
            if number != at:
                yield Wrong(f"the rows are not numbered one by one: it is number {at}", table, number, "id")
                break
    leaves = _leaves(part)
    listed = {seq for (seq,) in sql.rows(part, "SELECT seq FROM occurrences")}
    told_of = {seq for (seq,) in sql.rows(part, "SELECT seq FROM part_records")}
    for table, seqs in (("part_records", told_of), ("leaves", set(leaves))):
        for seq in sorted(seqs ^ listed)[:MOST]:
            yield Wrong(f"record {seq} is in occurrences or in {table}, and not in both", table, seq)
    proof = tree.Joined(b"".join(hashes for (hashes,) in sql.rows(part, "SELECT hashes FROM part_proof ORDER BY id")))
    root = tree.multi_root({seq - 1: hashed for seq, hashed in leaves.items()}, told.parent_records, proof)
    if root is None or root.hex() != told.parent_root:
        yield Wrong("the leaves and the proof do not lead to the root of the whole", "part_proof")
    yield from _counts(part, told, leaves)
    yield from _records(part, leaves)


def _statement(part: Any, told: About) -> Iterator[Wrong]:
    told_hash, parent, hashed = sql.rows(part, "SELECT statement_sha256, parent_case_id, parent_file_sha256 FROM part")[0]
    text, pieces = _statement_text(part), [number for (number,) in sql.rows(part, "SELECT id FROM part_statement ORDER BY id")]
    if (sha256(text.encode()).hexdigest() if text else None) != told_hash:
        yield Wrong("the statement of the whole has another hash", "part", 1, "statement_sha256")
        for number in pieces[:MOST] or [1]:
            yield Wrong("it is not as it was, or one of the others is not" if pieces else "the row is missing", "part_statement",
                        number, "text" if pieces else None)
    if not text:
        return
    try:
        found = json.loads(text)
        said = (found["tree"]["root"], found["tree"]["leaves"], found["case"]["case_id"], found["file"]["sha256"])
        right = rfc8785.dumps(found) == text.encode()
    except (ValueError, LookupError, TypeError, RecursionError):
        yield Wrong("the statement of the whole cannot be read", "part_statement")
        return
    if not right:
        yield Wrong("the statement of the whole is not in the form that was signed", "part_statement")
    names = ("parent_root", "parent_records", "parent_case_id", "parent_file_sha256")
    for name, one, other in zip(names, said, (told.parent_root, told.parent_records, parent, hashed), strict=True):
        if one != other:
            yield Wrong("the statement of the whole says otherwise", "part", 1, name)
    try:
        signers(part)
    except Problem as problem:
        yield Wrong(f"the signature over the statement of the whole: {problem.what}", "part", 1, "signature")


def _leaves(part: Any) -> dict[int, bytes]:
    return {first + at // 32: hashes[at:at + 32] for first, hashes in sql.rows(part, "SELECT first_seq, hashes FROM leaves")
            for at in range(0, len(hashes), 32)}


def _counts(part: Any, told: About, leaves: Mapping[int, bytes]) -> Iterator[Wrong]:
    real = {"kept_events": sql.cell(part, "SELECT count(*) FROM events"), "kept_records": len(leaves),
            "withheld_records": told.parent_records - len(leaves),
            "altered_records": sql.cell(part, "SELECT count(*) FROM part_records WHERE salt IS NULL")}
    for name, number in real.items():
        if getattr(told, name) != number:
            yield Wrong(f"it says {getattr(told, name)}, and it is {number}", "part", 1, name)
    for number, kept, changed in sql.rows(
            part, "SELECT s.snapshot_id, s.kept = (SELECT count(*) FROM occurrences o WHERE o.snapshot_id = s.snapshot_id), "
                  "s.altered = (SELECT count(*) FROM occurrences o JOIN part_records r ON r.seq = o.seq WHERE o.snapshot_id = "
                  "s.snapshot_id AND r.salt IS NULL) FROM part_snapshots s"):
        if not kept or not changed:
            yield Wrong("it has another number of records", "part_snapshots", number, "altered" if kept else "kept")
    for number, records in sql.rows(part, "SELECT r.id, r.records FROM redactions r WHERE r.records <> (SELECT count(*) FROM "
                                          "part_records p, json_each(p.altered) j WHERE j.value = r.id)"):
        yield Wrong(f"it says that {records} records were altered, and it is another number", "redactions", number, "records")


def _records(part: Any, leaves: Mapping[int, bytes]) -> Iterator[Wrong]:
    """Every unaltered record out of its bytes."""
    reader, data_of, wrong = Reader(part), raw.Bytes(part), 0
    for seq, member, salt, changed in sql.rows(part, "SELECT seq, member, salt, altered FROM part_records ORDER BY seq"):
        if (salt is None) != (changed is not None):
            yield Wrong("a record is altered and has no salt, or neither", "part_records", seq, "salt")
        if salt is None or seq not in leaves:
            continue
        if not isinstance(member, int) or not 0 <= member < 1 << 32:
            yield Wrong("there is no member of this number", "part_records", seq, "member")
            continue
        try:
            where = raw.place(part, seq)
            data = data_of.read(where)
            row = sha256(row_bytes(reader.read(where, data))).digest()
            found = salted(salt, (seq, where.snapshot, member, where.offset, where.length), data, row)
        except Problem as problem:
            yield Wrong(problem.what, "occurrences", seq)
            continue
        if found != leaves[seq]:
            yield Wrong("its place, bytes, row and salt do not give its leaf", "occurrences", seq)
            wrong += 1
            if wrong >= MOST:
                return


def stored(part: Any, event: int) -> list | None:
    """The canonical row of an event as the case's tables have it."""
    row = sql.first(part, STORED, (event,))
    return [*row[:-2], json.loads(row[-2]) if row[-2] else None, row[-1]] if row else None


def _events(part: Any) -> Iterator[tuple[int, bytes, int, list[tuple[int, bool]]]]:
    """Each event with its key, its ordinal and its records: (seq, is it altered)."""
    for number, key, ordinal in sql.rows(part, "SELECT id, match_key, ordinal FROM events ORDER BY id"):
        yield number, key, ordinal, [(seq, bool(changed)) for seq, changed in sql.rows(
            part, "SELECT o.seq, r.salt IS NULL FROM occurrences o LEFT JOIN part_records r ON r.seq = o.seq "
                  "WHERE o.event_id = ? ORDER BY o.seq", (number,))]


def write_again(scratch: apsw.Connection, part: Any) -> None:
    """Events, keys and entities into an empty case: out of the bytes of unaltered records, else of the row that is there."""
    star, reader, data_of = Star(scratch), Reader(part), raw.Bytes(part)
    for number, key, ordinal, records in _events(part):
        changed = any(one for _, one in records)
        if changed or not records:
            row = stored(part, number)
        else:
            places = [raw.place(part, seq) for seq, _ in records]
            row = best([reader.read(where, data_of.read(where)) for where in places])
        if row is None:
            continue
        apart = sql.first(part, "SELECT s.sha256 FROM occurrences o JOIN snapshots s ON s.id = o.snapshot_id "
                                "WHERE o.event_id = ? AND s.partial_columns ORDER BY o.seq LIMIT 1", (number,))
        star.add(number, row, ordinal, changed, apart[0] if apart and key != star.plain_key(row) else None)
    star.done()


def alterations(part: Any) -> tuple[Alterations, dict[int, str]]:
    """What was done to the part, without names; and the columns by the numbers of the rules."""
    rules = sql.rows(part, "SELECT id, column_name, how, coalesce(code, ''), coalesce(basis, '') FROM redactions ORDER BY id")
    made = Alterations(tuple(Redaction(*rule[1:2], *rule[3:]) for rule in rules if rule[2] == "redacted"),
                       tuple(column for _, column, how, *_ in rules if how == "pseudonym" and column != "*"))
    return made, {number: column for number, column, *_ in rules}


def against(part: Any, whole: sqlite3.Connection, key: bytes | None = None) -> Iterator[Wrong]:
    """What of the altered events does not follow from the whole. Without the pseudonyms' `key` it is checked that they join."""
    leaves = _leaves(part)
    theirs = tree.Joined(b"".join(data for (data,) in whole.execute("SELECT hashes FROM leaves ORDER BY first_seq")))
    for seq, hashed in leaves.items():
        if not 0 < seq <= len(theirs) or theirs[seq - 1] != hashed:
            yield Wrong("the whole has another leaf there", "leaves", seq)
    made, _ = alterations(part)
    reader, data_of = Reader(whole), raw.Bytes(whole)
    rows = {}
    for number, _, _, records in _events(part):
        if any(changed for _, changed in records):
            try:
                places = [raw.place(whole, seq) for seq, _ in records]
                rows[number] = best([reader.read(where, data_of.read(where)) for where in places])
            except Problem as problem:
                yield Wrong(f"the whole does not have it: {problem.what}", "events", number)
    yield from _compared(part, rows, made, key)


def _compared(part: Any, rows: dict[int, list], made: Alterations, key: bytes | None) -> Iterator[Wrong]:
    if made.pseudonyms:
        pairs = {(column, value, cell(stored(part, number) or row, column)) for number, row in rows.items()
                 for column in made.pseudonyms if isinstance(value := cell(row, column), str) and value}
        if key is not None:
            made = with_names(Alterations(made.redactions, made.pseudonyms, key), {pair[:2] for pair in pairs})
        else:
            yield from _joining(pairs)
            made = with_pairs(made, pairs)
    for number, row in rows.items():
        there, expected = stored(part, number), altered(row, made)[0]
        for name, one, other in zip(NAMES, there or [], expected, strict=False):
            if one != other:
                yield Wrong("it is not what the whole has there, altered as the redactions say", "events", number, name)


def _joining(pairs: set[tuple[str, str, object]]) -> Iterator[Wrong]:
    """One name, one pseudonym, and the other way round."""
    forth: dict[str, object] = {}
    back: dict[object, str] = {}
    for column, value, instead in sorted(pairs, key=str):
        if instead == value:
            continue
        name = value.lower()
        if forth.setdefault(name, instead) != instead or back.setdefault(instead, name) != name or not str(instead).startswith(
                f"{pseudonym_kind(column)}-"):
            yield Wrong("a pseudonym does not join: one name has two, or two names have one", "redactions", None, column)
