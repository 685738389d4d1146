"""Checkpoints that torch.save wrote, as models: of nanoGPT, minGPT, llama2.c and nanochat, and old ones of the hub.

For: `gpttui convert`, the only one that reads them. torch.load(weights_only=True) takes tensors and plain values and
runs nothing; whatever else is in a file is a line that says so. Each program's names become ours, and what it computes
otherwise is folded into the weights.
"""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from gpttui.errors import UserError, one_line
from gpttui.files import json_object, open_regular, reason
from gpttui.model.families import load_state, to_shape
from gpttui.model.gpt import GPTConfig
from gpttui.storage import model_config
from gpttui.storage.families.family import WRAPPERS
from gpttui.storage.model_files import CONFIG, kind_of, pickles
from gpttui.text import safe_text

State = dict[str, Tensor]
PICKLE_INDEX = "pytorch_model.bin.index.json"
MINGPTS = {
    (12, 768): 12, (24, 1024): 16, (36, 1280): 20, (48, 1600): 25, (8, 512): 16, (6, 192): 6, (4, 128): 4, (3, 48): 3,
}  # fmt: skip
"""Heads of minGPT's named shapes, by layers and width; its checkpoints do not say."""
EPS = torch.finfo(torch.float32).eps


class Found(NamedTuple):
    """A checkpoint under our names."""

    program: str
    config: GPTConfig
    state: State
    remarks: tuple[str, ...] = ()
    """What had to be supposed, or was left out."""


def find(path: Path, heads: int | None = None) -> Found:
    """The model in checkpoint `path`, or in a directory of the hub whose weights are pickles.

    `heads` is asked of a minGPT that says nothing of its own. Raises UserError for what is none of these.
    """
    folder = path if path.is_dir() else path.parent
    if (folder / CONFIG).is_file() and "model_type" in (raw := json_object(folder / CONFIG)):
        return _of_the_hub(model_config.convert(raw, str(folder / CONFIG)), read_all(path))
    files = pickles(path) if path.is_dir() else [path]
    if len(files) != 1:
        raise UserError(f"{path} holds {len(files)} checkpoints; name the one to convert")
    raw, file = read(files[0]), files[0]
    held = next((raw[name] for name in ("model", "state_dict") if isinstance(raw.get(name), dict)), raw)
    state = {WRAPPERS.sub("", str(name)): x for name, x in held.items() if isinstance(x, Tensor)}
    args = _Args(raw["model_args"] if isinstance(raw.get("model_args"), dict) else {}, file)
    try:
        if "tok_embeddings.weight" in state and args.values:
            return _llama2c(args, state)
        if "transformer.h.0.attn.c_q.weight" in state:
            return _nanochat(_Args(_nanochat_args(file), file), state)
        if "transformer.h.0.attn.c_attn.weight" in state:
            return _nanogpt(args, state) if args.values else _mingpt(file, state, heads)
    except (KeyError, IndexError, RuntimeError, ValueError, TypeError) as error:
        raise UserError(f"{file} does not fit together: {one_line(error)[:200]}; is it whole?") from error
    some = safe_text(", ".join(list(state)[:3])[:100]) or "no tensors"
    raise UserError(f"{file} is no checkpoint of nanoGPT, minGPT, llama2.c or nanochat: it holds {some}")


def read(file: Path) -> dict[str, Any]:
    """What torch.save put into a file: tensors and plain values. Raises UserError for code, damage and other files."""
    try:
        open_regular(file).close()
    except OSError as error:
        raise UserError(f"{file} cannot be read: {reason(error)}") from error
    if (kind := kind_of(file)) in ("safetensors", "gguf"):
        raise UserError(f"{file} is no pickle but {kind}; gpttui opens that as it is")
    try:
        raw = torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except Exception as error:
        if needs := re.search(r"GLOBAL ([\w.]+)", str(error)):
            raise UserError(f"{file} holds more than numbers: it would run {needs[1]}; it is not opened") from error
        raise UserError(f"{file} cannot be read as a checkpoint ({one_line(error)[:120]}); is it whole?") from error
    if not isinstance(raw, dict):
        raise UserError(f"{file} holds a {type(raw).__name__}, not a model's weights")
    return raw


