"""One step from a visit, in the direction that is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from fimforensics.queries import trace_back, trace_forward
from fimforensics.queries.trace_steps import Asked, Offer, Visit


def offers(asked: Asked, visit: Visit, back: bool, most: int) -> Iterator[Offer]:
    """The steps from a visit: of each relation at most `most` (of a relation that goes on over the moment twice that)."""
    for step in (trace_back.STEPS if back else trace_forward.STEPS).get(visit.kind, ()):
        yield from (offer for offer in step(asked, visit, most) if offer.some or offer.load)
