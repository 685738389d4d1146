"""The sources of Python's standard library, one document a file.

For: real code to train on without a download. Not for: installed packages, whose presence and licences vary.
Source: every `*.py` under the running Python's standard library, its tests and test data aside.
"""

import sysconfig
import tokenize
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from gpttui.corpora.splits import is_held_out, is_held_out_seed, shuffled
from gpttui.errors import UserError

LEFT_OUT = {"site-packages", "dist-packages", "test", "tests", "idle_test", "lib2to3", "__pycache__"}


def documents(seed: int, n: int | None = None) -> Iterator[str]:
    """Whole files in an order drawn from the seed, over and over if n is None.

    Raises UserError where this Python has no library sources, as some slim or frozen installations do.
    """
    library = Path(sysconfig.get_paths()["stdlib"])
    paths = [path for path in source_paths(library) if is_held_out(path) == is_held_out_seed(seed)]
    if not paths:
        raise UserError(f"no Python sources under {library}: use a full Python installation or another corpus")
    for path in islice(shuffled(paths, seed), n):
        with tokenize.open(library / path) as file:
            yield file.read().strip()


def source_paths(library: Path) -> list[str]:
    """Relative paths of the sources that count, sorted; empty files are left out."""
    return sorted(
        path.relative_to(library).as_posix()
        for path in library.rglob("*.py")
        if not LEFT_OUT.intersection(path.relative_to(library).parts) and path.stat().st_size
    )
