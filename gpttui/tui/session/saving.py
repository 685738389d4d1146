"""What a person takes away: session files, exported panes, and where those go. Records in, files out; no widget.

For: `gpttui.tui.session.sharing`. Not for: the format (`gpttui.sessions.tree`, `gpttui.sessions.view_files`).
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpttui import locations
from gpttui.errors import UserError
from gpttui.runs import rundir
from gpttui.sessions.tree import (
    Branches,
    OfRun,
    SessionFile,
    save_session,
    session_text,
)
from gpttui.storage import gallery
from gpttui.tui.selection import Selection
from gpttui.tui.session.remembered import kept_plain

if TYPE_CHECKING:
    from gpttui.records import ModelCard, Sampling, ToldDraw
    from gpttui.tui.session.link import SessionLink


def model_name(card: "ModelCard") -> str:
    """What `--model` takes for it: its id where that finds it, else its path."""
    found = gallery.directories().get(card.id)
    return card.id if found is not None and str(found) == card.path else card.path


def session_now(link: "SessionLink", selection: Selection, view: Mapping[str, Any]) -> SessionFile:
    """The session as it stands. Raises UserError while no model is open."""
    card, snapshot = link.card, link.snapshot
    if card is None or snapshot is None:
        raise UserError("there is nothing to save yet: no model is open")
    weights = saved_weights(link)
    of_run = weights is not None and rundir.run_of(Path(card.path)) == Path(weights.run)
    return SessionFile(
        model=weights.run if weights is not None and of_run else model_name(card),
        checkpoint=weights,
        vocab_size=card.vocab_size,
        params=card.params,
        prompt=link.prompt,
        conversation=link.conversation,
        bare=link.bare,
        appended=snapshot.ids[snapshot.n_prompt :].tolist(),
        picked=link.picked,
        draws=[told and _short(told, link.sampling) for told in link.trail.draws(link.trail.leaf)],
        sampling=link.sampling,
        seed=link.seed,
        interventions=list(link.changes),
        branches=list(link.trail.tree.nodes.values()),
        position=selection.position,
        layer=selection.layer,
        head=selection.head,
        view={**view, "kept": kept_plain(link.kept)},
    )


def _short(told: "ToldDraw", sampling: "Sampling") -> "ToldDraw":
    """Without its settings where they are the session's."""
    return told._replace(sampling=None) if told.sampling == sampling else told


def saved_weights(link: "SessionLink") -> OfRun | None:
    """The checkpoint that the text stands under; of live weights the newest one, None where none is saved yet."""
    if link.under is None:
        return None
    run, step = link.under
    step = step if step >= 0 else max((saved for saved, _ in rundir.checkpoints(Path(run))), default=-1)
    return OfRun(run, step) if step >= 0 else None


def weights_words(link: "SessionLink") -> str:
    """What to tell of the weights when a session has been saved; empty where the file brings back the very same."""
    snapshot, weights = link.snapshot, saved_weights(link)
    if snapshot is None or not snapshot.weights or (link.under is not None and link.under[1] >= 0):
        return ""
    if weights is None:
        return f"not {snapshot.weights}, of which nothing is on disk yet: it opens with the model's own weights"
    if snapshot.weights.endswith(f" {weights.step:,}"):
        return ""
    return f"not {snapshot.weights}, which is live: it opens with checkpoint {weights.step:,}, the newest saved"


def save(session: SessionFile, folder: Path) -> Path:
    """Write it under a name of its own; the newest file there that holds the very same is taken instead."""
    newest = max(folder.glob("*.json"), default=None, key=lambda file: file.stat().st_mtime)
    if newest is not None and _holds(newest, session):
        return newest
    file = free_file(folder, Path(session.model).name, ".json")
    save_session(session, file)
    return file


def keep_last(link: "SessionLink", selection: Selection, view: Mapping[str, Any]) -> None:
    """Keep what is open for `gpttui --last`; where nothing is, or the disk is full, what was kept before stays."""
    with suppress(UserError):
        save_session(session_now(link, selection, view), locations.last_session_file())


def _holds(file: Path, session: SessionFile) -> bool:
    """Whether it is what would be written; what is read from a file has other types (lists for tuples)."""
    try:
        return file.read_text(encoding="utf-8") == session_text(session)
    except (OSError, UnicodeDecodeError):
        return False  # someone else's file: it stays, and another is written beside it


def tree_of(session: SessionFile) -> Branches:
    return Branches(session.branches)


def free_file(folder: Path, name: str, suffix: str, pane: str = "") -> Path:
    """A name that says what it is of and when it was written, and that nothing has yet."""
    stem = locations.file_name(name, "gpttui")
    if pane and not stem.endswith(f"-{pane}"):  # a view of one pane is called like it
        stem = f"{stem}-{pane}"
    return locations.free_path(folder, f"{stem}-{time.strftime('%Y%m%d-%H%M%S')}", suffix)


def short(file: Path) -> str:
    """A path as a person reads it: `~` for their home."""
    try:
        return f"~/{file.relative_to(Path.home())}"
    except ValueError:
        return str(file)
