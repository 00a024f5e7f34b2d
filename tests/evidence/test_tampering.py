"""A fiftieth of `make bench-evidence`, with another seed every run: what is changed in a sealed case is found and named."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks import evidence, small_case
from benchmarks.tampering import mutate

SEED = random.SystemRandom().getrandbits(32)
SHARES = {"full": 500, "a part": 100, "with later custody": 400}  # a part takes longest


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_case.sealed(tmp_path_factory.mktemp("sealed"))


def test_every_shape_has_its_share() -> None:
    assert list(SHARES) == list(evidence.SHAPES) and sum(SHARES.values()) == 1000


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHARES)
def test_a_thousand_changes_are_found_and_named(shape: str, tmp_path: Path) -> None:
    (tmp_path / "case").mkdir()
    (tmp_path / "copy").mkdir()
    original = evidence.SHAPES[shape](tmp_path / "case")
    tally = mutate(original, tmp_path / "copy", SHARES[shape], SEED)
    applied = sum(tally.applied.values())
    assert tally.missed == [], SEED
    assert len(tally.not_named) <= applied // 100, (SEED, tally.not_named)
    if shape != "a part":  # in which altered records stand for themselves
        assert set(tally.only_sealed) <= KEPT_BY_THE_SEAL, (SEED, tally.only_sealed)


# What neither originals nor custody log can tell: whoever makes the whole seal anew may change it.
KEPT_BY_THE_SEAL = {
    *(f"case_info.{name}" for name in ("case_id", "tool", "created", "case_number", "examiner", "note")),
    *(f"snapshots.{name}" for name in ("acquired", "finished", "duration_ms", "modified", "tool")),
    *(f"analyses.{name}" for name in ("evidence_digest", "finished", "tool", "name", "None")),
    "digest_salt.id", "digest_salt.salt", "digest_salt.None", "custody_log.None", "originals.None", "member_cache.None",
}


def test_flipped_bits_and_patched_indexes_are_found(case: Path, tmp_path: Path) -> None:
    missed, _, looked = evidence.flips(case, tmp_path / "flips", 4_000, SEED)
    assert (missed, looked) == (0, 80), SEED
    missed, unseen = evidence.patches(case, tmp_path / "patches", 8, SEED)
    assert missed == 0 and unseen <= 2, SEED


def test_an_untouched_case_never_alarms(case: Path, tmp_path: Path) -> None:
    assert evidence.untouched(case, tmp_path, 20) == []
