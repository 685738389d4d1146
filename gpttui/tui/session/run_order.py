"""A training run as a person is about to order it: the form's fields, four presets, and the config they make.

For: the training form. Pure: what a run costs is measured by the engine (`Measured`), what follows from that for the
number of steps is computed here. Not for: drawing.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gpttui.corpora import datasets, json_lines
from gpttui.corpora.registry import CORPORA, PREFIX, spec_of
from gpttui.errors import UserError
from gpttui.protocol.train import Measured
from gpttui.records import ModelCard
from gpttui.runs.config import FINE_TUNING, TrainConfig, changed
from gpttui.storage import gallery
from gpttui.tui.widgets.train_form import Field

NOTHING = "random weights"
SUITED = "automatic"
OWN = "your own"
LOOKS = 40
"""Samples and checkpoints of a run, at most; half as many evaluations."""
FEWEST_LOOKS = 6
EVALUATING, SAMPLING, SAVING = 0.08, 0.06, 0.06
"""Shares of the time that may go into evaluations, samples and checkpoints."""
SAVED_BYTES_PER_S = 2e8
SAVING_S = 0.03
"""What a checkpoint takes beside its bytes."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A shape that is worth training for so long."""

    name: str
    seconds: float
    values: dict[str, str] = field(default_factory=dict)

    @property
    def minutes(self) -> str:
        return f"{self.seconds / 60:g}"


_QUICK = {"arch": "modern", "optimizer": "muon", "lr": "0.003"}
MATRIX_LR = 0.02
"""Muon's rate beside the presets' rate; another one takes it along."""
PRESETS = (
    Preset("seconds", 12, _QUICK | {"layers": "2", "heads": "2", "width": "64", "context": "32", "batch": "16"}),
    Preset("a minute", 60, _QUICK | {"layers": "4", "heads": "4", "width": "128", "context": "64", "batch": "12"}),
    Preset("ten minutes", 600, _QUICK | {"layers": "4", "heads": "4", "width": "128", "context": "128", "batch": "16"}),
    Preset("an hour", 3600, _QUICK | {"layers": "6", "heads": "6", "width": "192", "context": "256", "batch": "16"}),
)
DEFAULT_PRESET = PRESETS[1]
DOCUMENTS = {"seconds": 4_000, "a minute": 20_000, "ten minutes": 60_000}
"""How much of a generated corpus is drawn; more for longer runs."""
MOST_DOCUMENTS = 100_000


HIDDEN, SHOWN = "hidden", "shown"
MORE = (
    Field("sample_prompt", "sample prompt", "text", (), "empty: the open text, or the corpus's own"),
    Field("seed", "seed", "number", tuple("1337 1 2 3".split()), "of weights, batches, samples"),
    Field("dropout", "dropout", "number", tuple("0 0.1 0.2 0.3".split()), "0: none"),
    Field("schedule", "schedule", "choice", (SUITED, "cosine", "linear", "constant"), "how the learning rate falls"),
    Field("warmup", "warm-up", "number", (SUITED, *"0 10 30 100".split()), "steps to the highest rate"),
    Field("weight_decay", "weight decay", "number", tuple("0 0.01 0.1".split()), "AdamW's, of matrices"),
    Field("grad_clip", "clip gradients", "number", tuple("0 0.5 1".split()), "to this length; 0: never"),
    Field("accumulation", "accumulation", "number", tuple("1 2 4 8".split()), "batches of one step"),
    Field("val_fraction", "held out", "number", tuple("0.05 0.1 0.2".split()), "share of the text"),
    Field("precision", "precision", "choice", ("auto", "bf16", "fp32"), "of matrix products"),
)
"""What most runs leave as it is."""
MORE_DEFAULTS = {
    "sample_prompt": "", "seed": "1337", "dropout": "0", "schedule": SUITED, "warmup": SUITED, "weight_decay": "0.1",
    "grad_clip": "1", "accumulation": "1", "val_fraction": "0.1", "precision": "auto",
}  # fmt: skip


