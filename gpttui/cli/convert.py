"""`gpttui convert`: a checkpoint that torch.save wrote, as a model that gpttui opens."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gpttui.cli.options import verb
from gpttui.cli.output import note
from gpttui.errors import UserError

if TYPE_CHECKING:
    from gpttui.model.pickled import Found
    from gpttui.tokenizers import Tokenizer

GPT2_SIZES = (50_257, 50_304)
"""GPT-2's vocabulary, and how nanoGPT and nanochat round it up."""


@verb()
@click.argument("checkpoint", metavar="CHECKPOINT", type=click.Path(path_type=Path))
@click.argument("directory", metavar="DIRECTORY", type=click.Path(path_type=Path))
@click.option("--tokenizer", "words", metavar="MODEL|DIR|FILE", help="Where its tokens are from: see below.")
@click.option("--heads", type=click.IntRange(min=1), help="Of each layer, where a minGPT does not say.")
def command(checkpoint: Path, directory: Path, words: str | None, heads: int | None) -> None:
    """Make a model in DIRECTORY (new or empty) of a CHECKPOINT of nanoGPT, minGPT, llama2.c or nanochat.

    A directory from the hub with pytorch_model.bin can be converted too. Numbers are taken out of the pickle, and
    nothing in it is run: a checkpoint that needs more than that is refused.

    The model needs its tokens. --tokenizer names a model that has the same (of GPT-2, say), a directory with
    tokenizer.json, such a file, or, where tokens are characters, the text that the model learned from. Without it, they
    are taken from beside the checkpoint.
    """
    from gpttui.cli.export import need_new, write
    from gpttui.model import checkpoint as models
    from gpttui.model import pickled
    from gpttui.model.dialects import export_config

    if not checkpoint.exists():
        raise UserError(f"there is no file {checkpoint}")
    need_new(directory)
    found = pickled.find(checkpoint, heads)
    config = models.own_head(found.config, found.state)
    model = models.build(config, found.state, checkpoint)
    folder = checkpoint if checkpoint.is_dir() else checkpoint.parent
    tokenizer = _tokenizer(words, folder, found)
    if tokenizer.vocab_size > config.vocab_size:
        raise UserError(
            f"{words or folder} has {tokenizer.vocab_size:,} tokens, the model {config.vocab_size:,}: they do not fit"
        )
    for line in found.remarks:
        note(line)
    write(model, export_config(config), folder, directory, tokenizer)
    note(f"{checkpoint} ({found.program}) written to {directory}: `gpttui --model {directory}` opens it")


def _tokenizer(words: str | None, folder: Path, found: "Found") -> "Tokenizer":
    """What `--tokenizer` names, or what lies beside the checkpoint. Raises UserError that says what to give."""
    from gpttui.files import LARGE, read_text
    from gpttui.storage import gallery
    from gpttui.storage.model_files import kind_of
    from gpttui.tokenizers import Tokenizer, characters_alone

    if words is None:
        if any((folder / name).exists() for name in ("tokenizer.json", "vocab.json")):
            return Tokenizer.open(folder)
        pickled = "meta.pkl is a pickle, and not opened; " if (folder / "meta.pkl").exists() else ""
        raise UserError(f"{pickled}{_wanted(found)}")
    file = Path(words).expanduser()
    if not file.is_file() or kind_of(file) == "gguf":
        return Tokenizer.open(file if file.is_dir() else gallery.find(words))
    if file.suffix == ".json":
        return Tokenizer.from_json(read_text(file, LARGE), str(file))
    if kind_of(file) == "pickle" or file.suffix == ".model":
        raise UserError(f"{file} is not opened as a tokenizer; {_wanted(found)}")
    text = read_text(file, LARGE).replace("\r\n", "\n").replace("\r", "\n")  # as Python's text files are read
    tokenizer, size = characters_alone(text), found.config.vocab_size
    if tokenizer.vocab_size != size:
        raise UserError(
            f"{file} has {tokenizer.vocab_size:,} different characters, the model {size:,} tokens: it learned from"
            " another text, or its tokens are no characters"
        )
    return tokenizer


def _wanted(found: "Found") -> str:
    """Which tokenizer a checkpoint needs, and how to give it."""
    size = found.config.vocab_size
    if found.program in ("nanoGPT", "minGPT") and size not in GPT2_SIZES:
        return f"its {size:,} tokens are characters, if nothing else was chosen: give the text, --tokenizer input.txt"
    whose = {"llama2.c": "of the Llama 2 that it was trained with", "nanochat": "its own"}.get(found.program, "GPT-2's")
    return f"its {size:,} tokens are {whose}: --tokenizer names a model or a directory that has them (tokenizer.json)"
