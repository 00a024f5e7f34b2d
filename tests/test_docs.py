"""Completeness is tested, not remembered: every command and option tells what it does, and the reference is what they tell."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import click
import pytest

from fimforensics.cli import main as root

DOCS = Path(__file__).parent.parent / "docs"


def _load_reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", DOCS / "make_reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


REFERENCE = _load_reference()


def silent(group: click.Command) -> list[str]:
    """Names of the commands and options that do not say what they do."""
    found = []
    for command, context in REFERENCE.commands(group):
        if not (command.help or "").strip():
            found.append(context.command_path)
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not (parameter.help or "").strip():
                found.append(f"{context.command_path} {parameter.opts[0]}")
    return found


def test_every_command_and_option_has_help() -> None:
    assert silent(root) == []


def test_help_ends_like_a_sentence_or_an_example() -> None:
    """Half-written help shows in its end; options' help is a phrase and may end as it likes, but never in a comma or colon."""
    broken = [context.command_path for command, context in REFERENCE.commands(root)
              if (command.help or "").split("\n\n")[0].strip()[-1:] not in (".", ":", "?")]
    broken += [f"{context.command_path} {parameter.opts[0]}" for command, context in REFERENCE.commands(root)
               for parameter in command.params if (getattr(parameter, "help", None) or ".").strip()[-1:] in (",", ":", ";")]
    assert broken == []


def test_the_reference_is_up_to_date() -> None:
    page = DOCS / "commands.md"
    assert page.read_text(encoding="utf-8") == REFERENCE.reference(root), "run 'make docs'"


@click.group()
def toy() -> None:
    """Counts things."""


@toy.command()
@click.argument("things", nargs=-1)
@click.option("--limit", default=3, show_default=True, metavar="N", help="Stop at N | more.")
@click.option("--quiet", is_flag=True)
def count(things: tuple[str, ...], limit: int, quiet: bool) -> None:
    """Count the <things>,
    one by one.

    \b
    toy count a
    toy count b
    """


@toy.command(hidden=True)
def secret() -> None:
    pass


def test_the_reference_of_a_toy() -> None:
    assert REFERENCE.reference(toy, "toy") == REFERENCE.HEAD + """
## toy

Counts things.

    toy [OPTIONS] COMMAND [ARGS]...

- `--help`: Show this message and exit.

### toy count

Count the \\<things>, one by one.

```
toy count a
toy count b
```

    toy count [OPTIONS] [THINGS]...

- `--limit N`: Stop at N | more.  [default: 3]
- `--quiet`:
- `--help`: Show this message and exit.
"""


def test_silence_is_found() -> None:
    assert silent(toy) == ["fimforensics count --quiet", "fimforensics secret"]


def test_check_mode_tells_a_stale_page(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "commands.md"
    monkeypatch.setattr(REFERENCE, "PAGE", page)
    monkeypatch.setattr("sys.argv", ["make_reference.py", "--check"])
    assert REFERENCE.main() == 1 and not page.exists()
    assert capsys.readouterr().err == "commands.md is not what the commands say; run 'make docs'\n"
    page.write_text(REFERENCE.reference(root), encoding="utf-8")
    assert REFERENCE.main() == 0