def texts() -> dict[str, str]:
    """Name → `data` of every text that is here: generated, on this machine, or fetched."""
    found = {}
    for entry in datasets.listing():
        if entry.here:
            found[entry.name] = entry.path if entry.kind == "public" and entry.path else PREFIX + entry.name
    return found


def initial(text: str) -> dict[str, str]:
    """The form's values when it opens on `text`: a file, or one of `texts()` by name; empty: the first of those."""
    text = text or next(iter(texts()), "")
    values = {
        "preset": DEFAULT_PRESET.name, "text": text, "text_field": "", "start": NOTHING, "tokenizer": SUITED,
        "steps": "1000", "minutes": DEFAULT_PRESET.minutes, "target": "0", "more": HIDDEN,
    }  # fmt: skip
    return with_field(values | DEFAULT_PRESET.values | MORE_DEFAULTS)


def values_of(config: TrainConfig, base: ModelCard | None) -> dict[str, str]:
    """The form as it would order the run `config` again, with the open model `base`."""
    named = {data: name for name, data in texts().items()}
    values = initial(named.get(config.data, config.data)) | {"preset": OWN, "target": _plain(config.target_loss)}
    for name in ("text_field", "tokenizer", "minutes", "steps", *DEFAULT_PRESET.values, *MORE_DEFAULTS):
        values[name] = _plain(getattr(config, name))
    return values | {"start": base.id if base is not None and config.init == base.path else NOTHING}


def with_base(values: dict[str, str], base: ModelCard | None) -> dict[str, str]:
    """Values that were given while another model may have been open, which they may have started from."""
    if values["start"] in (NOTHING, "" if base is None else base.id):
        return values
    return values | {"start": NOTHING}


def with_field(values: dict[str, str]) -> dict[str, str]:
    """Of JSON lines the likeliest field; of another text none."""
    found = json_lines.text_fields(Path(values["text"].strip()).expanduser())
    return values | {"text_field": next(iter(found), "")}


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def fields(values: dict[str, str], base: ModelCard | None) -> tuple[Field, ...]:
    """The form's rows as they are for these values."""
    tuned = values["start"] != NOTHING
    fixed = "same as the starting model" if tuned else ""
    starts = (NOTHING,) if base is None else (NOTHING, base.id)
    offered = json_lines.text_fields(Path(values["text"].strip()).expanduser())
    of_json = (Field("text_field", "text field", "choice", (*offered, ""), "of the JSON lines; empty: as they stand"),)
    given = [field.label for field in MORE if values[field.name] != MORE_DEFAULTS[field.name]]
    more = Field("more", "more settings", "choice", (HIDDEN, SHOWN), ", ".join(given) or "seed, dropout, schedule …")
    about = "" if values["minutes"] in ("", "0") else "about: the time counts"
    kinds = (SUITED, "char", "word", "bpe:512", "bpe:1024", "bpe:2048", "bpe:4096")
    return (
        Field("preset", "how long", "choice", (*(preset.name for preset in PRESETS), OWN), "on this machine"),
        Field("text", "text", "path", tuple(texts()), "your file, or ←→"),
        *(of_json if offered else ()),
        Field("start", "start from", "choice", starts, "or fine-tune a model"),
        Field("tokenizer", "tokenizer", "choice", kinds, fixed or "learned from the text", locked=tuned),
        Field("arch", "architecture", "choice", ("modern", "llama", "gpt2"), fixed, locked=tuned),
        Field("layers", "layers", "number", tuple("1 2 3 4 6 8 12".split()), fixed, locked=tuned),
        Field("heads", "heads", "number", tuple("1 2 3 4 6 8 12".split()), fixed or "must divide width", locked=tuned),
        Field("width", "width", "number", tuple("16 32 48 64 96 128 192 256 384 512".split()), fixed, locked=tuned),
        Field("context", "context", "number", tuple("16 32 64 128 256 512 1024".split()), "tokens a pass sees"),
        Field("batch", "batch", "number", tuple("4 8 12 16 32 64 128".split()), "rows of a step"),
        Field("optimizer", "optimizer", "choice", ("muon", "adamw"), ""),
        Field("lr", "learning rate", "number", tuple("0.0001 0.0003 0.001 0.003 0.01".split()), "highest value"),
        Field("steps", "steps", "number", tuple("100 300 1000 2000 5000 10000".split()), about),
        Field("minutes", "train for", "number", tuple("0 1 5 10 30 60".split()), "minutes; 0: by steps"),
        Field("target", "stop at loss", "number", tuple("0 2 1.8 1.6 1.5".split()), "validation; 0: never"),
        more,
        *(MORE if values["more"] == SHOWN else ()),
    )


