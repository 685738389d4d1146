"""The tokens with which a model ends its text, as its card or its files name them. No torch.

What was trained here says so in its card; of a run's checkpoint it follows from what the run learns from.
generation_config.json goes before config.json, as in `transformers`. A GGUF file names the end of a text, of a turn and
of a message by keys; files of older converters leave the end of a turn out, and it is known by its name, as llama.cpp
does.
"""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from gpttui.files import read_json
from gpttui.storage import gallery, gguf
from gpttui.storage.gguf import GGUF, is_gguf
from gpttui.storage.gguf_tokenizer import CONTROL
from gpttui.storage.model_files import CONFIG
from gpttui.tokenizers import Tokenizer

TokenId = Annotated[int, Meta(ge=-1, lt=1 << 53)]
ENDS_OF_TURNS = frozenset(
    ("<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|eom_id|>", "<|endoftext|>", "<|end_of_text|>")
)


class _Ends(msgspec.Struct):
    eos_token_id: TokenId | list[TokenId] | None = None
    text_config: "_Ends | None" = None


def end_tokens(path: Path) -> frozenset[int]:
    """Their ids, for the model in directory or GGUF file `path`; empty where it names none.

    Raises UserError, one line, where a file says them in a way that cannot be.
    """
    card = gallery.told(path)
    if card.ends_with is not None:
        return frozenset(card.ends_with)
    if card.ends:
        ids = Tokenizer.open(path).encode(card.ends)
        return frozenset(ids if len(ids) == 1 else ())
    if is_gguf(path):
        return _of_gguf(gguf.read(path))
    for name in ("generation_config.json", CONFIG):
        if not (path / name).exists():
            continue
        told = read_json(path / name, _Ends)
        found = told.eos_token_id if told.text_config is None else told.eos_token_id or told.text_config.eos_token_id
        if found is not None:
            return frozenset(found if isinstance(found, list) else [found])
    return frozenset()


def _of_gguf(file: GGUF) -> frozenset[int]:
    keys = (f"tokenizer.ggml.{name}_token_id" for name in ("eos", "eot", "eom"))
    told = {file.whole(key) for key in keys if key in file.values}
    kinds = file.numbers("tokenizer.ggml.token_type") == CONTROL
    if not kinds.any() or not told:
        return frozenset(told)
    named = zip(file.texts("tokenizer.ggml.tokens"), kinds, strict=False)
    return frozenset(told | {n for n, (name, control) in enumerate(named) if control and name in ENDS_OF_TURNS})
