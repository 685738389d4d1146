"""Finds models and says what they are, from a few kilobytes of each and without loading any.

For: `--model`, `gpttui models`, the gallery screen. A model is a directory: config.json, model.safetensors (one file or
shards), tokenizer.json, and, where gpttui made it, card.json and history.json; or it is a GGUF file. Those of others
have no card and are listed all the same. Not for: the weights themselves (`gpttui.model.checkpoint`). No torch.
"""

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np

import gpttui
from gpttui import locations
from gpttui.errors import UserError, no_such
from gpttui.files import open_regular, read_json, reason
from gpttui.records import LossHistory, ModelCard, frozen
from gpttui.storage import gguf, gguf_models, model_card, model_config, stores, tokenizer_file
from gpttui.storage.gguf import is_gguf
from gpttui.storage.model_files import CONFIG, Header, checksum, header, need_model, need_utf8, weight_files
from gpttui.storage.stores import GGUF, HUB

DEFAULTS = ("tales", "shakespeare")
PIECE_BYTES = 1 << 24
Loss = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]
Step = Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]


def bundled_dir() -> Path:
    """Where the models that come along lie: inside an installed package, beside it in a clone."""
    package = Path(gpttui.__file__).parent
    installed = package / "_models"
    return installed if installed.is_dir() else package.parent / "models"


def shelves() -> dict[str, Path]:
    """The folders that are searched for ids: of two models of one name, a person's own is meant."""
    return {"own": locations.user_models_dir(), "bundled": bundled_dir()}


def directories() -> dict[str, Path]:
    """Id → directory or file of everything on the shelves that looks like a model, bundled ones first, sorted by id."""
    found: dict[str, Path] = {}
    for shelf in reversed(shelves().values()):
        for path in sorted(shelf.iterdir()) if shelf.is_dir() else ():
            if _looks_like_a_model(path):
                found[name_of(path)] = path
    return found


def name_of(path: Path) -> str:
    """What to call the model at `path`, in lists and after `--model`.

    Its directory's or file's; `own:NAME` and `bundled:NAME` where both shelves have one; `RUN@STEP` of a checkpoint; of
    one that another program keeps, the name that this knows it by (`ollama:llama3.2`).
    """
    if (checkpoint_of := _run_of(path)) is not None:
        return f"{checkpoint_of[0].name}@{checkpoint_of[1]}"
    places, name = shelves(), path.name.removesuffix(GGUF)
    if path.parent not in places.values() and (of_a_store := stores.name_of(path)) is not None:
        return of_a_store
    if name != path.name and _looks_like_a_model(path.parent / name):
        return path.name
    for shelf, other in (("own", "bundled"), ("bundled", "own")):
        there = (_looks_like_a_model(places[other] / f"{name}{end}") for end in ("", GGUF))
        if path.parent == places[shelf] and any(there):
            return f"{shelf}:{name}"
    return name


def shelved(name: str) -> Path | None:
    """The model of this name on the shelves, if there is one; a person's own where both have one."""
    found = directories()
    return found.get(name, found.get(f"own:{name}"))


def new_run_dir(stem: str, root: Path | None = None) -> Path:
    """A directory under `root` (where runs go by default) for a new run, under a name that no run and no model has."""
    stem = locations.file_name(stem, "run")
    if _looks_like_a_model(bundled_dir() / stem):
        stem = f"my-{stem}"
    return locations.free_path(locations.runs_dir() if root is None else root, stem, taken=_shelved_names())


def _shelved_names() -> set[str]:
    return {name.rpartition(":")[2] for name in directories()}


def run_name(run: Path) -> str:
    """How to name a run in a command: its path, or less where it lies in the runs folder."""
    if run.parent.resolve() != locations.runs_dir().resolve():
        return str(run)
    return f"runs/{run.name}" if run.name in _shelved_names() else run.name


def _looks_like_a_model(path: Path) -> bool:
    try:
        return (path / CONFIG).exists() or (path.suffix == GGUF and path.is_file())
    except OSError:  # not ours to read: its card will say so
        return True


def default_model() -> Path:
    """The model to open when none is named. Raises UserError where there is none at all."""
    for name in DEFAULTS:
        if (path := shelved(name)) is not None:
            return path
    found = directories()
    if not found:
        own = locations.user_models_dir()
        raise UserError(f"no model is here; put one under {own} or name a directory or GGUF file: --model PATH")
    return next(iter(found.values()))


