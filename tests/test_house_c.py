"""The C files are held to the same as Python: a word on each, short files, short functions, short lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from house_plan import MAX_FILE, MAX_FUNCTION
from test_house import PACKAGE, files, place

C_FILES = files(f"{PACKAGE}/**/*.[ch]")
MAX_LINE = 140
C_FUNCTION = re.compile(r"^(?![#{}/ ])[^;\n]*\b(\w+)\([^;]*?\) \{\n(.*?)^\}", re.M | re.S)


def c_functions(text: str) -> Iterator[tuple[str, int]]:
    """Every function of a C file and how many lines it has."""
    return ((found[1], found[0].count("\n") + 1) for found in C_FUNCTION.finditer(text))


def test_c_is_held_to_the_same() -> None:
    texts = {place(path): path.read_text(encoding="utf-8") for path in C_FILES}
    assert [name for name, text in texts.items() if not text.startswith("/* ") or len(text.splitlines()) > MAX_FILE] == []
    assert [f"{name}:{function}" for name, text in texts.items() for function, lines in c_functions(text)
            if lines > MAX_FUNCTION] == []
    assert [f"{name}:{number}" for name, text in texts.items() for number, line in enumerate(text.splitlines(), 1)
            if len(line) > MAX_LINE] == []


def test_functions_of_c_are_found() -> None:
    written = "int f(int a,\n      int b) {\n    if (a) {\n    }\n}\nint g(void);\nvoid h(void) {\n}\n"
    assert list(c_functions(written)) == [("f", 5), ("h", 2)]
    assert len([name for path in C_FILES for name, _ in c_functions(path.read_text(encoding="utf-8"))]) > 50
