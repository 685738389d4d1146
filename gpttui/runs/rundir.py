"""A run directory: the one bus between whoever trains and whoever looks.

    config.json             TrainConfig, with the format's version
    tokenizer.json
    data/                   the encoded text, memory-mapped
    events.jsonl            append-only, a torn last line is tolerated
    checkpoints/00000500/   a whole model directory, plus the optimiser's state for the newest ones
    latest                  the name of the newest whole checkpoint
    lock                    held (flock) while something trains: the system lets go of it when the process dies

Writing, tailing and listing only; no torch, no screen.
"""

import contextlib
import errno
import fcntl
import io
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from gpttui import locations
from gpttui.errors import UserError, no_such, one_line
from gpttui.files import append_regular, json_object, open_regular, read_bytes, read_text, write_whole
from gpttui.runs.config import FORMAT, TrainConfig
from gpttui.runs.events import Event, decode_event, encode_event

CONFIG, EVENTS, TOKENIZER, LATEST, LOCK, CHECKPOINTS = (
    "config.json", "events.jsonl", "tokenizer.json", "latest", "lock", "checkpoints",
)  # fmt: skip
STATE = "training.json"
"""Present in checkpoints from which a run can go on."""
LONGEST_LINE = 1 << 20
"""No event is longer, in bytes; what has no line end within them is passed over."""
INTACT = "the last checkpoint is intact"


def one_line_os(error: OSError, path: Path) -> str:
    """What the system said, for a person: disk full, read-only, gone."""
    return f"{path}: {error.strerror or one_line(error)}"


def _is_there(path: Path) -> bool:
    """What cannot be looked at counts as there: it is not ours to make or to remove."""
    try:
        return path.exists()
    except OSError as error:
        return error.errno != errno.ENAMETOOLONG


class RunLock(contextlib.AbstractContextManager["RunLock"]):
    """Only one writer to a run; taken when made, released by `close` or by the death of the process."""

    def __init__(self, path: Path) -> None:
        self._path, self._made_parents = path, [parent for parent in path.parents if not _is_there(parent)]
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._handle: IO[bytes] = append_regular(path / LOCK)
        except OSError as error:
            self._take_parents_back()
            raise UserError(f"cannot write to the run directory {one_line_os(error, path)}") from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._handle.close()
            raise UserError(
                f"something is already training in {path}; watch it, or choose another --run-dir"
            ) from error

    def close(self) -> None:
        """Let go; where the run's directory has been taken back, the parents that were made for it go too."""
        self._handle.close()
        self._take_parents_back()

    def _take_parents_back(self) -> None:
        if not _is_there(self._path):
            for parent in self._made_parents:
                with contextlib.suppress(OSError):  # never made, or something else lies there by now
                    parent.rmdir()

    def __exit__(self, *_: object) -> None:
        self.close()


def is_locked(path: Path) -> bool:
    """Whether something is training in run `path` now."""
    try:
        with open_regular(path / LOCK) as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (OSError, UserError):
        return False
    return False


class EventWriter:
    """Appends to `events.jsonl`. A line torn by an earlier crash is cut off first."""

    def __init__(self, path: Path) -> None:
        self.file = path / EVENTS
        try:
            cut_torn_line(self.file)
            self._handle: IO[bytes] = append_regular(self.file)
        except OSError as error:
            raise UserError(f"cannot write {one_line_os(error, self.file)}") from error

    def write(self, event: Event) -> None:
        """One line, handed to the system at once. Raises UserError on a full disk or a vanished directory."""
        try:
            if not self.file.exists():
                raise FileNotFoundError(2, "the run directory has vanished")
            self._handle.write(encode_event(event) + b"\n")
            self._handle.flush()
        except OSError as error:
            left = what_is_left(self.file.parent)
            raise UserError(f"cannot write {one_line_os(error, self.file)}; {left}") from error

    def sync(self) -> None:
        os.fsync(self._handle.fileno())

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._handle.close()


def cut_torn_line(file: Path) -> None:
    """Drop what follows the last newline."""
    if not file.exists():
        return
    open_regular(file).close()
    with file.open("rb+") as handle:
        size = handle.seek(0, io.SEEK_END)
        start = max(0, size - 16 * LONGEST_LINE)
        handle.seek(start)
        newline = handle.read().rfind(b"\n")
        if start and newline < 0:
            raise UserError(f"{file} is damaged: no line end in its last {(size - start) >> 20} MB; take it away")
        handle.truncate(start + newline + 1)


