"""The house keeps its shape: who imports whom, how large a file may grow, and that the README tells the truth."""

import ast
import importlib
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest
from textual.screen import Screen

import gpttui
from gpttui.cli import main
from tests.conftest import REPOSITORY

PACKAGE = Path(gpttui.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES = 400
MOST_APP_LINES = 150
LONGER_FOR_A_REASON: dict[str, str] = {
    "model/gpt.py": "the model is read whole, in one sitting",
    "records.py": "what was computed: one list of plain types, and nothing done with them",
    "training/loop.py": "one loop: what a step is, and all that happens between two steps",
    "tui/session/link.py": "one talk with one engine: what is asked, in what order, what outlives its death",
    "tui/views/frame.py": "what every view inherits, in one place: its questions, its keys, its life",
}
"""File → why it cannot be two files."""
TESTS = sorted((REPOSITORY / "tests").rglob("*.py"))
TESTS_OF_THE_WHOLE: dict[str, str] = {
    "terminal": "the program in a real terminal",
    "snapshots": "whole screens, as pictures",
    "benchmarks": "heavy proofs, which run by name",
}
"""Folder of tests → what it tests, where that is no one folder of the package."""


def _relative(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _modules_under(name: str) -> list[str]:
    folder = PACKAGE.joinpath(*name.split(".")[1:])
    return [name, *(found.name for found in pkgutil.walk_packages([str(folder)], prefix=f"{name}."))]


def _loaded_after(code: str) -> set[str]:
    """Top-level packages in sys.modules after `code` ran in a fresh Python."""
    code += "\nimport sys\nprint(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


def test_the_import_contracts_hold() -> None:
    lint_imports = shutil.which("lint-imports", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if lint_imports is None:
        pytest.skip("import-linter is not installed")
    done = subprocess.run(
        [lint_imports, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_no_module_of_the_ui_process_loads_torch() -> None:
    modules = [*_modules_under("gpttui.tui"), "gpttui.engine.client", "gpttui.engine.launch", "gpttui.storage.gallery"]
    modules += ["gpttui.runs.rundir", "gpttui.runs.history"]
    modules += [
        "gpttui.protocol.frames",
        "gpttui.records",
        "gpttui.settings",
        "gpttui.corpora.datasets",
        "gpttui.tokenizers",
    ]
    assert len(modules) > 20
    loaded = _loaded_after("\n".join(f"import {name}" for name in modules))
    assert "textual" in loaded and "torch" not in loaded


def test_model_inference_and_training_load_no_screen() -> None:
    modules = [
        name for part in ("model", "inference", "training", "corpora") for name in _modules_under(f"gpttui.{part}")
    ]
    loaded = _loaded_after("\n".join(f"import {name}" for name in [*modules, "gpttui.engine.server"]))
    assert "torch" in loaded and not loaded & {"textual", "rich", "click"}


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_and_version_load_neither_torch_nor_textual(flag: str) -> None:
    assert not _loaded_after(f"from gpttui.cli.main import run\nrun([{flag!r}])") & {"torch", "textual"}


def test_a_verb_is_light_until_it_is_called() -> None:
    targets = [verb.target.partition(":")[0] for verb in main.VERBS.values()]
    loaded = _loaded_after("\n".join(f"import {name}" for name in [*targets, "gpttui.cli.play"]))
    assert not loaded & {"torch", "textual", "numpy", "tokenizers"}


FIRST_PICTURE = """
from gpttui.tui.late import load_late
load_late("numpy")
import sys
from gpttui.cli import leaving
from gpttui.engine import client
from gpttui.storage import gallery
from gpttui.tui.app import GpttuiApp
from gpttui.tui.session.opening import Opening

class Engine:
    info, alive, on_event, on_death = None, False, None, None

    async def connect(self):
        panes = app.screen.query("#panes > *")
        assert len(panes) == 4 and all(pane.size.area for pane in panes), "the engine is started before the picture"
        assert "numpy._core" not in sys.modules, "the first picture loads numpy"
        app.exit("shown")

    async def close(self): ...

app = GpttuiApp(Engine(), Opening("nowhere"))
assert app.run(headless=True, size=(120, 40)) == "shown"
"""


def test_the_first_picture_needs_no_numpy_and_is_there_before_the_engine_is_started() -> None:
    """On few cores the engine's torch would take turns with the screen, whose imports take a tenth as long."""
    assert "textual" in _loaded_after(FIRST_PICTURE)


@pytest.mark.parametrize("path", MODULES, ids=_relative)
def test_no_module_grows_past_reading(path: Path) -> None:
    if _relative(path) in LONGER_FOR_A_REASON:
        return
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= (MOST_APP_LINES if _relative(path) == "tui/app.py" else MOST_LINES)


def test_exceptions_to_the_limit_are_still_needed() -> None:
    for name in LONGER_FOR_A_REASON:
        assert len((PACKAGE / name).read_text(encoding="utf-8").splitlines()) > MOST_LINES


@pytest.mark.parametrize("path", [path for path in MODULES if path.name != "__init__.py"], ids=_relative)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring, f"{_relative(path)} has no docstring"


def test_a_pane_words_its_border_by_its_titles_alone() -> None:
    """Words put there from elsewhere are gone with its next refresh."""
    callers = [_relative(path) for path in MODULES if "label_border(" in path.read_text(encoding="utf-8")]
    assert sorted(callers) == ["tui/tour/card.py", "tui/widgets/loss.py", "tui/widgets/pane.py"]


def test_packages_import_nothing_by_themselves() -> None:
    for path in PACKAGE.rglob("__init__.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        allowed = [path.parent.name == "tales"]
        assert any(allowed) or not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)], (
            path
        )


@pytest.mark.parametrize("path", MODULES, ids=_relative)
def test_no_error_is_swallowed(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            wide = node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")
            empty = all(isinstance(line, ast.Pass) for line in node.body)
            assert not (wide and empty), f"{_relative(path)}:{node.lineno}"


def test_no_pickle_is_read_or_written() -> None:
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        if _relative(path) == "model/pickled.py":  # the verb that converts reads numbers out of one, and runs nothing
            text = re.sub(r"torch\.load\([^()]*weights_only=True", "", text)
        assert not re.search(r"^\s*(import|from) (pickle|dill|joblib)\b|torch\.(load|save)\(", text, re.MULTILINE), path


def test_the_readme_names_only_verbs_that_exist() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|[`\s/])gpttui ([a-z][a-z-]+)", readme, re.MULTILINE))
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", readme, re.DOTALL))
    in_code = {name for name in named if re.search(rf"gpttui {name}\b", code)}
    assert in_code <= set(main.VERBS), in_code - set(main.VERBS)


FLAT = sorted(path.name for path in PACKAGE.glob("*.py"))
VIEWS = sorted(path.parent.name for path in PACKAGE.glob("tui/views/*/__init__.py"))


def test_few_files_lie_flat_in_the_package() -> None:
    assert len(FLAT) <= 10, FLAT


def test_a_view_is_one_folder_and_every_one_of_them_is_held_apart() -> None:
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    (apart,) = [contract for contract in contracts["contracts"] if contract["type"] == "independence"]
    assert sorted(apart["modules"]) == [f"gpttui.tui.views.{name}" for name in VIEWS]
    for name in VIEWS:
        files = {path.stem.partition("_")[0] for path in PACKAGE.glob(f"tui/views/{name}/*.py")} - {""}
        assert "screen" in files and files <= {"screen", "pane", "draw", "words"}, name


@pytest.mark.parametrize("path", [path for path in MODULES if path.name.startswith("draw_")], ids=_relative)
def test_what_draws_a_view_knows_no_screen_toolkit(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not (node.module or "").startswith(("textual", "gpttui.tui.widgets")), f"{path}:{node.lineno}"


def test_no_files_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("gpttui")
    arrows = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    while ends := {name for name, to in arrows.items() if not to & arrows.keys()}:
        arrows = {name: to for name, to in arrows.items() if name not in ends}
    while starts := arrows.keys() - set().union(*arrows.values(), set()):
        arrows = {name: to for name, to in arrows.items() if name not in starts}
    assert not arrows, sorted(arrows)


def test_a_screen_is_told_a_message_once() -> None:
    """Two handlers of one message in the classes that a screen is made of would run in their order of inheritance."""
    screens = {name: importlib.import_module(name) for name in _modules_under("gpttui.tui") if ".tui." in name}
    told = 0
    for module in screens.values():
        for cls in vars(module).values():
            if isinstance(cls, type) and issubclass(cls, Screen) and cls.__module__ == module.__name__:
                own = [base for base in cls.__mro__ if base.__module__.startswith("gpttui")]
                heard = [message for base in own for message in vars(base).get("_decorated_handlers", {})]
                assert len(heard) == len(set(heard)), cls
                told += len(heard)
    assert told > 10


def test_tests_lie_where_the_code_lies() -> None:
    folders = {path.parent.relative_to(REPOSITORY / "tests") for path in TESTS if path.name.startswith("test_")}
    apart = {folder.as_posix() for folder in folders if not (PACKAGE / folder).is_dir()}
    assert apart == set(TESTS_OF_THE_WHOLE)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.relative_to(REPOSITORY / "tests").as_posix())
def test_no_module_imports_a_module_of_tests(path: Path) -> None:
    """What tests share lies in modules that hold no tests: imported ones would run twice, or drag theirs along."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        named = (getattr(node, "module", None) or "").split(".") + [part for name in names for part in name.split(".")]
        assert not [part for part in named if part.startswith("test_")], f"{path}:{node.lineno}"
