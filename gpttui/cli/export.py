"""`gpttui export`: a model as a directory that `transformers` opens."""

import json
import shutil
from pathlib import Path

import click

from gpttui.cli.options import model_option, verb
from gpttui.cli.output import note
from gpttui.errors import UserError

CARRIED = ("README.md", "card.json", "history.json")


@verb()
@model_option
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
def command(model: str | None, directory: Path) -> None:
    """Write a model to DIRECTORY (new or empty), as Hugging Face's GPT-2 with float32 weights."""
    from gpttui.model import checkpoint
    from gpttui.model.families import is_gpt2
    from gpttui.storage import gallery
    from gpttui.tokenizers import Tokenizer

    path = gallery.find(model)
    loaded = checkpoint.load(path)
    if not is_gpt2(loaded.config):
        differences = ", ".join(_not_gpt2(loaded.config))
        raise UserError(f"{path.name} has {differences}: GPT-2's format cannot express that, nothing was written")
    if directory.is_dir() and any(directory.iterdir()):
        raise UserError(f"{directory} is not empty; name a new directory")
    checkpoint.save(loaded, directory)
    if (path / "tokenizer.json").exists() or (path / "merges.txt").exists():
        checkpoint.write_atomically(directory / "tokenizer.json", Tokenizer.open(path).to_json())
        about = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": loaded.config.context}
        text = json.dumps(about | {"clean_up_tokenization_spaces": False}, indent=2)
        checkpoint.write_atomically(directory / "tokenizer_config.json", text + "\n")
    for name in CARRIED:
        if (path / name).exists():
            shutil.copyfile(path / name, directory / name)
    note(f"{path.name} written to {directory}: transformers.GPT2LMHeadModel.from_pretrained opens it")


def _not_gpt2(config: object) -> list[str]:
    """What sets a shape apart from GPT-2, in the words of its config."""
    expected = {"norm": "layernorm", "positions": "learned", "qk_norm": False, "bias": True}
    found = [f"{name} {getattr(config, name)}" for name, value in expected.items() if getattr(config, name) != value]
    activation = getattr(config, "activation", "")
    if activation in ("relu2", "swiglu"):
        found.append(f"activation {activation}")
    if getattr(config, "kv_heads", 0) != getattr(config, "n_head", 0):
        found.append("grouped queries")
    if not getattr(config, "mlp_width", 1):
        found.append("no MLPs")
    return found or ["another architecture"]
