"""Groups of the events by column stay quick when there are many: our counting in place of Datasette's."""

from collections.abc import Iterator
from typing import Any

from datasette import hookimpl
from datasette.facets import ColumnFacet

from fimforensics.site.facets import CountedFacet


@hookimpl(hookwrapper=True)
def register_facet_classes() -> Iterator[None]:
    """All classes as they are, but for that of columns."""
    outcome: Any = yield
    outcome.force_result([[CountedFacet if one is ColumnFacet else one for one in some] for some in outcome.get_result()])
