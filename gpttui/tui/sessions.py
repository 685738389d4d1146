"""What a person takes away: session files, exported panes, and where those go. Records in, files out; no widget.

For: `gpttui.tui.screens.sharing`. Not for: the format (`gpttui.inference.branches`, `gpttui.view_files`).
"""

import re
import time
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpttui import gallery
from gpttui.errors import UserError
from gpttui.inference.branches import Branches, SessionFile, load_session, save_session
from gpttui.tui.selection import Selection

if TYPE_CHECKING:
    from gpttui.records import ModelCard
    from gpttui.tui.screens.session_link import SessionLink

PLAIN = (str, int, float, bool)


def model_name(card: "ModelCard") -> str:
    """What `--model` takes for it: its id where that finds it, else its path."""
    found = gallery.directories().get(card.id)
    return card.id if found is not None and str(found) == card.path else card.path


def session_now(link: "SessionLink", selection: Selection, view: Mapping[str, Any]) -> SessionFile:
    """The session as it stands. Raises UserError while no model is open."""
    card, snapshot = link.card, link.snapshot
    if card is None or snapshot is None:
        raise UserError("there is nothing to save yet: no model is open")
    return SessionFile(
        model=model_name(card),
        vocab_size=card.vocab_size,
        params=card.params,
        prompt=link.prompt,
        appended=snapshot.ids[snapshot.n_prompt :].tolist(),
        picked=link.picked,
        draws=link.trail.draws(link.trail.leaf),
        sampling=link.sampling,
        seed=link.seed,
        interventions=list(link.changes),
        branches=list(link.trail.tree.nodes.values()),
        position=selection.position,
        layer=selection.layer,
        head=selection.head,
        view={**view, "kept": kept_plain(link.kept)},
    )


def save(session: SessionFile, folder: Path) -> Path:
    """Write it under a name of its own; the newest file there that holds the very same is taken instead."""
    newest = max(folder.glob("*.json"), default=None, key=lambda file: file.stat().st_mtime)
    if newest is not None:
        try:
            if _same(load_session(newest), session):
                return newest
        except UserError:
            pass  # someone else's file: it stays, and another is written beside it
    file = free_file(folder, _stem(session.model), ".json")
    save_session(session, file)
    return file


def _same(a: SessionFile, b: SessionFile) -> bool:
    """nan is the same as nan here."""
    return repr(a) == repr(b)


def tree_of(session: SessionFile) -> Branches:
    return Branches(session.branches)


def _stem(name: str) -> str:
    return re.sub(r"[^\w@.-]+", "-", Path(name).name).strip("-.") or "model"


def free_file(folder: Path, stem: str, suffix: str) -> Path:
    """A name that says what it is of and when it was written, and that nothing has yet."""
    stem = f"{_stem(stem)}-{time.strftime('%Y%m%d-%H%M%S')}"
    names = (f"{stem}{suffix}", *(f"{stem}-{n}{suffix}" for n in range(2, 1000)))
    return next(folder / name for name in names if not (folder / name).exists())


def short(file: Path) -> str:
    """A path as a person reads it: `~` for their home."""
    try:
        return f"~/{file.relative_to(Path.home())}"
    except ValueError:
        return str(file)


# ── What views remember ───────────────────────────────────────────────────────────────────────────────────────────


def kept_plain(kept: Mapping[str, Any]) -> dict[str, Any]:
    """What of the views' memory can be written as JSON."""
    return {name: _plain(value) for name, value in kept.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_plain(inner) for name, inner in value.items())
    if is_dataclass(value) and not isinstance(value, type):
        return _is_plain(asdict(value))
    return value is None or isinstance(value, PLAIN)


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value


def kept_again(plain: object, makers: Mapping[str, type]) -> dict[str, Any]:
    """The views' memory out of a session file; what cannot be what it says is left out.

    JSON knows no tuples: lists come back as those. `makers`: the dataclasses that are kept under a name.
    """
    found: dict[str, Any] = {}
    for name, value in plain.items() if isinstance(plain, dict) else ():
        if name in makers:
            try:
                found[name] = makers[name](**value)
            except TypeError:
                continue
        else:
            found[name] = _tuples(value)
    return found


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
