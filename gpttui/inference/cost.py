"""What one token costs, part by part: multiply-adds by formula, bytes by size, milliseconds by the clock.

FLOPs count two for each multiply-add of the matrix products, as is customary (Kaplan et al. 2020); norms, softmax and
activations are left out, being below a hundredth of the rest. Milliseconds are measured here and now, on the very path
that shows activations: the median of a few passes over that one token against its cache.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor

from gpttui.inference.recorder import showing
from gpttui.inference.trace import PeekCache
from gpttui.model.gpt import GATED, GPT, GPTConfig
from gpttui.model.kv_cache import KVCache
from gpttui.protocol.parts import CostPart

REPEATS = 3

_SITES_OF_PART: dict[CostPart, str] = {
    "embed": "embed pos_embed",
    "qkv": "ln1.normalized attn.q attn.k attn.v",
    "attend": "attn.scores attn.pattern attn.z",
    "project": "attn.out resid_mid",
    "mlp": "ln2.normalized mlp.pre mlp.post mlp.out resid_post",
    "unembed": "ln_final.normalized logits",
}
_PART_OF_SITE = {site: part for part, sites in _SITES_OF_PART.items() for site in sites.split()}


@dataclass(frozen=True, slots=True)
class PartCost:
    """One part's share of a token. Norms are counted with the part that reads them."""

    layer: int
    """-1 for the embedding, `n_layer` for the head."""
    part: CostPart
    flops: int
    weight_bytes: int
    """Read from memory for this one token."""
    cache_bytes: int
    """Keys and values read, this token's own included."""


def part_costs(config: GPTConfig, keys: int, *, element_bytes: int = 4) -> tuple[PartCost, ...]:
    """The cost of a token that sees `keys` positions, itself included, in the order it is computed."""
    C, D, V, W = config.d_model, config.d_head, config.vocab_size, config.mlp_width
    norms = 2 if config.norm_place == "both" else 1
    final = C * (2 if config.bias and config.norm == "layernorm" else 1)
    norm = final * norms
    bias, heads, wide = int(config.bias), config.n_head + 2 * config.kv_heads, config.n_head * D
    qkv_bias = int(config.bias if config.qkv_bias is None else config.qkv_bias)
    qk_weights = {"none": 0, "head": 2 * D, "projection": wide + config.kv_heads * D}[config.qk_weight]
    learned = config.positions == "learned"
    gated = config.activation in GATED
    read = 2 * config.kv_heads * D * keys * element_bytes
    found = [PartCost(-1, "embed", C if learned else 0, (2 * C if learned else C) * element_bytes, 0)]
    for layer in range(config.n_layer):
        qkv, project = C * heads * D, C * wide
        gains = config.n_head * int(config.qk_norm and config.qk_gain) + qk_weights
        found += [
            PartCost(layer, "qkv", 2 * qkv, (qkv + qkv_bias * heads * D + gains + norm) * element_bytes, 0),
            PartCost(layer, "attend", 4 * keys * wide, 0, read),
            PartCost(layer, "project", 2 * project, (project + bias * C) * element_bytes, 0),
        ]
        if W:
            matrices = (3 if gated else 2) * C * W
            biases = bias * (W * (2 if gated else 1) + C)
            found.append(PartCost(layer, "mlp", 2 * matrices, (matrices + biases + norm) * element_bytes, 0))
    return (*found, PartCost(config.n_layer, "unembed", 2 * C * V, (C * V + final) * element_bytes, 0))


def cache_bytes(config: GPTConfig, positions: int, *, element_bytes: int = 4) -> int:
    """What the KV cache of `positions` takes."""
    return 2 * config.n_layer * config.kv_heads * config.d_head * positions * element_bytes


def token_flops(config: GPTConfig, keys: int) -> int:
    """All of a token's FLOPs where it sees `keys` positions."""
    return sum(part.flops for part in part_costs(config, keys))


class _Clock:
    """A tap that charges the time since the last site to the part that the site belongs to."""

    fused = False

    def __init__(self, n_layer: int, device: torch.device) -> None:
        self.n_layer, self.cuda = n_layer, device.type == "cuda"
        self.spent_s: dict[tuple[int, CostPart], float] = {}
        self.last_s = self.now_s()

    def now_s(self) -> float:
        if self.cuda:
            torch.cuda.synchronize()
        return time.perf_counter()

    def __call__(self, site: str, x: Tensor) -> Tensor:
        now_s = self.now_s()
        _, _, rest = site.partition("blocks.")
        layer, _, name = rest.partition(".") if rest else ("", "", site)
        part = _PART_OF_SITE[name]
        key = (int(layer) if layer else self.n_layer if part == "unembed" else -1, part)
        self.spent_s[key] = self.spent_s.get(key, 0.0) + now_s - self.last_s
        self.last_s = self.now_s()
        return x


@torch.inference_mode()
def measure_ms(
    model: GPT, cache: KVCache, ids: Sequence[int], row: int, *, repeats: int = REPEATS
) -> tuple[float, ...]:
    """Milliseconds of `ids[row]` by part, in the order of `part_costs`: the median of `repeats` passes, first one
    apart.

    `cache` holds the rows before it and is left as it is. In an attention-only model the block's end counts as
    `project`.
    """
    idx = torch.tensor([[ids[row]]], device=cache.keys.device)
    runs: list[dict[tuple[int, CostPart], float]] = []
    with showing(model):
        for _ in range(repeats + 1):
            clock = _Clock(model.config.n_layer, cache.keys.device)
            model(idx, cache=PeekCache(cache, row), tap=clock)
            runs.append(clock.spent_s)
    wanted = [(part.layer, part.part) for part in part_costs(model.config, row + 1)]
    return tuple(median(run.get(key, 0.0) for run in runs[1:]) * 1e3 for key in wanted)
