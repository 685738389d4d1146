"""Models on disk: `config.json` + `model.safetensors`, or a GGUF file. Never a pickle, neither read nor written.

Our own files carry a CRC-32 of their tensors in the safetensors header, so that a flipped bit is an error and not a
slightly wrong model. Files from elsewhere are checked for shape and for numbers that are none.
"""

import dataclasses
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.overrides import TorchFunctionMode

from gpttui.errors import UserError
from gpttui.files import reason, write_whole
from gpttui.model import unpacking
from gpttui.model.dialects import config_of
from gpttui.model.families import load_sizes, load_state, stored_state, to_shape
from gpttui.model.gpt import GPT, GPTConfig, rotary_tables
from gpttui.model.unpacking import Progress, laid_out, need_finite, untold
from gpttui.storage import gguf, gguf_models, model_config
from gpttui.storage.families.ops import Sizes
from gpttui.storage.gguf import is_gguf
from gpttui.storage.model_config import Config, field_name
from gpttui.storage.model_files import CONFIG, checksum, header, need_model, weight_files
from gpttui.storage.model_files import WEIGHTS as WEIGHTS
from gpttui.text import safe_text

FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
"""What weights may be stored as. Whole numbers, truth values and complex ones would be turned into other weights."""


Tell = Callable[[str], object]
"""Takes a line that a person should read."""


def load(
    path: Path,
    config: Config | None = None,
    *,
    dtype: torch.dtype | Callable[[int], torch.dtype] = torch.float32,
    device: str = "cpu",
    tell: Tell = lambda line: None,
    progress: Progress = untold,
) -> GPT:
    """The model in directory or GGUF file `path`, in evaluation mode, weights as `dtype` whatever is stored.

    `dtype` may be what chooses one, told how many weights there are before any is read. `config` is what it says of its
    shape, where that has been read. `tell` hears what of the file is left out, or used where one might not expect it.
    Raises UserError, naming the file and the cure, for anything that is not a whole and fitting model; sizes are
    compared before any tensor is read.
    """
    config = config or read_config(path)
    shape = to_shape(config, _where(path))
    file = gguf.read(path) if is_gguf(path) else None
    packed = {} if file is None else gguf_models.tensors(file, config)
    sizes = _sizes(path) if file is None else {name: x.shape for name, x in packed.items()}
    try:
        ours = load_sizes(sizes, config)
        _check_size(config, shape, ours, path)
    except UserError as error:
        raise UserError(str(error) if str(path) in str(error) else f"{path}: {error}") from error
    n_weights = sum(map(math.prod, sizes.values()))
    dtype = dtype if isinstance(dtype, torch.dtype) else dtype(n_weights)
    _check_memory(n_weights * dtype.itemsize, f"{path}: its weights need")
    if file is not None:
        model = _empty(shape, ours, path)
        return _filled(model, unpacking.state(file, packed, config, dtype, progress), device)
    loaded = load_state(read_tensors(path), config)
    if loaded.left_out:
        tell(f"left out: {_listed(loaded.left_out)}; a head for another task than the next token is not computed")
    fitting = own_head(shape, loaded.state)
    if fitting.tied != shape.tied:
        tell("the stored lm_head is used, as transformers 5 does: it differs from the embedding, its tied twin")
    return build(fitting, loaded.state, path, config, dtype=dtype, device=device, progress=progress)


def _sizes(path: Path) -> dict[str, Sizes]:
    """Of every tensor in the directory."""
    return {name: x.shape for file in weight_files(path) for name, x in header(file).tensors.items()}


def own_head(shape: GPTConfig, state: Mapping[str, Tensor]) -> GPTConfig:
    """`shape`, untied where the file holds a head of its own that differs from the embedding."""
    embedding, head = (state.get(f"{name}.weight") for name in ("transformer.wte", "lm_head"))
    if not shape.tied or embedding is None or head is None:
        return shape
    same = head.shape == embedding.shape and torch.equal(head, embedding)
    return shape if same else dataclasses.replace(shape, tied=False)


