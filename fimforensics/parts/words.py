"""Many texts looked for at once: one expression made of a tree of their letters, blind to capitals.

A plain alternation of ten thousand names tries each of them at every letter; the tree tries one way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

SHORTEST = 3  # letters of a text that is looked for; shorter ones are everywhere
_LOOSE = 5  # from this length on a text is found inside of words, too


def finder(texts: Iterable[str], *, whole: bool = False) -> re.Pattern[str] | None:
    """The expression that finds any of the texts, the longest first; None where none is long enough.

    Short ones, and with `whole` all, are found only where no letter or figure stands before or behind.
    """
    kept = sorted({text.lower() for text in texts if len(text) >= SHORTEST})
    loose = [] if whole else [text for text in kept if len(text) >= _LOOSE]
    bound = kept if whole else [text for text in kept if len(text) < _LOOSE]
    parts = [rf"(?<![^\W_])(?:{_tree(bound)})(?![^\W_])"] if bound else []
    parts = ([_tree(loose)] if loose else []) + parts
    return re.compile("|".join(f"(?:{part})" for part in parts), re.I) if parts else None


def _tree(texts: list[str]) -> str:
    """The texts as nested groups by their first letters; where one is the beginning of another, the longer goes first."""
    groups: dict[str, list[str]] = {}
    for text in texts:
        groups.setdefault(text[:1], []).append(text[1:])
    optional = "" in groups
    ways = []
    for first, rest in groups.items():
        if first:
            begin, rest = _common(first, rest)
            ways.append(re.escape(begin) + (_tree(rest) if rest != [""] else ""))
    told = ways[0] if len(ways) == 1 and not optional else f"(?:{'|'.join(ways)})" if ways else ""
    return f"{told}?" if optional and told else told


def _common(begin: str, rest: list[str]) -> tuple[str, list[str]]:
    """Letters that all of the texts go on with are one step, however long: a tree as deep as a text is too deep."""
    low, high = min(rest), max(rest)
    same = next((at for at, (one, other) in enumerate(zip(low, high, strict=False)) if one != other), min(len(low), len(high)))
    return begin + low[:same], [text[same:] for text in rest]
