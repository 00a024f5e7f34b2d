"""What a reader sees when a page fails: what happened, on a page of the house; the log gets one inert line.

Datasette's own handler prints tracebacks with evidence and escape codes in them to the terminal.
"""

from __future__ import annotations

import logging
from typing import Any

from datasette.utils.asgi import Base400, Request, Response
from datasette.views.base import DatasetteError

from fimforensics.errors import Problem
from fimforensics.text import visible

LOG = logging.getLogger("fimforensics.serve")
# What Datasette says of an address that leads nowhere, for people.
NOWHERE = {"Table not found": "This case has no table, view or page of that name.",
           "Record not found": "This case has nothing of that number. Numbers are those of one case; made anew it has others.",
           "Database not found": "No case of that name is served here."}
TOO_LONG = "It was stopped at the time limit. Narrow it, or filter on an indexed column."


def told(exception: BaseException) -> tuple[int, str, str]:
    """Status, heading and sentence for an exception."""
    if isinstance(exception, DatasetteError):
        if exception.message_is_html:  # only the time limit's message is; its script is no use under our headers
            return exception.status, "The query took too long", TOO_LONG
        status = 400 if exception.status == 500 else exception.status  # Datasette's word for a wrong argument, such as _sort=x
        return status, exception.title or f"Error {status}", str(exception.message)
    if isinstance(exception, Base400):
        heading = {403: "Not allowed", 404: "No such page"}.get(exception.status, f"Error {exception.status}")
        return exception.status, heading, str(exception.args[0] if exception.args else "")
    if isinstance(exception, Problem):
        return 500, "The case cannot be read", exception.line()
    return 500, "This page failed", f"{type(exception).__name__}: {exception}"


async def page(datasette: Any, request: Request, exception: BaseException) -> Response:
    """The answer to a request that failed."""
    status, heading, sentence = told(exception)
    if request.path.split("/")[2:3] == ["-"] and sentence.startswith("no such table"):  # Datasette takes `-` for a table
        status, heading, sentence = 404, "No such page", "Table not found"
    LOG.log(logging.ERROR if status >= 500 else logging.INFO, "%s %s: %d %s%s", request.method, visible(request.path), status,
            visible(sentence), _place(exception) if status >= 500 else "")
    if request.path.endswith((".json", ".csv")):
        return Response.json({"ok": False, "status": status, "title": heading, "error": visible(sentence)}, status=status)
    shown = {"status": status, "title": heading, "error": NOWHERE.get(sentence, sentence)}
    return Response.html(await datasette.render_template("error.html", shown, request=request, view_name="error"), status=status)


def _place(exception: BaseException) -> str:
    trace = exception.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f" (at {visible(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})" if trace is not None else ""