def find(ref: str | None) -> Path:
    """Where model `ref` lies: an id on the shelves, a path, a run, a GGUF file, hub:OWNER/NAME (fetched once).

    None: the default. A run, named by its path or as `gpttui runs` lists it, stands for its newest checkpoint, RUN@STEP
    for that of a step; ollama:NAME and lmstudio:NAME for what these programs keep. Raises UserError, with the nearest
    name where one is near, if there is no such model, and for files, above all pickles, that are none: the check of
    every verb and view.
    """
    return need_model(_found(ref))


def _found(ref: str | None) -> Path:
    if not ref:
        return default_model()
    if stores.is_a_name(ref):
        if (held := stores.find(ref)) is not None:
            return held
        from gpttui.storage import hub  # not before the first paint

        return hub.into_cache(ref.removeprefix(HUB))
    if (on_shelf := shelved(ref)) is not None:
        return on_shelf
    path = Path(ref).expanduser()
    try:
        if (path / CONFIG).exists() and not (path / "events.jsonl").exists():
            return path.resolve()
        if (saved := _of_a_run(ref)) is not None:
            return saved
        if path.exists():  # a GGUF file is called by its own name, not by that of the blob it may link to
            return path.absolute() if is_gguf(path) else path.resolve()
    except (OSError, ValueError) as error:
        raise UserError(f"no model can be called {ref[:60]!r}: {reason(error)}") from error
    if "/" in ref or "\\" in ref:
        raise UserError(f"no model at {ref}; give a directory with config.json and model.safetensors, or a GGUF file")
    from gpttui.runs import rundir
    from gpttui.storage import getting

    if ref in getting.table():
        raise UserError(f"{ref} is not on this machine yet; `gpttui get {ref}` fetches it")
    known = [*directories(), *(run.name for run in rundir.kept()), *getting.table()]
    raise UserError(no_such("model", ref, known, "`gpttui models` and `gpttui runs` list those that are here"))


def _of_a_run(ref: str) -> Path | None:
    """The checkpoint that RUN or RUN@STEP stands for; None where there is no such run."""
    from gpttui.runs import rundir  # not before the first paint

    if (run := rundir.find(ref)) is not None:
        if (newest := rundir.latest_checkpoint(run)) is None:
            raise UserError(f"the run {ref} has saved no checkpoint yet; wait for its first, or train it further")
        return newest
    name, _, step = ref.rpartition("@")
    if name and step.isdecimal() and (run := rundir.find(name)) is not None:
        return rundir.checkpoint_at(run, int(step))
    return None


def _run_of(path: Path) -> tuple[Path, int] | None:
    """The run and step that directory `path` is a checkpoint of, if it is one."""
    from gpttui.runs.rundir import step_of  # not before the first paint

    step = step_of(path.name)
    return None if path.parent.name != "checkpoints" or step is None else (path.parent.parent, step)


def cards() -> tuple[list[ModelCard], list[str]]:
    """The cards of everything on the shelves, and one line for each directory that cannot be read as a model."""
    found, broken = [], []
    for path in directories().values():
        try:
            found.append(card(path))
        except UserError as error:
            broken.append(str(error))
    return found, broken


def run_cards() -> list[ModelCard]:
    """The newest checkpoints of the runs that are kept where runs go by default, the run written last first."""
    from gpttui.runs import rundir

    found = []
    for run in rundir.kept():
        with contextlib.suppress(UserError, OSError):
            if (newest := rundir.latest_checkpoint(run)) is not None:
                found.append(card(newest))
    return found


def card(path: Path, config: model_config.Config | None = None) -> ModelCard:
    """What directory or GGUF file `path` says about its model. Raises UserError where it is no model's.

    `config` is what its config.json says, where that has been read.
    """
    need_utf8(path, "model")
    config = model_config.of_model(path) if config is None else config
    about, (params, files, packing) = told(path), _weights(path, config)
    try:
        return ModelCard(
            id=name_of(path),
            path=str(path),
            params=params,
            n_layer=config.n_layer,
            n_head=config.n_head,
            d_model=config.d_model,
            vocab_size=config.vocab_size,
            context=config.context,
            tokenizer=tokenizer_file.kind(path, config.vocab_size),
            size_bytes=sum(file.stat().st_size for file in files),
            packing=packing,
            data=about.data,
            licence=about.licence,
            metric_name=about.metric_name,
            metric_value=about.metric_value,
            summary=about.summary,
            prompts=about.prompts,
            arch=config.arch,
            token_view=about.token_view,
            prompt=about.prompt,
            measured=tuple(about.measured.metrics.items()) if about.measured is not None else (),
            look_inside=about.look_inside,
            title=about.title,
            cannot=about.cannot,
            score=about.score,
            vectors=about.vectors,
            ends=about.ends,
        )
    except OSError as error:
        raise UserError(f"{path} cannot be described: {reason(error)}") from error