def build(
    config: GPTConfig,
    state: dict[str, Tensor],
    path: Path,
    family: Config | None = None,
    *,
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
    progress: Progress = untold,
) -> GPT:
    """A model of shape `config` around the tensors of `state` (our names); `path` and `family` name them in errors."""
    if config.tied:
        state = {name: x for name, x in state.items() if name != "lm_head.weight"}
    sizes = {name: tuple(x.shape) for name, x in state.items()}
    _check_size(family or config_of(config), config, sizes, path)
    model = _empty(config, sizes, path)
    own = {}
    for n, (name, x) in enumerate(state.items()):
        progress("tensors", n, len(state))
        if x.dtype not in FLOATS:
            kind = str(x.dtype).removeprefix("torch.")
            raise UserError(f"{path}: {name} holds {kind}; weights are float32, float16, bfloat16 or float64")
        need_finite(name, x, path)
        own[name] = laid_out(name, x.to(dtype=dtype, copy=True), tied=config.tied)
    return _filled(model, own, device)


def _empty(config: GPTConfig, sizes: Mapping[str, Sizes], path: Path) -> GPT:
    """A model whose weights are still to come. Raises UserError where those of these sizes do not fit."""
    with _NoInit():
        model = GPT(config)
    _check_fit(model, sizes, path)
    return model


def _filled(model: GPT, state: Mapping[str, Tensor], device: str) -> GPT:
    """The model in evaluation mode; its parameters are these very tensors (on `device`, their copies)."""
    head = {"lm_head.weight": state["transformer.wte.weight"]} if model.config.tied else {}
    model.load_state_dict({name: x.to(device) for name, x in {**state, **head}.items()}, assign=True)
    if model.config.tied:
        model.lm_head.weight = model.transformer.wte.weight
    if (tables := rotary_tables(model.config)) is not None:
        model.rotary = tables.to(device)
    return model.requires_grad_(False).eval()


def save(model: GPT, path: Path, family: Config | None = None, *, dtype: torch.dtype | None = None) -> None:
    """Write `config.json` and `model.safetensors` into directory `path` (made if missing), each beside and renamed.

    As `family`; by default as GPT-2 where the shape is GPT-2's, else in our own dialect.
    """
    path.mkdir(parents=True, exist_ok=True)
    family = family or config_of(model.config)
    write_weights(model, path, family, dtype=dtype)
    write_whole(path / CONFIG, json.dumps(family.written(), indent=2) + "\n")


def write_weights(model: GPT, path: Path, family: Config | None = None, *, dtype: torch.dtype | None = None) -> None:
    """Write `path/model.safetensors` only."""
    state = stored_state(dict(model.state_dict()), family or config_of(model.config), model.config)
    write_tensors({name: x if dtype is None else x.to(dtype) for name, x in state.items()}, path / WEIGHTS)


def write_tensors(state: dict[str, Tensor], file: Path) -> None:
    """One safetensors file with a checksum, on disk (fsync) before it takes its name."""
    state = {name: x.detach().cpu().contiguous() for name, x in state.items()}
    beside = file.with_name(f".{file.name}.tmp")
    save_file(state, beside, metadata={"format": "pt", "crc32": _checksum(state)})
    beside.chmod(0o644)  # the library writes files that only their owner can read
    with beside.open("rb+") as handle:
        os.fsync(handle.fileno())
    beside.replace(file)


def _checksum(state: dict[str, Tensor]) -> str:
    return checksum(state[name].reshape(-1).view(torch.uint8).numpy().data for name in sorted(state))


def read_config(path: Path) -> Config:
    """What model directory or GGUF file `path` says of its shape."""
    need_model(path)
    if path.is_dir() and not (path / CONFIG).exists():
        packed = sorted(file.name for file in path.glob("*.gguf"))
        what = (
            f"but {packed[0]}: give that file" if packed else "which a model has beside its weights and its tokenizer"
        )
        raise UserError(f"{path} holds no config.json, {what}")
    return model_config.of_model(path)


def read_shape(path: Path) -> GPTConfig:
    """The shape of the model in directory or GGUF file `path`."""
    return to_shape(read_config(path), _where(path))


def _where(path: Path) -> str:
    """What says a model's shape, where it is named first."""
    return str(path if is_gguf(path) else path / CONFIG)


