"""One row through the model, fast: the same arithmetic as `GPT.forward` for one token and no changing tap.

A step of a small model is all overhead: module calls, tap calls, views. Here the parameters and the cache's views are
looked up once, and the loop keeps by itself what a recorder would. `GPT.forward` is the truth; tests prove this equal
to it for every architecture. Weights are held by reference, so those that train in place are always the current ones.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from gpttui.model.gpt import GPT, MLP, Block, Norm, activate, rotate
from gpttui.model.kv_cache import KVCache


class Row(NamedTuple):
    """What one token's pass left behind."""

    residual: Tensor
    """`[2L + 1, C]` after the embeddings, then after each attention and each MLP."""
    queries: Tensor
    """`[L, H, D]`"""
    pattern: Tensor
    """`[L, H, S]`"""
    final: Tensor
    """`[1, C]` behind the final norm."""
    logits: Tensor
    """`[1, V]`"""


class _Layer(NamedTuple):
    norm1: Norm
    attn_w: Tensor
    attn_b: Tensor | None
    gain: Tensor | None  # [H, 1, 1]
    proj_w: Tensor
    proj_b: Tensor | None
    keys: Tensor  # [K, context, D], a view of the cache
    values: Tensor
    mlp: "tuple[Norm, _Matrix, _Matrix | None, _Matrix] | None"


_Matrix = tuple[Tensor, Tensor | None]


class RowStep:
    """The pass of one model over one cache (batch of one)."""

    def __init__(self, model: GPT, cache: KVCache) -> None:
        self.model, self.cache = model, cache
        self.layers: list[_Layer] = []
        for n, block in enumerate(cast("Iterable[Block]", model.transformer.h)):
            attn, mlp = block.attn, block.mlp
            self.layers.append(
                _Layer(
                    block.ln_1,
                    *_matrix(attn.c_attn),
                    attn.qk_gain,
                    *_matrix(attn.c_proj),
                    cache.keys[n, 0],
                    cache.values[n, 0],
                    None if mlp is None or block.ln_2 is None else (block.ln_2, *_matrices(mlp)),
                )
            )

    def __call__(self, token_id: int) -> Row:
        """Run the token that follows what the cache holds, and extend the cache by it."""
        model, c, cache = self.model, self.model.config, self.cache
        H, K, D = c.n_head, c.kv_heads, c.d_head
        at, end, scale = cache.length, cache.length + 1, 1.0 / math.sqrt(D)
        if end > c.context:
            raise ValueError(f"{end} positions do not fit a context of {c.context}")
        x = model.transformer.wte.weight[token_id : token_id + 1]  # [1, C]
        if model.transformer.wpe is not None:
            x = x + model.transformer.wpe.weight[at:end]
        rotary = None if model.rotary is None else model.rotary[:, at:end]
        residual, queries, patterns = [x], [], []
        for norm1, attn_w, attn_b, gain, proj_w, proj_b, keys, values, mlp in self.layers:
            q, k, v = torch.split(F.linear(_normed(norm1, x), attn_w, attn_b).view(H + 2 * K, 1, D), [H, K, K])
            if c.qk_norm:
                q, k = F.rms_norm(q, (D,)), F.rms_norm(k, (D,))
                q = q if gain is None else q * gain
            if rotary is not None:
                q, k = rotate(q, rotary), rotate(k, rotary)
            keys[:, at:end] = k
            values[:, at:end] = v
            scores = torch.bmm(q.view(K, H // K, D), keys[:, :end].transpose(1, 2)).mul_(scale)  # [K, H/K, S]
            pattern = torch.softmax(scores, -1)
            z = torch.bmm(pattern, values[:, :end]).view(1, -1)  # [1, C]
            x = x + F.linear(z, proj_w, proj_b)
            residual.append(x)
            if mlp is not None:
                norm2, fc, gate, out = mlp
                h = _normed(norm2, x)
                hidden = activate(F.linear(h, *fc), c.activation)
                if gate is not None:
                    hidden = hidden * F.linear(h, *gate)
                x = x + F.linear(hidden, *out)
            residual.append(x)
            queries.append(q)
            patterns.append(pattern)
        cache.advance(1)
        final = _normed(model.transformer.ln_f, x)
        return Row(
            residual=torch.cat(residual),
            queries=torch.cat(queries).view(-1, H, D),
            pattern=torch.cat(patterns).view(-1, H, end),
            final=final,
            logits=F.linear(final, model.lm_head.weight),
        )


def _matrix(linear: torch.nn.Linear) -> _Matrix:
    return linear.weight, linear.bias


def _matrices(mlp: MLP) -> tuple[_Matrix, _Matrix | None, _Matrix]:
    return _matrix(mlp.c_fc), None if mlp.c_gate is None else _matrix(mlp.c_gate), _matrix(mlp.c_proj)


def _normed(norm: Norm, x: Tensor) -> Tensor:
    if norm.rms:
        return F.rms_norm(x, norm.shape, norm.weight, norm.eps)
    return torch.layer_norm(x, norm.shape, norm.weight, norm.bias, norm.eps, False)
