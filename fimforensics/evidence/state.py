"""Is a case sealed, by whom and when, as what lies beside it says. A look, no verification: the file itself is not hashed."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fimforensics.errors import Problem
from fimforensics.evidence import beside, sshsig, stamps, statement


@dataclass(frozen=True)
class State:
    """What the seal beside a case says; `problem` where it does not hold together."""

    time: str | None = None
    by: str | None = None  # account and machine
    note: str | None = None
    root: str | None = None
    statement_sha256: str | None = None
    signers: tuple[str, ...] = ()  # fingerprints
    stamped: str | None = None  # time of the time stamp
    problem: str | None = None


def of(case: Path) -> State | None:
    """The seal beside a case; None where there is none."""
    if not beside.seal_file(case).exists():
        return None
    try:
        told, data = statement.read(beside.seal_file(case))
    except Problem as problem:
        return State(problem=problem.what)
    sealed, signers, wrong = told["sealed"], [], None
    for path in beside.signature_files(case):
        try:
            signers.append(sshsig.check(path.read_text("ascii", "replace"), data).fingerprint)
        except (Problem, OSError) as problem:
            wrong = f"{path.name}: {problem.what if isinstance(problem, Problem) else 'it cannot be read'}"
    if wrong is None and sealed["signer"] and sealed["signer"] not in signers:
        wrong = f"the signature of {sealed['signer']} is missing"
    stamped = None
    try:
        stamp = stamps.stamped(case)
        stamped = stamp.time if stamp else None
    except Problem as problem:
        wrong = wrong or problem.what
    return State(sealed["time"], f"{sealed['actor']} on {sealed['machine']}", sealed["note"], told["tree"]["root"],
                 sha256(data).hexdigest(), tuple(signers), stamped, wrong)
