"""`gpttui export`: a model as a directory that `transformers` opens."""

import json
from pathlib import Path

import click

from gpttui.cli.options import model_option, verb
from gpttui.cli.output import note
from gpttui.errors import UserError
from gpttui.files import read_text

CARRIED = ("README.md", "card.json", "history.json")


@verb()
@model_option
@click.argument("where", metavar="[MODEL] DIRECTORY", nargs=-1, required=True)
def command(model: str | None, where: tuple[str, ...]) -> None:
    """Write MODEL to DIRECTORY (new or empty) for transformers: as GPT-2, Llama or Qwen3, with float32 weights.

    MODEL is a name, a run or a path, as --model takes it.
    """
    from gpttui.model import checkpoint
    from gpttui.model.families import export_config
    from gpttui.storage import gallery
    from gpttui.storage.gguf import is_gguf
    from gpttui.tokenizers import Tokenizer

    *named, target = where
    if len(named) > 1 or (named and model is not None):
        raise click.UsageError("name one model and one directory: gpttui export MODEL DIRECTORY")
    directory = Path(target)
    if not named and model is None and (is_model := _is_model(target)):
        raise click.UsageError(f"{target} is {is_model}; where to write it? gpttui export {target} DIRECTORY")
    path = gallery.find(named[0] if named else model)
    loaded, name = checkpoint.load(path), gallery.name_of(path)
    family = export_config(loaded.config)
    if not family.CLASS:
        differences = ", ".join(_not_gpt2(loaded.config))
        raise UserError(
            f"{name} has {differences}, which no family of transformers has together: nothing was written. "
            f"A model trained with {_instead(loaded.config)} can be exported"
        )
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise UserError(f"{directory} is {'not empty' if directory.is_dir() else 'a file'}; name a new directory")
    checkpoint.save(loaded, directory, family)
    if is_gguf(path) or (path / "tokenizer.json").exists() or (path / "merges.txt").exists():
        checkpoint.write_atomically(directory / "tokenizer.json", Tokenizer.open(path).to_json())
        about = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": loaded.config.context}
        text = json.dumps(about | {"clean_up_tokenization_spaces": False}, indent=2)
        checkpoint.write_atomically(directory / "tokenizer_config.json", text + "\n")
    for file in CARRIED:
        if (path / file).exists():
            checkpoint.write_atomically(directory / file, read_text(path / file))
    note(f"{name} written to {directory}: transformers.{family.CLASS}.from_pretrained opens it")


def _is_model(target: str) -> str:
    """What `target` is, if a person meant it as the model to write: in words; empty where it is a place to write to."""
    from gpttui.runs import rundir
    from gpttui.storage import gallery

    if rundir.find(target) is not None:
        return "a run"
    return "a model" if gallery.shelved(target) is not None or (Path(target) / "config.json").exists() else ""


def _instead(config: object) -> str:
    """Options of `gpttui train` whose models can be exported."""
    return "--arch gpt2" + ("" if getattr(config, "mlp_width", 1) else " and MLPs (no --mlp-width 0)")


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
