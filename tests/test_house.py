"""Holds the house together: who may import whom, who may print, how long things grow, and what must not be there.

The plan lies in tests/house_plan.py: a new module, shelf helper or exception is one entry there. Every rule is a function from
source text to offences, so that the last tests can show each rule a small sinner and see it caught.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from house_plan import (
    BESIDE,
    FLOORS,
    LONG_FILES,
    LONG_FUNCTIONS,
    MAX_FILE,
    MAX_FUNCTION,
    PLUGIN_FLOOR,
    PLUGINS,
    SHELVES,
    WRITERS,
)

ROOT = Path(__file__).parent.parent
PACKAGE = "fimforensics"

NAMESPACES = ("http://www.w3.org/",)  # names of XML vocabularies; nothing is fetched from there


def files(*patterns: str) -> list[Path]:
    """The project's files that fit, in order."""
    return sorted(path for pattern in patterns for path in ROOT.glob(pattern) if "__pycache__" not in path.parts)


CODE = files(f"{PACKAGE}/**/*.py", f"{PLUGINS}/**/*.py")
ALL_PYTHON = files(*(f"{folder}/**/*.py" for folder in (PACKAGE, PLUGINS, "tests", "docs", "benchmarks", "sample_data")))


@cache
def parsed(path: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def place(path: Path) -> str:
    """A file as it is named in messages and tables."""
    return path.relative_to(ROOT).as_posix()


def module_name(path: Path) -> str:
    """The dotted name of a file: `fimforensics.shapes.csv`, `datasette_plugins.events`."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in CODE}


def imports(tree: ast.AST, name: str, is_package: bool, known: set[str]) -> Iterator[str]:
    """Every module of ours that the code imports, wherever the import stands, as a full dotted name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in (PACKAGE, PLUGINS))
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = name.split(".")
                above = parts[: len(parts) - node.level + is_package]
                base = ".".join([*above, *([node.module] if node.module else [])])
            if base.split(".")[0] in (PACKAGE, PLUGINS):
                for alias in node.names:
                    yield f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base


@cache
def import_map() -> dict[str, frozenset[str]]:
    """Each of our modules → those it imports."""
    return {name: frozenset(imports(parsed(path), name, path.name == "__init__.py", set(MODULES)))
            for name, path in MODULES.items()}


def unit(name: str) -> str | None:
    """The entry of FLOORS that a module belongs to; None where the plan does not know it."""
    inside = name.removeprefix(PACKAGE).removeprefix(".")
    parts = inside.split(".") if inside else []
    for length in range(len(parts), 0, -1):
        if ".".join(parts[:length]) in FLOORS:
            return ".".join(parts[:length])
    return None if parts else ""


def misplaced(importer: str, imported: str) -> str | None:
    """Why the one may not import the other, or None where it may."""
    told, here, there = f"{importer} imports {imported}", unit(importer), unit(imported)
    if imported.split(".")[0] == PLUGINS:
        return f"{told}: pages are imported by nobody"
    if there is None:
        return None  # test_every_module_has_a_floor tells it
    if importer.split(".")[0] == PLUGINS:
        if FLOORS[there] >= PLUGIN_FLOOR or there.split(".")[0] in WRITERS:
            return f"{told}: a page asks queries, nothing that writes and nothing above"
        return None
    if here == there:
        return _between_members(importer, imported, there, told)
    if here is None or there == "" or FLOORS[there] < FLOORS[here] or there in BESIDE.get(here, set()):
        return None
    return f"{told}: floor {FLOORS[here]} may not import floor {FLOORS[there]}"


def _between_members(importer: str, imported: str, shelf: str, told: str) -> str | None:
    """Inside a shelf only its list (`__init__`) knows the members, and members know only helpers; elsewhere all is well."""
    members = [name.removeprefix(f"{PACKAGE}.{shelf}").removeprefix(".").split(".")[0] for name in (importer, imported)]
    if shelf not in SHELVES or members[0] in ("", members[1]) or members[1] in SHELVES[shelf]:
        return None
    return f"{told}: sideways on a shelf"


