"""Private names of Textual: in one file, still there, and checked with the version that is installed."""

import ast
import importlib
import importlib.metadata
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import textual
import textual.screen

import gpttui
from gpttui.tui import textual_private
from gpttui.tui.widgets import plot

TUI = Path(gpttui.__file__).parent / "tui"
FILES = {path.relative_to(TUI).as_posix(): path for path in sorted(TUI.rglob("*.py"))}
ALLOWED = {"textual_private.py", "widgets/plot.py"}
PRIVATE = re.compile(r"_[a-z]\w*")
FOREIGN = ("textual", "textual_plot", "textual_hires_canvas")


@cache
def _theirs(cls: type) -> frozenset[str]:
    """The private names of a class of the toolkit: what it defines, and what its methods set or read."""
    names = {name for name in vars(cls) if PRIVATE.fullmatch(name)}
    return frozenset(names | set(re.findall(r"\bself\.(_[a-z]\w*)", inspect.getsource(cls))))


def _inherited(cls: type) -> set[str]:
    return set().union(*(_theirs(base) for base in cls.__mro__ if base.__module__.partition(".")[0] in FOREIGN))


@cache
def _all_of_textual() -> frozenset[str]:
    """Every private attribute and method anywhere in it."""
    found: set[str] = set()
    for path in Path(textual.__file__).parent.rglob("*.py"):
        found |= set(re.findall(r"(?:\.|\bdef )(_[a-z]\w*)", path.read_text(encoding="utf-8")))
    return frozenset(found)


def _classes(body: ast.AST, holder: object) -> Iterator[tuple[ast.ClassDef, type]]:
    for node in ast.iter_child_nodes(body):
        if isinstance(node, ast.ClassDef):
            cls = getattr(holder, node.name)
            yield node, cls
            yield from _classes(node, cls)


def _touched(path: Path, module: object) -> list[str]:
    """Private names of Textual that a file imports, overrides, or reads of itself or of others, with their lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: list[str] = []
    others = _all_of_textual() - {"_replace"}  # which is of a NamedTuple
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(FOREIGN):
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            found += [f"{node.lineno}: import {name}" for name in names if PRIVATE.fullmatch(name)]
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) not in ("self", "super()"):
            found += [f"{node.lineno}: {ast.unparse(node)}"] * (node.attr in others - own)
    for definition, cls in _classes(tree, module):
        theirs = _inherited(cls)
        for node in ast.walk(definition):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in theirs:
                found.append(f"{node.lineno}: {definition.name} overrides {node.name}")
            elif isinstance(node, ast.Attribute) and node.attr in theirs:
                found.append(f"{node.lineno}: {definition.name} reads {ast.unparse(node)}")
    return found


@pytest.mark.parametrize("name", [name for name in FILES if name not in ALLOWED])
def test_no_other_file_touches_a_private_name_of_textual(name: str) -> None:
    module = importlib.import_module(".".join(("gpttui.tui", *Path(name).with_suffix("").parts)))
    assert not _touched(FILES[name], module)


@pytest.mark.parametrize("module", [textual_private, plot])
def test_every_private_name_is_still_there(module: object) -> None:
    """Those overridden are methods of the class below; those read are names that it uses itself."""
    tree = ast.parse(inspect.getsource(module))  # type: ignore[arg-type]
    checked = 0
    for definition, cls in _classes(tree, module):
        theirs = _inherited(cls)
        own = {name for name in cls.__annotations__ if PRIVATE.fullmatch(name)}
        for node in ast.walk(definition):
            name = (
                node.name if isinstance(node, ast.FunctionDef) else node.attr if isinstance(node, ast.Attribute) else ""
            )
            if name and PRIVATE.fullmatch(name) and name not in own:
                assert name in theirs, f"{definition.name}: {name}"
                checked += 1
    assert checked > 4
    assert "render_strips" in dir(importlib.import_module("textual._compositor").Compositor)
    assert "_compositor" in _inherited(textual.screen.Screen)


def _version(package: str) -> tuple[int, ...]:
    return tuple(int(part) for part in importlib.metadata.version(package).split(".")[:2])


def test_they_were_checked_with_the_version_that_is_installed() -> None:
    """On a new one: read what these names have become, run the suite, then move `CHECKED`."""
    least, below = textual_private.CHECKED
    assert least <= _version("textual") < below, "see whether gpttui/tui/textual_private.py still holds"
    least, below = plot.CHECKED
    assert least <= _version("textual-plot") < below, "see whether gpttui/tui/widgets/plot.py still holds"