def read_all(path: Path) -> State:
    """The tensors of a directory's pickled weights, in one file or in the parts that an index names."""
    files = [path]
    if path.is_dir() and (path / PICKLE_INDEX).is_file():
        names = json_object(path / PICKLE_INDEX).get("weight_map")
        files = sorted({path / Path(str(name)).name for name in (names.values() if isinstance(names, dict) else ())})
    elif path.is_dir():
        files = [file for file in (path / "pytorch_model.bin", path / "model.safetensors") if file.exists()][:1]
    if not files:
        raise UserError(f"{path} holds no pytorch_model.bin; name the file to convert")
    return {str(name): x for file in files for name, x in read(file).items() if isinstance(x, Tensor)}


class _Args:
    """A program's own words for its shape."""

    def __init__(self, values: Mapping[Any, Any], file: Path) -> None:
        self.values, self.file = values, file

    def whole(self, name: str, default: int | None = None) -> int:
        value = self.values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= model_config.LARGEST:
            raise UserError(f"{self.file} says {name} {safe_text(repr(value)[:40])}, which is no size; is it whole?")
        return value


def _of_the_hub(family: model_config.Config, stored: State) -> Found:
    shape, loaded = to_shape(family), load_state(stored, family)
    left = (f"left out: {', '.join(loaded.left_out)[:120]}",) if loaded.left_out else ()
    return Found(family.MODEL_TYPE, shape, loaded.state, left)


def _plain(state: State) -> State:
    """Without the causal masks that old programs keep among the weights."""
    return {name: x for name, x in state.items() if not name.endswith((".attn.bias", ".attn.masked_bias"))}


def _nanogpt(args: _Args, state: State) -> Found:
    config = GPTConfig(
        vocab_size=args.whole("vocab_size"),
        context=args.whole("block_size"),
        n_layer=args.whole("n_layer"),
        n_head=args.whole("n_head"),
        d_model=args.whole("n_embd"),
        bias=args.values.get("bias", True) is True,
        activation="gelu",
    )
    return Found("nanoGPT", config, _plain(state))


def _mingpt(file: Path, state: State, heads: int | None) -> Found:
    vocab, width = state["transformer.wte.weight"].shape
    layers = len({name.split(".")[2] for name in state if name.startswith("transformer.h.")})
    known = heads or _said_heads(file) or MINGPTS.get((layers, width))
    if known is None:
        raise UserError(f"{file} does not say how many heads its {layers} layers of width {width} have: give --heads")
    config = GPTConfig(
        vocab_size=vocab,
        context=len(state["transformer.wpe.weight"]),
        n_layer=layers,
        n_head=known,
        d_model=width,
        tied=False,
    )
    told = () if heads else (f"{known} heads, as {'its config.json says' if _said_heads(file) else 'minGPT has them'}",)
    return Found("minGPT", config, _plain(state), told)


def _said_heads(file: Path) -> int | None:
    """As minGPT's config.json beside the checkpoint says."""
    beside = file.parent / CONFIG
    model = json_object(beside).get("model") if beside.is_file() else None
    heads = model.get("n_head") if isinstance(model, dict) else None
    return heads if isinstance(heads, int) and heads > 0 else None


LLAMA2C = {
    "attention_norm": "ln_1", "attention.wo": "attn.c_proj", "ffn_norm": "ln_2",
    "feed_forward.w1": "mlp.c_fc", "feed_forward.w3": "mlp.c_gate", "feed_forward.w2": "mlp.c_proj",
}  # fmt: skip


