"""The analyses, in the order in which they run: a new one is one file and one line here."""

from __future__ import annotations

from fimforensics.analyses import actors, bursts, coverage, persistence, rarity, relations, reversions, spread, versions
from fimforensics.analyses.contract import Analysis, Finding, Progress, Rule

__all__ = ["ANALYSES", "Analysis", "Finding", "Progress", "Rule"]

ANALYSES: tuple[Analysis, ...] = (
    versions.ANALYSIS,
    reversions.ANALYSIS,
    relations.ANALYSIS,
    spread.ANALYSIS,
    rarity.ANALYSIS,
    bursts.ANALYSIS,
    coverage.ANALYSIS,
    persistence.ANALYSIS,
    actors.ANALYSIS,
)
