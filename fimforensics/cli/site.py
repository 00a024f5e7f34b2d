"""The command that serves cases to a browser."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from fimforensics.cli.common import PATH
from fimforensics.text import visible


@click.command()
@click.argument("cases", nargs=-1, required=True, type=PATH, metavar="CASE…")
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True,
              help="The port on this machine; 0 takes any that is free.")
@click.option("--open", "open_browser", is_flag=True, help="Open the first page in the browser.")
@click.option("--once", is_flag=True, help="Serve, fetch the first page once, say what came, and end.")
def serve(cases: tuple[Path, ...], port: int, open_browser: bool, once: bool) -> None:
    """Serves cases read-only to a browser on this machine: nothing in them can be changed, nothing leaves the machine."""
    from fimforensics import serve as serving  # Datasette takes long to load, and every other command goes without

    sys.exit(serving.run(list(cases), port=port, once=once, open_browser=open_browser,
                         say=lambda text: click.echo(visible(text))))


COMMANDS = (serve,)
