"""The families by the `model_type` of a config.json: a file in this folder each, found by its class's name for it.

A family is added by adding its file. What is known and not computed is refused in the words of `REFUSED`.
"""

import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path

from gpttui.storage.families.family import Family, Shape

FOLDER = Path(__file__).parent
SHARED = {"family", "ops", "registry"}
FILE_OF = {"gpttui": "own"}
"""Where the file is not called as the model type."""
INSIDE = {"gemma3": "gemma3_text"}
"""Model types whose language model is described in `text_config`."""

REFUSED = {
    **dict.fromkeys(("mixtral", "qwen2_moe", "qwen3_moe", "olmoe", "deepseek_v2", "deepseek_v3", "dbrx", "phimoe",
                     "granitemoe", "jamba", "llama4", "llama4_text"), "a mixture of experts"),
    **dict.fromkeys(("bloom", "mpt", "falcon"), "ALiBi positions or Falcon's blocks"),
    **dict.fromkeys(("mamba", "mamba2", "falcon_mamba", "rwkv", "recurrent_gemma", "rwkv7", "bamba", "zamba", "zamba2",
                     "lfm2", "qwen3_next", "nemotron_h"), "recurrent or convolutional layers"),
    **dict.fromkeys(("gemma3n", "gemma3n_text", "gemma4", "gemma4_text"), "embeddings for each layer"),
    **dict.fromkeys(("gpt_oss",), "a mixture of experts and attention sinks"),
    **dict.fromkeys(("gemma", "gemma2"), "soft-capped scores or logits"),
    **dict.fromkeys(("phi", "phi3", "gptj", "codegen", "stablelm", "persimmon", "cohere", "cohere2"),
                    "blocks of a kind that is not written yet"),
    **dict.fromkeys(("t5", "bart", "mt5", "mbart", "whisper", "marian", "pegasus", "led"), "an encoder"),
    **dict.fromkeys(("bert", "roberta", "distilbert", "albert", "electra", "deberta", "deberta-v2", "modernbert",
                     "xlm-roberta"), "attention in both directions"),
}  # fmt: skip


@cache
def model_types() -> dict[str, str]:
    """`model_type` → its module."""
    modules = {found.name for found in pkgutil.iter_modules([str(FOLDER)])} - SHARED - set(FILE_OF.values())
    return {name: name for name in sorted(modules)} | FILE_OF


@cache
def family(model_type: str) -> type[Family] | None:
    """The family of a model type; None where there is none."""
    if model_type not in model_types():
        return None
    module = import_module(f"gpttui.storage.families.{model_types()[model_type]}")
    kinds = (kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Family))
    return next(kind for kind in kinds if getattr(kind, "MODEL_TYPE", "") == model_type)


EXPORTS = ("gpt2", "llama", "qwen3")
"""In this order: the first that can express a shape writes it."""


def of_shape(shape: Shape, exports: tuple[str, ...]) -> Family:
    """The config that a model of this shape, a `GPTConfig`'s fields and derived sizes, is written with.

    The first of `exports` that can express it, else our own dialect.
    """
    for name in (*exports, "gpttui"):
        kind = family(name)
        if kind is not None and (found := kind.of(shape)) is not None:
            return found
    raise AssertionError("our own dialect expresses every shape")