def _llama2c(args: _Args, state: State) -> Found:
    layers, H = args.whole("n_layers"), args.whole("n_heads")
    K = args.whole("n_kv_heads", H) if args.values.get("n_kv_heads") is not None else H
    found = {
        "transformer.wte.weight": state["tok_embeddings.weight"],
        "transformer.ln_f.weight": state["norm.weight"],
        "lm_head.weight": state["output.weight"],
    }
    for n in range(min(layers, len(state))):
        at, ours = f"layers.{n}.", f"transformer.h.{n}."
        found |= {f"{ours}{new}.weight": state[f"{at}{old}.weight"] for old, new in LLAMA2C.items()}
        q, k, v = (state[f"{at}attention.w{letter}.weight"] for letter in "qkv")
        q, k = (x.view(heads, -1, 2, x.size(1)).swapaxes(1, 2).reshape(x.shape) for x, heads in ((q, H), (k, K)))
        found[f"{ours}attn.c_attn.weight"] = torch.cat((q, k, v))  # pairs of numbers were rotated, halves are here
    config = GPTConfig(
        vocab_size=len(state["tok_embeddings.weight"]),
        context=args.whole("max_seq_len"),
        n_layer=layers,
        n_head=H,
        n_kv_head=K,
        d_model=args.whole("dim"),
        d_mlp=len(state["layers.0.feed_forward.w1.weight"]),
        norm="rmsnorm",
        positions="rope",
        activation="swiglu",
        bias=False,
        tied=torch.equal(state["output.weight"], state["tok_embeddings.weight"]),
    )
    return Found("llama2.c", config, found)


def _nanochat_args(file: Path) -> dict[str, Any]:
    """nanochat keeps the shape beside the weights: meta_000650.json beside model_000650.pt."""
    beside = file.with_name(f"{file.stem.replace('model', 'meta')}.json")
    raw = json_object(beside).get("model_config") if beside.is_file() else None
    if not isinstance(raw, dict):
        raise UserError(f"{file} is nanochat's; its shape is in {beside.name}, which belongs beside it")
    return raw


def _nanochat(args: _Args, state: State) -> Found:
    """The first nanochat, d20 and d32: what later ones have beside these tensors is named, and not computed."""
    layers, H, width = args.whole("n_layer"), args.whole("n_head"), args.whole("n_embd")
    K = args.whole("n_kv_head", H)
    ones = torch.ones(width)
    embedding = state["transformer.wte.weight"].float()
    found = {
        "transformer.wte.weight": F.rms_norm(embedding, (width,)),  # nanochat does it to each vector that it looks up
        "transformer.ln_f.weight": ones,
        "lm_head.weight": state["lm_head.weight"],
    }
    used = {"transformer.wte.weight", "lm_head.weight"}
    for n in range(min(layers, len(state))):
        at = f"transformer.h.{n}."
        parts = ("attn.c_q", "attn.c_k", "attn.c_v", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
        names = [f"{at}{name}.weight" for name in parts]
        q, k, v, project, fc, out = (state[name] for name in names)
        q, k = (x.view(heads, 2, -1, x.size(1)).flip(1).reshape(x.shape) for x, heads in ((q, H), (k, K)))
        found |= {
            f"{at}ln_1.weight": ones,
            f"{at}ln_2.weight": ones,
            f"{at}attn.c_attn.weight": torch.cat((q, k, v)),  # it rotates the other way: the halves change places
            f"{at}attn.c_proj.weight": project,
            f"{at}mlp.c_fc.weight": fc,
            f"{at}mlp.c_proj.weight": out,
        }
        used |= set(names)
    if strange := [name for name in state if name not in used and not name.endswith(("cos", "sin"))]:
        raise UserError(
            f"{args.file} has {safe_text(strange[0][:60])}, which gpttui does not compute: a later nanochat"
        )
    config = GPTConfig(
        vocab_size=len(embedding),
        context=args.whole("sequence_len"),
        n_layer=layers,
        n_head=H,
        n_kv_head=K,
        d_model=width,
        d_mlp=len(state["transformer.h.0.mlp.c_fc.weight"]),
        norm="rmsnorm",
        norm_eps=EPS,
        positions="rope",
        qk_norm=True,
        activation="relu2",
        logit_cap=15.0,
        bias=False,
        tied=False,
    )
    return Found("nanochat", config, found)