def _header(path: Path) -> str:
    """The same in a sentence that has named the model."""
    return "its header" if is_gguf(path) else "it" if path.is_file() else CONFIG


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Every tensor of directory `path`, from one safetensors file or from the shards its index names."""
    tensors: dict[str, Tensor] = {}
    for file in weight_files(path):
        tensors |= read_file(file)
    return tensors


def read_file(file: Path) -> dict[str, Tensor]:
    """The tensors of one safetensors file, checked against its checksum where it has one."""
    expected = header(file).crc32
    try:
        with safe_open(file, framework="pt") as handle:
            tensors = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError) as error:
        raise UserError(f"{file} is damaged or cut short ({reason(error)}); copy or download it again") from error
    if expected is not None and _checksum(tensors) != expected:
        raise UserError(f"{file} is damaged: its checksum does not match; copy or download it again")
    return tensors


class _NoInit(TorchFunctionMode):
    """Skips the random initial weights: the file replaces them. (So would "meta", but it loads torch._dynamo.)"""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__module__", None) == "torch.nn.init":
            return (kwargs or {}).get("tensor", args[0] if args else None)
        return func(*args, **(kwargs or {}))


def _check_size(family: Config, config: GPTConfig, sizes: dict[str, Sizes], path: Path) -> None:
    """Before anything is allocated: a broken config can ask for any size."""
    layers = len({name.split(".")[2] for name in sizes if name.startswith("transformer.h.")})
    if layers != config.n_layer:
        raise UserError(f"{path}: the weights have {layers} layers, {_header(path)} says {config.n_layer}")
    block, width, embedded = "transformer.h.0.", config.d_model, (config.vocab_size, config.d_model)
    wanted = {"transformer.wte.weight": (embedded, "vocab_size", "d_model")}
    if config.positions == "learned":
        wanted["transformer.wpe.weight"] = ((config.context, width), "context", "d_model")
    heads = config.n_head + 2 * config.kv_heads
    wanted[block + "attn.c_attn.weight"] = ((heads * config.d_head, width), "n_head", "n_kv_head")
    if config.mlp_width:
        wanted[block + "mlp.c_fc.weight"] = ((config.mlp_width, width), "d_mlp", "activation")
    if not config.tied:
        wanted["lm_head.weight"] = (embedded, "vocab_size", "d_model")
    for name, (shape, *fields) in wanted.items():
        if name not in sizes:
            raise UserError(f"{path}: the weights lack {name}, which {_header(path)} calls for")
        if sizes[name] != shape:
            says = f"{_sized(shape)} ({', '.join(field_name(field, family) for field in fields)})"
            raise UserError(f"{path}: {name} is {_sized(sizes[name])}, {_header(path)} says {says}")
    _check_context(family, config, path)


def _check_context(family: Config, config: GPTConfig, path: Path) -> None:
    """No weight tells how long a context may be where positions are not learned; the machine does."""
    per_position_bytes = 4 * config.d_head + 32  # cosines and sines, the id, what is known of its surprise
    says = f"{field_name('context', family)} {config.context}"
    _check_memory(config.context * per_position_bytes, f"{path}: {_header(path)} says {says}; its table alone needs")


def _check_memory(needed_bytes: int, what: str) -> None:
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed_bytes > there:
        raise UserError(f"{what} {needed_bytes / 1e9:.0f} GB, this machine has {there / 1e9:.0f}")


def _listed(names: Sequence[str]) -> str:
    """Names from a file, a few of them."""
    return safe_text(", ".join(names[:3])[:120]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _sized(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "a single number"


def _check_fit(model: GPT, sizes: Mapping[str, Sizes], path: Path) -> None:
    wanted = {name: tuple(p.shape) for name, p in model.state_dict().items()}
    if model.config.tied:
        del wanted["lm_head.weight"]
    if missing := sorted(wanted.keys() - sizes.keys()):
        raise UserError(
            f"{path}: the weights lack {missing[0]} and {len(missing) - 1} more that {_header(path)} calls for"
        )
    if surplus := sorted(sizes.keys() - wanted.keys()):
        raise UserError(f"{path}: the weights hold {surplus[0]}, which {_header(path)} does not know; do they fit?")
    for name, shape in wanted.items():
        if sizes[name] != shape:
            raise UserError(f"{path}: {name} is {_sized(sizes[name])}, {_header(path)} says {_sized(shape)}")
