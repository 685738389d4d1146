"""Where gpttui keeps its files: the one module that knows paths outside the package.

Each platform's own folders (XDG on Linux) by `platformdirs`; with `GPTTUI_HOME` set, everything lies under that one
folder. Nothing is created here: whoever writes makes the folder.
"""

import itertools
import os
import re
from collections.abc import Callable, Container, Iterable
from pathlib import Path

import platformdirs

LONGEST_NAME_BYTES = 80
"""Of the part of a file's name that a model, a text or a run gave. File systems take 255 for the whole name, encrypted
ones 143, and a time stamp, a suffix and a temporary file's marks come on top."""


def file_name(text: str, otherwise: str) -> str:
    """`text` as part of a file's name: letters, digits and `_ . @ + -`, not hidden, cut to `LONGEST_NAME_BYTES`.

    The one place where a name that gpttui did not choose becomes one on disk. `otherwise`: where nothing is left of it.
    """
    safe = re.sub(r"[^\w@.+-]+", "-", text).strip("-.").encode()[:LONGEST_NAME_BYTES]
    return safe.decode(errors="ignore").strip("-.") or otherwise


def free_path(folder: Path, stem: str, suffix: str = "", *, taken: Container[str] = ()) -> Path:
    """`folder/stem+suffix`, or the first of `stem-2`, `stem-3`, … that is not there already, nor its stem `taken`."""
    names: Iterable[str] = itertools.chain([stem], (f"{stem}-{n}" for n in itertools.count(2)))
    return next(
        folder / f"{name}{suffix}" for name in names if name not in taken and not (folder / f"{name}{suffix}").exists()
    )


def _folder(kind: str) -> Path:
    home = os.environ.get("GPTTUI_HOME")
    if home:
        return Path(home).expanduser() / kind
    found: Path = getattr(platformdirs, f"user_{kind}_path")("gpttui", appauthor=False)
    return found


def _place(kind: str, *parts: str) -> Callable[[], Path]:
    """Where something lies under one of the platform's folders, asked anew each time."""
    return lambda: _folder(kind).joinpath(*parts)


settings_file = _place("config", "settings.toml")
"""What a person sets and may edit."""
user_models_dir = _place("data", "models")
"""Model directories put here are listed beside the bundled ones."""
runs_dir = _place("data", "runs")
"""Where training runs go unless told otherwise."""
sessions_dir = _place("data", "sessions")
"""Sessions that were saved to come back to."""
last_session_file = _place("data", "last.json")
"""What was open when the playground was last left."""
exports_dir = _place("data", "exports")
"""What panes were written to: pictures and numbers."""
tour_file = _place("data", "tour.json")
"""How far a person has come in the tour."""
texts_dir = _place("cache", "texts")
"""Public texts that `gpttui data` fetched."""
unpacked_dir = _place("cache", "unpacked")
"""What was made of GGUF files: weights unpacked, tokenizers."""
getting_dir = _place("data", "getting")
"""Parts of models that are being fetched."""
cache_dir = _place("cache")
"""What can be fetched or computed again."""
log_dir = _place("log")
"""The engine's stderr, tracebacks."""
engine_log_file = _place("log", "engine.log")


def all_locations() -> dict[str, Path]:
    """Every place by name, for `gpttui doctor`."""
    return {
        "settings": settings_file(),
        "models": user_models_dir(),
        "runs": runs_dir(),
        "sessions": sessions_dir(),
        "exports": exports_dir(),
        "texts": texts_dir(),
        "unpacked weights": unpacked_dir(),
        "logs": log_dir(),
    }