def test_every_module_has_a_floor() -> None:
    unknown = [name for name in MODULES if name.split(".")[0] == PACKAGE and unit(name) is None]
    assert unknown == [], "add them to FLOORS in tests/house_plan.py"


def test_imports_go_downward() -> None:
    found = [misplaced(name, other) for name, others in sorted(import_map().items()) for other in sorted(others)]
    assert [told for told in found if told] == []


def test_no_ring_of_imports() -> None:
    graph = {name: others - {name} for name, others in import_map().items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as ring:
        pytest.fail("a ring: " + " → ".join(ring.args[1]))


def talkers(tree: ast.AST) -> list[int]:
    """Lines that talk to the user: print, click, sys.stdout, sys.stderr."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in ("print", "sys.stdout", "sys.stderr"):
            found.append(node.lineno)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            found += [node.lineno for name in names if name.split(".")[0] == "click"]
    return sorted(found)


def test_only_cli_talks_to_the_user() -> None:
    silent = [path for path in CODE if not place(path).startswith((f"{PACKAGE}/cli/", f"{PACKAGE}/cli.py"))]
    assert [f"{place(path)}:{line}" for path in silent for line in talkers(parsed(path))] == []


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function, nested or not."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_files_stay_short() -> None:
    sizes = {place(path): len(path.read_text(encoding="utf-8").splitlines()) for path in ALL_PYTHON}
    assert {name: lines for name, lines in sizes.items() if lines > LONG_FILES.get(name, MAX_FILE)} == {}
    assert {name for name in LONG_FILES if sizes.get(name, 0) <= MAX_FILE} == set(), "no exception any more"


def test_functions_stay_short() -> None:
    sizes = [(f"{place(path)}:{node.name}", length(node)) for path in ALL_PYTHON for node in functions(parsed(path))]
    assert [(name, lines) for name, lines in sizes if lines > LONG_FUNCTIONS.get(name, MAX_FUNCTION)] == []
    assert set(LONG_FUNCTIONS) - {name for name, lines in sizes if lines > MAX_FUNCTION} == set(), "no exception any more"


UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")


def test_nothing_is_left_for_later() -> None:
    told = [path for path in [*ALL_PYTHON, *files(f"{PACKAGE}/**/*.*", "Makefile", "metadata.yml", "docs/*.md", ".ci/run")]
            if path != Path(__file__) and path.suffix in (".py", ".sql", ".html", ".js", ".css", ".yml", ".md", "", ".c", ".h")]
    assert [f"{place(path)}:{number}" for path in told if path.is_file()
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if UNFINISHED.search(line)] == []


def _is_broad(node: ast.expr | None) -> bool:
    return node is None or (isinstance(node, ast.Name) and node.id in ("Exception", "BaseException"))


def swallowed(tree: ast.AST) -> Iterator[int]:
    """Lines where every exception is caught and forgotten."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            idle = all(isinstance(step, ast.Pass | ast.Continue)
                       or (isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant)) for step in node.body)
            if node.type is None or (idle and _is_broad(node.type)):
                yield node.lineno
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("suppress", "contextlib.suppress"):
            if any(map(_is_broad, node.args)):
                yield node.lineno


def test_no_exception_is_swallowed() -> None:
    assert [f"{place(path)}:{line}" for path in ALL_PYTHON for line in swallowed(parsed(path))] == []


ADDRESS = re.compile(r"""(?:https?|wss?)://[^\s"'<>)]*|"""
                     r"""(?:(?:src|href|action|srcset|data|poster)\s*=\s*|url\(\s*|@import\s+)["']?//[^\s"'<>)]*""", re.I)


def addresses(text: str) -> list[str]:
    """Addresses in a page, script or style that a browser could fetch from elsewhere."""
    return [address for address in ADDRESS.findall(text) if not address.startswith(NAMESPACES)]


def test_pages_fetch_nothing_from_elsewhere() -> None:
    pages = [path for folder in (PACKAGE, PLUGINS) for kind in ("html", "js", "css", "svg")
             for path in files(f"{folder}/**/*.{kind}")]
    assert [f"{place(path)}: {address}" for path in pages for address in addresses(path.read_text(encoding="utf-8"))] == []