class EventTail:
    """Reads `events.jsonl` from the start and then whatever is appended: call `read` again and again.

    It stands at the end of a line, never inside one: what follows may be cut off and written anew by the next writer.
    """

    def __init__(self, path: Path) -> None:
        self.file = path / EVENTS
        self._offset, self._inode = 0, -1

    def read(self, limit_bytes: int = 1 << 24) -> list[Event]:
        """Events that have arrived since, at most about `limit_bytes` of them; a torn line waits for its end.

        Another file in the place of the one read so far, such as that of a run begun anew, is read from its start.
        """
        try:
            with open_regular(self.file) as handle:
                found = os.fstat(handle.fileno())
                if found.st_ino != self._inode or found.st_size < self._offset:
                    self._offset, self._inode = 0, found.st_ino
                handle.seek(self._offset)
                block = handle.read(limit_bytes)
                if not block.endswith(b"\n"):
                    block += handle.readline(LONGEST_LINE)
        except FileNotFoundError:
            self._offset = 0
            return []
        except OSError as error:
            raise UserError(f"cannot read {one_line_os(error, self.file)}") from error
        whole = block[: block.rfind(b"\n") + 1]
        if not whole and len(block) > 1 << 24:
            raise UserError(f"{self.file} is damaged: it has no line end in {len(block) >> 20} MB; take it away")
        if not whole and len(block) >= LONGEST_LINE:  # no event of ours
            whole = block
        self._offset += len(whole)
        return [event for line in whole.split(b"\n") if line and (event := decode_event(line)) is not None]


def read_events(path: Path) -> Iterator[Event]:
    """All events recorded so far in run `path`, in order of writing."""
    tail = EventTail(path)
    while events := tail.read():
        yield from events


def is_run(path: Path) -> bool:
    try:
        return (path / EVENTS).exists() and (path / CONFIG).exists()
    except (OSError, ValueError):  # no name that a file here can have; an engine elsewhere may send any
        return False


def find(ref: str) -> Path | None:
    """The run that `ref` names: a directory, or a run's name, `runs/NAME` too, where runs go unless told otherwise."""
    home = locations.runs_dir()
    for path in (Path(ref).expanduser(), home / ref, home / ref.removeprefix("runs/")):
        if is_run(path):
            return path.resolve()
    return None


def need(ref: str) -> Path:
    """The run that `ref` names. Raises UserError, with the nearest name or those there are, where there is none."""
    if (found := find(ref)) is not None:
        return found
    names = [path.name for path in kept()]
    here = f"those in your runs folder: {', '.join(names[:8])}" if names else "`gpttui train` starts one"
    raise UserError(f"{ref} is not a run directory; {here}" if "/" in ref else no_such("run", ref, names, here))


def kept() -> list[Path]:
    """The runs where runs go unless told otherwise, the one written last first."""
    return runs_in([locations.runs_dir()])


def runs_in(folders: Iterable[Path]) -> list[Path]:
    """The runs in these folders, the one written last first; what cannot be read is left out."""
    found: list[tuple[float, Path]] = []
    for folder in folders:
        for path in folder.iterdir() if folder.is_dir() else ():
            with contextlib.suppress(OSError):
                if is_run(path):
                    found.append(((path / EVENTS).stat().st_mtime, path))
    return [path for _, path in sorted(found, reverse=True)]


def run_of(path: Path) -> Path | None:
    """The run that directory `path` is, or is a checkpoint of."""
    if is_run(path):
        return path
    above = path.parent.parent
    return above if path.parent.name == CHECKPOINTS and is_run(above) else None


def read_config(path: Path) -> TrainConfig:
    """The config of run `path`. Raises UserError where there is none."""
    try:
        return TrainConfig.from_json(read_bytes(path / CONFIG))
    except FileNotFoundError as error:
        raise UserError(f"{path} is not a run directory: it holds no config.json") from error


def checkpoints(path: Path) -> list[tuple[int, Path]]:
    """(step, directory) of every checkpoint of run `path`, oldest first."""
    folder = path / CHECKPOINTS
    if not folder.is_dir():
        return []
    found = ((step_of(p.name), p) for p in folder.iterdir())
    return sorted((step, p) for step, p in found if step is not None and (p / CONFIG).exists())


