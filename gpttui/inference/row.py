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

from gpttui.model.gpt import GPT, MLP, Attention, Block, Norm, activate, rotate
from gpttui.model.kv_cache import KVCache


class Row(NamedTuple):
    """What one token's pass left behind."""

    residual: Tensor
    """`[2L + 1, C]` after the embeddings, then after each attention and each MLP."""
    pattern: Tensor
    """`[L, H, S]`"""
    final: Tensor
    """`[1, C]` behind the final norm."""
    logits: Tensor
    """`[1, V]`"""


_Matrix = tuple[Tensor, Tensor | None]


class _Layer(NamedTuple):
    block: Block
    attn: Attention
    qkv: _Matrix
    project: _Matrix
    mlp: tuple[_Matrix, _Matrix | None, _Matrix] | None


class RowStep:
    """The pass of one model over one cache (batch of one)."""

    def __init__(self, model: GPT, cache: KVCache) -> None:
        self.model, self.cache = model, cache
        self.layers: list[_Layer] = []
        self.held: list[tuple[Tensor, Tensor]] = []
        """Of each layer, views of the cache: keys and values `[K, held, D]`."""
        for block in cast("Iterable[Block]", model.transformer.h):
            attn, mlp = block.attn, None if block.mlp is None else _matrices(block.mlp)
            self.layers.append(_Layer(block, attn, _matrix(attn.c_attn), _matrix(attn.c_proj), mlp))

    def __call__(self, token_id: int) -> Row:
        """Run the token that follows what the cache holds, and extend the cache by it."""
        model, c, cache = self.model, self.model.config, self.cache
        H, K, D = c.n_head, c.kv_heads, c.d_head
        at, end, scale = cache.length, cache.length + 1, 1.0 / math.sqrt(D)
        if end > c.context:
            raise ValueError(f"{end} positions do not fit a context of {c.context}")
        if cache.make_room(end) or not self.held:
            self.held = [(cache.keys[n, 0], cache.values[n, 0]) for n in range(c.n_layer)]
        x = model.transformer.wte.weight[token_id : token_id + 1]  # [1, C]
        if c.embed_scale != 1:
            x = x * c.embed_scale
        if model.transformer.wpe is not None:
            x = x + model.transformer.wpe.weight[at:end]
        rotary = None if model.rotary is None else model.rotary[:, :, at:end]
        residual, patterns = [x], []
        for (block, attn, qkv, project, mlp), (keys, values) in zip(self.layers, self.held, strict=True):
            before = x
            joint = F.linear(_normed(block.ln_1, x), *qkv)
            if attn.whole:
                q, k, v = torch.split(joint[0], [H * D, K * D, K * D])
                q, k = attn.normed(q, k)
                joint = torch.cat((q, k, v))
            asked, v = torch.split(joint.view(H + 2 * K, 1, D), [H + K, K])  # queries and keys turn alike
            if c.qk_norm and not attn.whole:
                asked = torch.cat(attn.normed(*torch.split(asked, [H, K])))
            if rotary is not None and attn.table is not None:
                asked = rotate(asked, rotary[attn.table])
            q, k = torch.split(asked, [H, K])
            keys[:, at:end] = k
            values[:, at:end] = v
            first = max(0, end - attn.window) if attn.window else 0
            scores = torch.bmm(q.view(K, H // K, D), keys[:, first:end].transpose(1, 2)).mul_(scale)  # [K, H/K, S]
            pattern = torch.softmax(scores, -1)
            z = torch.bmm(pattern, values[:, first:end]).view(1, -1)  # [1, H * D]
            x = x + _normed(block.ln_1_post, F.linear(z, *project))
            residual.append(x)
            if mlp is not None:
                fc, gate, out = mlp
                h = _normed(block.ln_2, before if block.parallel else x)
                hidden = activate(F.linear(h, *fc), c.activation)
                if gate is not None:
                    hidden = hidden * F.linear(h, *gate)
                x = x + _normed(block.ln_2_post, F.linear(hidden, *out))
            residual.append(x)
            if first:
                pattern = F.pad(pattern, (first, 0))
            patterns.append(pattern)
        cache.advance(1)
        final = _normed(model.transformer.ln_f, x)
        return Row(
            residual=torch.cat(residual),
            pattern=torch.cat(patterns).view(-1, H, end),
            final=final,
            logits=model.lm_head(final),
        )


def _matrix(linear: torch.nn.Linear) -> _Matrix:
    return linear.weight, linear.bias


def _matrices(mlp: MLP) -> tuple[_Matrix, _Matrix | None, _Matrix]:
    return _matrix(mlp.c_fc), None if mlp.c_gate is None else _matrix(mlp.c_gate), _matrix(mlp.c_proj)


def _normed(norm: Norm | torch.nn.Identity, x: Tensor) -> Tensor:
    if not isinstance(norm, Norm):
        return x
    if norm.rms:
        return F.rms_norm(x, norm.shape, norm.weight, norm.eps)
    return torch.layer_norm(x, norm.shape, norm.weight, norm.bias, norm.eps, False)
