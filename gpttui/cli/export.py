"""`gpttui export`: a model as a directory that `transformers` opens."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gpttui.cli.options import model_option, verb
from gpttui.cli.output import loading, note
from gpttui.errors import UserError
from gpttui.files import read_text, write_whole

if TYPE_CHECKING:
    from gpttui.model.gpt import GPT
    from gpttui.storage.families.family import Family
    from gpttui.tokenizers import Tokenizer

CARRIED = ("README.md", "card.json", "history.json", "generation_config.json", "chat_template.jinja")
SPECIAL = ("chat_template", "bos_token", "eos_token", "pad_token", "unk_token")
"""What tokenizer_config.json says of a text's ends and of conversations."""


@verb()
@model_option
@click.argument("where", metavar="[MODEL] DIRECTORY", nargs=-1, required=True)
def command(model: str | None, where: tuple[str, ...]) -> None:
    """Write MODEL to DIRECTORY (new or empty) for transformers: as the family that it is of, in float32.

    A model trained here is a GPT-2 (--arch gpt2), a Llama (llama), a Qwen3 (modern, without --qk-gain) or, with
    --norm-place both and --embed-scale besides, a Gemma 3.

    MODEL is a name, a run or a path, as --model takes it.
    """
    from gpttui.model import checkpoint
    from gpttui.model.dialects import export_config, lacking, respelled
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
    loaded, name = checkpoint.load(path, tell=note, progress=loading()), gallery.name_of(path)
    family = export_config(loaded.config)
    told: tuple[str, ...] = ()
    if not family.CLASS:
        loaded, told = respelled(loaded)
        family = export_config(loaded.config)
    if not family.CLASS:
        nearest = lacking(loaded.config)
        level = any(what.startswith(("norm_place", "embed_scale")) for what in nearest.lacks)
        without = " without --norm-place and --embed-scale" if level else ""
        raise UserError(
            f"{name} has {', '.join(nearest.lacks)}, which no family of transformers has beside the rest (nearest: "
            f"{nearest.config.CLASS}): nothing was written. A model trained with --arch gpt2 or llama{without} can be "
            "exported"
        )
    need_new(directory)
    has_words = is_gguf(path) or (path / "tokenizer.json").exists() or (path / "merges.txt").exists()
    write(loaded, family, path, directory, Tokenizer.open(path) if has_words else None)
    for what in told:
        note(f"written, with the same result: {what}")
    note(f"{name} written to {directory}: transformers.{family.CLASS}.from_pretrained opens it")


def need_new(directory: Path) -> None:
    """Raises UserError where something is there that would be written over."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise UserError(f"{directory} is {'not empty' if directory.is_dir() else 'a file'}; name a new directory")


def write(model: "GPT", family: "Family", source: Path, directory: Path, tokenizer: "Tokenizer | None") -> None:
    """A model as `family`, its tokenizer, and what directory `source` has beside them of use to other programs."""
    from gpttui.model import checkpoint
    from gpttui.storage.families.family import SPECIAL_IDS
    from gpttui.storage.model_files import CONFIG

    checkpoint.save(model, directory, family)
    told_ids = _said(source / CONFIG, SPECIAL_IDS)
    write_whole(directory / CONFIG, json.dumps(family.written() | told_ids, indent=2) + "\n")
    if tokenizer is not None:
        write_whole(directory / "tokenizer.json", tokenizer.to_json())
        about = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": model.config.context}
        said = _said(source / "tokenizer_config.json", SPECIAL)
        text = json.dumps(about | {"clean_up_tokenization_spaces": False} | said, indent=2)
        write_whole(directory / "tokenizer_config.json", text + "\n")
    for file in CARRIED:
        if (source / file).exists():
            write_whole(directory / file, read_text(source / file))


def _said(file: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """Of the model's own file what is carried over; nothing where there is no such file."""
    from gpttui.files import json_object

    raw = json_object(file) if file.is_file() else {}
    return {name: raw[name] for name in names if raw.get(name) is not None}


def _is_model(target: str) -> str:
    """What `target` is, if a person meant it as the model to write: in words; empty where it is a place to write to."""
    from gpttui.runs import rundir
    from gpttui.storage import gallery

    if rundir.find(target) is not None:
        return "a run"
    return "a model" if gallery.shelved(target) is not None or (Path(target) / "config.json").exists() else ""
