"""The card of a trained model: `card.json` for programs, and the same in words as its `README.md`.

Every figure in the words comes from `card.json`, where training and `gpttui eval-task` put what they measured.
No torch.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from gpttui.corpora.registry import spec_of
from gpttui.files import read_json
from gpttui.runs.config import TrainConfig

CARD, WORDS = "card.json", "README.md"

Card = dict[str, Any]
"""Keys: title, summary, cannot, ends (a text), ends_with (its token ids), data, licence, source (fields of a
TrainConfig: the text and its held-out part), shape, recipe, command, seed, steps, minutes, prompts, prompt,
look_inside, token_view, arch, metric_name, metric_value, `measured`: {metrics: {name: value}, n, seed} where it was
examined, score and vectors (what was found, and the lengths of its vectors, as sentences), and `course`: {metric,
steps, values} where one was measured over the checkpoints of its run."""


TokenId = Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]


class Measured(msgspec.Struct, frozen=True):
    """What an examination found."""

    metrics: dict[str, float] = {}
    n: int | None = None
    seed: int = 0


class Course(msgspec.Struct, frozen=True):
    """One metric over the checkpoints of a run."""

    metric: str
    steps: list[int]
    values: list[float]


class Told(msgspec.Struct, frozen=True):
    """The card by the types of its values; see `Card`."""

    title: str = ""
    summary: str = ""
    cannot: str = ""
    score: str = ""
    vectors: str = ""
    ends: str = ""
    ends_with: tuple[TokenId, ...] | None = None
    data: str = ""
    licence: str = ""
    source: dict[str, Any] | None = None
    shape: str = ""
    recipe: str = ""
    command: str = ""
    seed: int = 0
    steps: int = 0
    minutes: float = 0.0
    prompts: tuple[str, ...] = ()
    prompt: str = ""
    look_inside: str = ""
    token_view: str = "text"
    arch: str = ""
    metric_name: str = ""
    metric_value: float | None = None
    measured: Measured | None = None
    course: Course | None = None


def card_file(model: Path) -> Path:
    """Where the card of a model lies: in its directory, or beside its file."""
    return model / CARD if model.suffix != ".gguf" else model.with_suffix(f".{CARD}")


def told(model: Path) -> Told:
    """What the card of a model says; nothing where it has none. Raises UserError for a damaged one."""
    file = card_file(model)
    return read_json(file, Told) if file.exists() else Told()


def read(model: Path) -> Card:
    """The card in model directory `model`, all that is in it; empty where it has none. Raises UserError as `told`."""
    told(model)
    return read_json(model / CARD, Card) if (model / CARD).exists() else {}


def of_run(config: TrainConfig) -> Card:
    """What a run's config says of its model, be it still in training, a checkpoint, or kept."""
    corpus = spec_of(config.data)
    return {
        "data": corpus.name if corpus is not None else Path(config.data).name,
        "prompt": config.sample_prompt or (corpus.prompt if corpus is not None else ""),
        "ends": corpus.ends if corpus is not None else "\n" * config.documents,
        "token_view": config.token_view or (corpus.token_view if corpus is not None else "text"),
    }


def write(model: Path, card: Card) -> None:
    """Put `card` into model directory `model`, in both forms."""
    (model / CARD).write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (model / WORDS).write_text(in_words(model.name, card), encoding="utf-8")


def with_measures(card: Card, metrics: Mapping[str, float], n: int, seed: int, headline: str) -> Card:
    """The card with what an examination found; metric `headline` is the one that lists show."""
    found = {name: round(value, 4) for name, value in metrics.items()}
    measured = {"metrics": found, "n": n, "seed": seed}
    return card | {"measured": measured, "metric_name": headline.replace("_", " "), "metric_value": found[headline]}


def with_course(card: Card, metric: str, steps: Sequence[int], values: Sequence[float]) -> Card:
    """The card with one metric over the checkpoints of the run that made the model."""
    rounded = [round(value, 4) for value in values]
    return card | {"course": {"metric": metric, "steps": list(steps), "values": rounded}}


def in_words(model_id: str, card: Card) -> str:
    """The card as Markdown."""
    rows = [
        ("name", f"`{model_id}`"),
        ("data", card.get("data")),
        ("shape", card.get("shape")),
        ("ends", ending(card.get("ends", ""))),
        ("training", f"{card['steps']:,} steps, seed {card['seed']}" if "steps" in card else None),
        ("time", f"{card['minutes']} minutes of wall time on a shared two-core machine" if "minutes" in card else None),
        ("command", f"`{card['command']}`" if card.get("command") else None),
    ]
    table = "\n".join(f"| {name} | {value} |" for name, value in rows if value)
    parts = [f"# {card.get('title') or model_id}", card.get("summary", ""), f"| | |\n|---|---|\n{table}"]
    if card.get("cannot"):
        parts.append(f"## What it cannot do\n\n{card['cannot']}")
    parts.append(_measured(model_id, card))
    if card.get("prompts"):
        tries = "\n".join(f"- `{prompt!r}`" if "\n" in prompt else f"- `{prompt}`" for prompt in card["prompts"])
        parts.append(f"## Try\n\n{tries}")
    if card.get("look_inside"):
        parts.append(f"## Look inside\n\n{card['look_inside']}")
    return "\n\n".join(part for part in parts if part) + "\n"


def ending(text: str) -> str:
    """In words where a model ends what it writes; empty where it never does."""
    return {"": "", "\n": "where it draws a new line"}.get(text, f"where it draws {text!r}")


def _measured(model_id: str, card: Card) -> str:
    measured = card.get("measured")
    if not measured:
        return f"## Measured\n\n{card['metric_name']}: {card['metric_value']}" if card.get("metric_name") else ""
    rows = "\n".join(f"| {name.replace('_', ' ')} | {value} |" for name, value in measured["metrics"].items())
    how = (
        f"`gpttui eval-task {model_id}` measures these again, on data that training never saw (seed {measured['seed']}"
    )
    how += f", n {measured['n']})." if measured["n"] else ")."
    said = [card[name] for name in ("score", "vectors") if card.get(name)]
    return "\n\n".join(["## Measured", *said, f"| | |\n|---|---|\n{rows}", how, *_course(card)])


def _course(card: Card) -> list[str]:
    """When a metric from 0 to 1 passed one half for good, measured over checkpoints."""
    course = card.get("course")
    if not course:
        return []
    name, steps, values = course["metric"].replace("_", " "), course["steps"], course["values"]
    below = [n for n, value in enumerate(values) if value <= 0.5]
    passed = below[-1] + 1 if below else 0
    if passed == len(values):
        return []
    before = f"{values[passed - 1]:.2f} at step {steps[passed - 1]}, " if passed else ""
    after = f"{values[passed]:.2f} at step {steps[passed]}, {values[-1]:.2f} at the end"
    return [f"Measured over checkpoints: {name} {before}{after}."]
