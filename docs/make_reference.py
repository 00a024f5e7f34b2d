"""Writes docs/commands.md from the commands themselves, so that what is documented is what runs.

With --check nothing is written: exit code 1 if the page is not what the commands say.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

PAGE = Path(__file__).parent / "commands.md"
HEAD = """# Commands

Written by `make docs` from the commands' own help; edit that, not this page.
"""


def walk(command: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """The command and everything below it, each with the context that knows its full name; hidden ones too."""
    yield command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from walk(below, click.Context(below, info_name=name, parent=context, **below.context_settings))


def commands(root: click.Command, name: str = "fimforensics") -> list[tuple[click.Command, click.Context]]:
    """The tree under `root`, called `name`, parents first."""
    return list(walk(root, click.Context(root, info_name=name, **root.context_settings)))


def _inert(text: str) -> str:
    return re.sub(r"([<*])", r"\\\1", text)


def _paragraphs(text: str) -> str:
    """Click's help as Markdown: a paragraph that starts with a line of \\b keeps its line breaks."""
    told = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text.split("\f")[0])):
        if paragraph.startswith("\b"):
            told.append("```\n" + paragraph[1:].strip("\n") + "\n```")
        else:
            told.append(_inert(" ".join(paragraph.split())))
    return "\n\n".join(told)


def section(command: click.Command, context: click.Context) -> str:
    """What one command is for, how it is called and what its options mean."""
    name = context.command_path
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    parts = ["#" * min(len(name.split()) + 1, 4) + f" {name}", _paragraphs(command.help or ""), f"    {usage}"]
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)
               if isinstance(parameter, click.Option)]
    lines = [f"- `{spec}`: {_inert(told)}".rstrip() for spec, told in (record for record in records if record)]
    return "\n\n".join(part for part in [*parts, "\n".join(lines)] if part) + "\n"


def reference(root: click.Command, name: str = "fimforensics") -> str:
    """The whole page for the commands under `root`."""
    shown = [section(command, context) for command, context in commands(root, name) if not command.hidden]
    return "\n".join([HEAD, *shown])


def main() -> int:
    """Writes the page, or compares it with --check; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    checking = parser.parse_args().check
    from fimforensics.cli import main as root

    wanted = reference(root).encode()
    if not checking:
        PAGE.write_bytes(wanted)
        return 0
    if PAGE.is_file() and PAGE.read_bytes() == wanted:
        return 0
    print(f"{PAGE.name} is not what the commands say; run 'make docs'", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