def step_of(name: str) -> int | None:
    """The step that a checkpoint's directory is named after; None for any other name."""
    return int(name) if re.fullmatch(r"[0-9]{1,15}", name) else None


def checkpoint_at(path: Path, step: int) -> Path:
    """The checkpoint of `step`. Raises UserError where the run is gone, or keeps none of that step."""
    saved = dict(checkpoints(path))
    if not saved:
        raise UserError(f"there is no run with checkpoints at {path}; has it been moved or deleted?")
    if step not in saved:
        raise UserError(f"{path.name} keeps no checkpoint of step {step:,}; runs thin their older ones out")
    return saved[step]


def latest_checkpoint(path: Path) -> Path | None:
    """The newest checkpoint from which the run can go on; None where there is none.

    Raises UserError where a newer gpttui wrote the run.
    """
    _refuse_newer(path)
    try:
        named = path / CHECKPOINTS / read_text(path / LATEST).strip()
        if step_of(named.name) is not None and (named / STATE).exists():
            return named
    except (OSError, ValueError, UserError):  # not there, or not the name of a checkpoint
        pass
    whole = [p for _, p in checkpoints(path) if (p / STATE).exists()]
    return whole[-1] if whole else None


def _refuse_newer(path: Path) -> None:
    """Only the format is looked at: a run whose config is out of date or damaged still has its models."""
    try:
        raw = json_object(path / CONFIG)
    except UserError:
        return
    version = raw.get("format")
    if isinstance(version, int) and version > FORMAT:
        raise UserError(f"the run {path} was written by a newer gpttui; upgrade gpttui to open it")


def what_is_left(path: Path) -> str:
    """What a run that failed has to go on from, for the end of an error's line."""
    if not path.exists():
        return "the run directory has vanished, and its checkpoints with it"
    left = latest_checkpoint(path)
    return "there is no checkpoint to go on from" if left is None else f"{INTACT} (step {int(left.name):,})"


def publish_checkpoint(path: Path, beside: Path, step: int) -> Path:
    """Give the finished directory `beside` its place as the checkpoint of `step`, and point `latest` at it.

    Files are on disk before the rename, the rename before `latest`: whatever dies when, `latest` names a whole one.
    """
    final = path / CHECKPOINTS / f"{step:08d}"
    for file in beside.iterdir():
        _fsync(file)
    _fsync(beside)
    if final.exists():
        shutil.rmtree(final)
    beside.rename(final)
    _fsync(final.parent)
    _point_at(path, final)
    return final


def _point_at(path: Path, folder: Path) -> None:
    write_whole(path / LATEST, folder.name)
    _fsync(path)


def thin_checkpoints(path: Path, *, keep: int, history: int, optimiser_files: tuple[str, ...]) -> None:
    """Keep the newest `keep` whole and `history` older ones as weights; the most crowded go first."""
    older = checkpoints(path)[:-keep]
    for _, folder in older:
        for name in (STATE, *optimiser_files):  # the state goes first: without it nothing resumes from here
            (folder / name).unlink(missing_ok=True)
    while len(older) > history:
        gaps = [older[i + 1][0] / max(1, older[i - 1][0]) for i in range(1, len(older) - 1)]
        victim = 1 + gaps.index(min(gaps)) if gaps else 0
        shutil.rmtree(older.pop(victim)[1])


def drop_checkpoints_after(path: Path, step: int) -> None:
    """Remove every checkpoint later than `step`, which a rewind or lost weights made void; `latest` goes back."""
    for saved_step, folder in checkpoints(path):
        if saved_step > step:
            shutil.rmtree(folder)
    if (left := latest_checkpoint(path)) is not None:
        _point_at(path, left)


def remove_unstarted(path: Path, *, whole: bool) -> None:
    """Take back what a run that could not start has written; `whole`: the directory too, which it made itself."""
    if is_run(path):
        return
    if whole:
        shutil.rmtree(path, ignore_errors=True)
        return
    shutil.rmtree(path / "data", ignore_errors=True)
    for name in (TOKENIZER, LOCK):
        (path / name).unlink(missing_ok=True)


def sweep_leftovers(path: Path) -> None:
    """Remove checkpoints that a crash left half-written."""
    for leftover in (path / CHECKPOINTS).glob(".*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
