"""What a model learned from, as its run, its card or its recipe says: where that text, and its held-out part, is found.

For: comparisons with the old text, and searches in it. Not for: reading it (`gpttui.training.text`).
"""

from pathlib import Path

import msgspec

from gpttui import locations
from gpttui.runs import rundir
from gpttui.runs.config import TrainConfig
from gpttui.storage import model_card
from gpttui.training.recipes import RECIPES


def source_of(model: Path) -> TrainConfig | None:
    """The fields of a config that name the text of the model, a run or one of its checkpoints too; None: not known."""
    if (run := rundir.run_of(model)) is not None:
        config = rundir.read_config(run)
        piped = str(run / "data" / "stdin.txt")
        return msgspec.structs.replace(config, data=piped) if config.data == "-" else config
    card = model_card.read(model)
    try:
        if "source" in card:
            return msgspec.convert(card["source"], TrainConfig)
    except msgspec.ValidationError:
        return None
    return RECIPES[card["recipe"]].config if card.get("recipe") in RECIPES else None


def file_of(source: TrainConfig) -> Path:
    """A recipe names a public text, which lies where texts are fetched to."""
    there = locations.texts_dir() / source.data
    return there if there.exists() else Path(source.data).expanduser()