def with_preset(values: dict[str, str], name: str) -> dict[str, str]:
    """The shape of a preset, or the same values where a person goes his own way."""
    chosen = next((preset for preset in PRESETS if preset.name == name), None)
    if chosen is None:
        return values | {"preset": name}
    shape = chosen.values if values["start"] == NOTHING else {"batch": chosen.values["batch"]}
    return fitted(values | shape | {"preset": name, "minutes": chosen.minutes})


def with_length(values: dict[str, str], measured: Measured | None) -> dict[str, str]:
    """A run is as long as its minutes, from which its steps follow, or else as its steps."""
    try:
        seconds = 60 * number("train for", values["minutes"])
    except UserError:
        return values
    return values | {"steps": str(steps_for(seconds, measured))} if measured is not None and seconds > 0 else values


def with_start(values: dict[str, str], base: ModelCard | None) -> dict[str, str]:
    """Another start: of a model, its shape and a gentler learning rate; of none, the preset's."""
    if base is None or values["start"] == NOTHING:
        return with_preset(values | {"start": NOTHING, "lr": _QUICK["lr"]}, values["preset"])
    shape = {"layers": str(base.n_layer), "heads": str(base.n_head), "width": str(base.d_model), "arch": base.arch}
    context = min(base.context, int(values["context"]) if values["context"].isdecimal() else base.context)
    gentle = {"optimizer": "adamw", "lr": f"{FINE_TUNING['lr']:g}"}
    return values | shape | gentle | {"context": str(max(context, min(base.context, 64)))}


def fitted(values: dict[str, str]) -> dict[str, str]:
    """A context that suits a corpus of problems."""
    spec = CORPORA.get(values["text"])
    return values | {"context": str(spec.row_tokens), "batch": "32"} if spec and spec.row_tokens else values


