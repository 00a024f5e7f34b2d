"""Plugins may be there twice, from the wheel and from a folder: whoever comes first speaks, the other keeps silent."""

from __future__ import annotations

from typing import Any


def speaks(datasette: Any, hook: str, speaker: str) -> bool:
    """Is `speaker` (a module's own name) the first that claims this hook for this Datasette?"""
    claims: dict[str, str] = datasette.__dict__.setdefault("_fimforensics_claims", {})
    return claims.setdefault(hook, speaker) == speaker