def _weights(path: Path, config: model_config.Config) -> tuple[int, list[Path], str]:
    """How many numbers they are, the files that hold them, and how they are packed there."""
    if is_gguf(path):
        file = gguf.read(path)
        sizes = [math.prod(tensor.shape) for tensor in gguf_models.tensors(file, config).values()]
        return sum(sizes), [path], gguf_models.packing_in_words(file)
    files = weight_files(path)
    return sum(_count_params(header(file), config) for file in files), files, ""


def as_listed(model: ModelCard | stores.Held) -> dict[str, Any]:
    """One entry of `gpttui models --json`; null is what a glimpse does not tell."""
    names = ("id title path params n_layer n_head d_model vocab_size context tokenizer data cannot ends").split()
    metric = {"name": getattr(model, "metric_name", ""), "value": getattr(model, "metric_value", None)}
    found = {name: getattr(model, name, None) for name in names}
    return found | {"path": str(model.path), "metric": metric, "size_bytes": model.size_bytes}


def told(path: Path) -> model_card.Told:
    """What is told of the model of directory `path`: its card; of a run's checkpoint, what the run's config says."""
    if model_card.card_file(path).exists() or (checkpoint_of := _run_of(path)) is None:
        return model_card.told(path)
    from gpttui.runs import rundir

    try:
        return msgspec.convert(model_card.of_run(rundir.read_config(checkpoint_of[0])), model_card.Told)
    except UserError:  # a model all the same
        return model_card.Told()


def history(path: Path) -> LossHistory | None:
    """The training run that made the model: its history.json, or for a checkpoint its run's own events; else None."""
    file = path / "history.json"
    checkpoint_of = _run_of(path)
    if file.exists():
        recorded = read_json(file, RecordedLosses)
    elif checkpoint_of is not None:
        from gpttui.runs.history import loss_history

        run, step = checkpoint_of
        recorded = RecordedLosses(**loss_history(run, run.name, step))
    else:
        return None
    names = ("steps", "losses_nats", "val_steps", "val_losses_nats")
    arrays = [frozen(np.asarray(getattr(recorded, name), dtype=np.float64)) for name in names]
    steps, losses, val_steps, val_losses = arrays
    if len(steps) != len(losses) or len(val_steps) != len(val_losses):
        raise UserError(f"{file} is no loss history: steps and losses differ in number")
    return LossHistory(
        steps,
        losses,
        val_steps,
        val_losses,
        title=recorded.title,
        prompt_counts=recorded.prompt_counts,
        baselines=recorded.baselines,
    )


class RecordedLosses(msgspec.Struct, frozen=True):
    """What a history.json holds."""

    title: str = ""
    steps: list[Step] = []
    losses_nats: list[Loss] = []
    val_steps: list[Step] = []
    val_losses_nats: list[Loss] = []
    prompt_counts: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    baselines: tuple[tuple[str, Annotated[float, msgspec.Meta(ge=0)]], ...] = ()
    stages: int = 1


def verify(path: Path) -> str:
    """Reads all weights of directory `path` and compares their CRC-32 with the one they carry.

    Returns "ok", or "no checksum" for files that gpttui did not write. Raises UserError where they differ.
    """
    if is_gguf(path):
        return "no checksum"
    answer = "ok"
    for file in weight_files(path):
        head = header(file)
        if head.crc32 is None:
            answer = "no checksum"
        elif checksum(_contents(file, head)) != head.crc32:
            raise UserError(f"{file} is damaged: its checksum does not match; copy or download it again")
    return answer


def _contents(file: Path, head: Header) -> Iterator[bytes]:
    """The bytes of every tensor, in the order of their names, a piece at a time."""
    with open_regular(file) as handle:
        for _, tensor in sorted(head.tensors.items()):
            begin, end = tensor.data_offsets
            handle.seek(head.start + begin)
            for at in range(begin, end, PIECE_BYTES):
                yield handle.read(min(PIECE_BYTES, end - at))


def _count_params(head: Header, config: model_config.Config) -> int:
    """Numbers that count: no causal masks that old exports carry along, no second copy of a tied head."""
    names = config.renamed(head.tensors)
    counted = (name for name in names if config.counts(name) and not (config.tied and name.startswith("lm_head.")))
    return sum(math.prod(head.tensors[names[name]].shape) for name in counted)
