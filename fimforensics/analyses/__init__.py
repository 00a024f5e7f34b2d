"""The analyses, in the order in which they run: a new one is one file and one line here."""

from __future__ import annotations

from fimforensics.analyses.contract import Analysis, Finding, Progress, Rule

__all__ = ["ANALYSES", "Analysis", "Finding", "Progress", "Rule"]

ANALYSES: tuple[Analysis, ...] = (
)