def config_of(values: dict[str, str], base: ModelCard | None, prompt: str = "") -> TrainConfig:
    """The run that the form describes. Raises UserError, in one line, for what it cannot be."""
    text = values["text"].strip()
    if not text:
        raise UserError("choose a text: type the path of a file, or ←→ on that line for one that is here")
    data = texts().get(text, text)
    spec = spec_of(data)
    steps, lr = whole("steps", values["steps"]), number("learning rate", values["lr"])
    often = max(1, steps // LOOKS)
    given: dict[str, Any] = {
        "data": data,
        "arch": values["arch"],
        "tokenizer": "char" if values["tokenizer"] == SUITED else values["tokenizer"],
        **{name: whole(name, values[name]) for name in ("layers", "heads", "width", "context", "batch")},
        "optimizer": values["optimizer"],
        "text_field": values["text_field"],
        "schedule": "linear" if values["optimizer"] == "muon" else "cosine",
        "lr": lr,
        "matrix_lr": MATRIX_LR * lr / float(_QUICK["lr"]),
        "steps": steps,
        "warmup": min(100, max(1, steps // 20)),
        "minutes": number("train for", values["minutes"]),
        "target_loss": number("stop at loss", values["target"]),
        "eval_every": 2 * often,
        "sample_every": often,
        "sample_tokens": 120,
        "sample_prompt": prompt if spec is None else spec.prompt,
        "checkpoint_every": often,
        "history": LOOKS,
        "eval_tokens": 16_384,
    }
    if spec is not None:
        given["corpus_documents"] = DOCUMENTS.get(values["preset"], MOST_DOCUMENTS)
    if spec is not None and spec.row_tokens:
        given |= {"documents": True, "answer_after": spec.answer_after, "tied": False}
        given |= {"prompt_weight": 0.1} if spec.answer_after else {}
    given |= _more(values)
    if values["start"] != NOTHING and base is not None:
        given["init"] = base.path
        del given["arch"]  # it is the base's, whose shape the run has
    return changed(TrainConfig(data=data), **given)


def _more(values: dict[str, str]) -> dict[str, Any]:
    """Of the further settings those that are not left to the form."""
    labels = {field.name: field.label for field in MORE}
    given: dict[str, Any] = {"precision": values["precision"]}
    for name in ("seed", "accumulation", "warmup"):
        if values[name] != SUITED:
            given[name] = whole(labels[name], values[name])
    for name in ("dropout", "weight_decay", "grad_clip", "val_fraction"):
        given[name] = number(labels[name], values[name])
    given |= {name: values[name] for name in ("schedule",) if values[name] != SUITED}
    return given | ({"sample_prompt": values["sample_prompt"]} if values["sample_prompt"] else {})


def whole(name: str, text: str) -> int:
    try:
        return int(text.replace(",", "").replace("_", ""))
    except ValueError as error:
        raise UserError(f"{name} must be a whole number, not {text!r}") from error


def number(name: str, text: str) -> float:
    try:
        return float(text.replace(",", ".") or 0)
    except ValueError as error:
        raise UserError(f"{name} must be a number, not {text!r}") from error


# ── What it costs ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Cost:
    """The run in time, from the engine's measurement."""

    seconds: float
    step_s: float


def cost(config: TrainConfig, measured: Measured) -> Cost:
    """Steps, evaluations and samples; checkpoints are small beside them."""
    evals = config.steps // max(1, config.eval_every) + 1 if config.eval_every else 1
    samples = config.steps // config.sample_every if config.sample_every else 0
    saves = config.steps // config.checkpoint_every if config.checkpoint_every else 0
    evaluating_s = evals * config.eval_tokens * measured.token_s
    looking_s = samples * sample_s(config, measured) + saves * save_s(measured)
    seconds = 60 * config.minutes or config.steps * measured.step_s + evaluating_s + looking_s
    return Cost(seconds, measured.step_s)


def every(steps: int, times: float) -> int:
    """Steps between so many looks, few and many both within bounds."""
    return max(1, steps // max(FEWEST_LOOKS, min(LOOKS, int(times))))


def sample_s(config: TrainConfig, measured: Measured) -> float:
    return max(1e-6, config.sample_tokens * measured.draw_s)


def save_s(measured: Measured) -> float:
    """Weights, two moments of each, and what the disk takes to be sure of them."""
    return SAVING_S + 12 * measured.params / SAVED_BYTES_PER_S


def steps_for(seconds: float, measured: Measured) -> int:
    """How many steps this machine does in so long, evaluations left out; a round number."""
    steps = seconds * (1 - EVALUATING - SAMPLING - SAVING) / max(1e-6, measured.step_s)
    size = float(10 ** max(0, len(str(int(steps))) - 2))
    return max(20, int(int(steps / size) * size))


def tempered(config: TrainConfig, measured: Measured) -> TrainConfig:
    """As many samples and checkpoints, and as long evaluations, as their shares of the time allow."""
    training_s = config.steps * measured.step_s
    sample_every = every(config.steps, SAMPLING * training_s / sample_s(config, measured))
    save_every = every(config.steps, SAVING * training_s / save_s(measured))
    config = changed(config, sample_every=sample_every, checkpoint_every=save_every, eval_every=2 * save_every)
    evals = config.steps // config.eval_every + 1
    room_s = EVALUATING * training_s / evals
    tokens = int(room_s / max(1e-9, measured.token_s))
    return changed(config, eval_tokens=max(2048, min(81_920, tokens // 1024 * 1024)))


def run_path(values: dict[str, str], root: Path) -> Path:
    """A directory under `root` that is not there yet, named by the text."""
    return gallery.new_run_dir(Path(values["text"].strip()).stem, root)
