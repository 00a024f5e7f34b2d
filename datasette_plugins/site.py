"""The house around every page: templates, style, menu, read-only connections, inert answers, quiet errors."""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

from datasette import hookimpl
from datasette.utils.asgi import asgi_static
from jinja2 import ChoiceLoader, FileSystemLoader

from fimforensics.site import cells, errors, guard, tables
from fimforensics.site.database import is_case
from fimforensics.site.grid import grid
from fimforensics.site.heat_svg import strip
from fimforensics.site.once import speaks
from fimforensics.site.opening import opening_columns
from fimforensics.site.questions import all_rows, missing, unfilled
from fimforensics.site.readonly import harden
from fimforensics.site.readonly import is_case as opened_case
from fimforensics.site.settings import STATIC, TEMPLATES, describe
from fimforensics.site.vars import common, menu
from fimforensics.site.zones import zoned
from fimforensics.text import visible

Vars = dict[str, Any] | Callable[[], Awaitable[dict[str, Any]]]


@hookimpl
def startup(datasette: Any) -> None:
    """Under plain `datasette`: what metadata.yml says of a case is said of each that is served, whatever its file is called."""
    if speaks(datasette, "startup", __name__):
        describe(datasette, [name for name, database in datasette.databases.items() if is_case(database)])


@hookimpl
def prepare_jinja2_environment(env: Any, datasette: Any) -> None:
    """Our templates before Datasette's, and what they write values with."""
    if speaks(datasette, "templates", __name__):
        env.loader = ChoiceLoader([FileSystemLoader(str(TEMPLATES)), env.loader])
        env.filters.update(
            visible=lambda value: visible(str(value)), words=cells.text, block=cells.block, middle=cells.middle, when=cells.time,
            brief=cells.brief, moment=cells.moment, pretty_json=cells.pretty_json, heading=tables.heading,
            short=tables.short_address, width=tables.width, grid=grid, missing=missing, all_rows=all_rows, unfilled=unfilled,
            coverage_strip=strip)
        env.globals["SINGULAR"], env.globals["SEARCHED"] = tables.SINGULAR, tables.SEARCHED
        env.tests["hash"] = lambda column: column in tables.HASHES


@hookimpl
def register_routes(datasette: Any) -> list[tuple[str, Callable[..., Any]]]:
    """The style sheet and whatever else lies in the package's `static`."""
    return [(r"^/-/fimforensics/(?P<path>.*)$", asgi_static(STATIC))] if speaks(datasette, "static", __name__) else []


@hookimpl
def menu_links(datasette: Any, request: Any) -> list[dict[str, str]]:
    """The tables people start from, of the case they are in."""
    return menu(datasette, request) if speaks(datasette, "menu", __name__) else []


@hookimpl
def extra_template_vars(datasette: Any, request: Any, database: str | None,
                        table: str | None) -> Vars:
    """What every template may need."""
    if not speaks(datasette, "common", __name__):
        return {}
    return lambda: common(datasette, request, database, table)


@hookimpl(trylast=True)
def prepare_connection(conn: Any, database: str, datasette: Any) -> None:
    """Last of all plugins: from here on the connection only reads. Datasette's own database stays as it is."""
    if speaks(datasette, "connections", __name__) and not database.startswith("_") and opened_case(conn):
        harden(conn)


@hookimpl
def asgi_wrapper(datasette: Any) -> Callable[[guard.App], guard.App]:
    """Requests completed, answers inert."""
    if not speaks(datasette, "app", __name__):
        return lambda app: app

    def served(name: str) -> bool:
        return name in datasette.databases and is_case(datasette.databases[name])

    return lambda app: guard.inert(zoned(opening_columns(app, served)))


@hookimpl(hookwrapper=True)
def handle_exception(datasette: Any, request: Any, exception: BaseException) -> Iterator[None]:
    """Ours instead of all others: their tracebacks would show evidence on the terminal."""
    outcome: Any = yield
    if not speaks(datasette, "errors", __name__):
        return
    outcome.force_result([partial(errors.page, datasette, request, exception)])