def undocumented(tree: ast.Module) -> Iterator[str]:
    """The module, if it has no docstring, and its public functions and methods that have none."""
    if not (ast.get_docstring(tree) or "").strip():
        yield "module"
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    for node in [*tree.body, *(member for owner in classes for member in owner.body)]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            if not (ast.get_docstring(node) or "").strip():
                yield node.name


def test_modules_and_public_functions_say_what_they_give() -> None:
    assert [f"{place(path)}: {name}" for path in CODE for name in undocumented(parsed(path))] == []


def test_plugins_are_flat() -> None:
    """Datasette loads each file of the folder by exec: no package, no relative import, no postponed annotations."""
    plugins = files(f"{PLUGINS}/**/*.py")
    assert [place(path) for path in plugins if path.parent != ROOT / PLUGINS or path.name == "__init__.py"] == []
    assert [f"{place(path)}:{node.lineno}" for path in plugins for node in ast.walk(parsed(path))
            if isinstance(node, ast.ImportFrom) and (node.level or node.module == "__future__")] == []


@pytest.mark.parametrize(("importer", "imported", "allowed"), [
    ("fimforensics.cli.ingest", "fimforensics.ingest", True), ("fimforensics.case", "fimforensics.cli.ingest", False),
    ("fimforensics.shapes.a", "fimforensics.shapes.b", False), ("fimforensics.shapes", "fimforensics.shapes.b", True),
    ("fimforensics.shapes.a", "fimforensics.shapes.strict_json", True), ("fimforensics.shapes.a", "fimforensics.tables", False),
    ("fimforensics.analyses.a", "fimforensics.detections.b", False), ("fimforensics.evidence.seal", "fimforensics.shapes", False),
    ("fimforensics.evidence.verify", "fimforensics.shapes", True), ("fimforensics.model", "fimforensics", True),
    ("datasette_plugins.events", "fimforensics.queries.events", True), ("datasette_plugins.a", "datasette_plugins.b", False),
    ("datasette_plugins.events", "fimforensics.store", False), ("fimforensics.ingest", "fimforensics.serve", False),
])
def test_the_floors_bear(importer: str, imported: str, allowed: bool) -> None:
    assert (misplaced(importer, imported) is None) == allowed


def test_imports_are_seen_wherever_they_stand() -> None:
    text = "from . import b, name\nfrom .. import errors\ndef f(): import fimforensics.case\nfrom fimforensics.times import x"
    known = {"fimforensics.shapes.b", "fimforensics.errors"}
    assert list(imports(ast.parse(text), "fimforensics.shapes.a", False, known)) == [
        "fimforensics.shapes.b", "fimforensics.shapes", "fimforensics.errors", "fimforensics.times", "fimforensics.case"]
    assert list(imports(ast.parse("from .a import x"), "fimforensics.shapes", True, set())) == ["fimforensics.shapes.a"]
    assert (unit("fimforensics.shapes.a.b"), unit("fimforensics"), unit("fimforensics.cellar")) == ("shapes", "", None)


def test_each_rule_catches_its_sinner() -> None:
    assert talkers(ast.parse("import click\nprint(1)\nx = sys.stderr\nlog.stdout")) == [1, 2, 3]
    caught = [": b()", " Exception: pass", " BaseException: ...", " KeyError: pass", " Exception: b()"]
    assert [list(swallowed(ast.parse("try: a()\nexcept" + line))) for line in caught] == [[2], [2], [2], [], []]
    assert list(swallowed(ast.parse("with contextlib.suppress(Exception): a()\nwith suppress(OSError): b()"))) == [1]
    sinner = "def f(): pass\ndef _g(): pass\nclass A:\n  def h(self): pass"
    assert list(undocumented(ast.parse(sinner))) == ["module", "f", "h"]
    page = '<script src="//x/a.js"></script> <a href="/case">a</a> url(https://y/z) http://www.w3.org/2000/svg'
    assert addresses(page) == ['src="//x/a.js', "https://y/z"]
    nested = "@wrap\ndef f():\n    def g():\n        return 1\n    return g"
    assert [length(node) for node in functions(ast.parse(nested))] == [4, 2]
    assert UNFINISHED.search("# FIXME later") and not UNFINISHED.search("TODOS")
