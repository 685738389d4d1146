"""Which tokens lie close to a vector: cosine neighbours and `a - b + c`.

Cosine is over raw vectors, uncentred; small models have few clean directions, so the rank of an expected answer is
given as it is, the inputs of the arithmetic not hidden from the list (they are usually nearest to themselves, as
Linzen 2016 points out of word2vec's "analogies").
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from gpttui.errors import UserError
from gpttui.inference.arrays import array, wide
from gpttui.model.gpt import GPT, Unembedding
from gpttui.protocol.stream import Near, Sum
from gpttui.records import Array

Table = Literal["embedding", "unembedding"]


def token_table(model: GPT, table: Table) -> Tensor:
    """Every token's vector, `[vocab, d_model]`: as read in, or as compared at the end (the same if tied)."""
    weight: Tensor = model.transformer.wte.weight if table == "embedding" else model.lm_head.weight
    return weight


def token_lengths(table: Tensor) -> Tensor:
    """`[rows]`: the length of each token's vector; worth keeping for a large vocabulary."""
    return torch.cat([torch.linalg.vector_norm(wide(part), dim=-1) for part in torch.split(table, Unembedding.PART)])


def cosines(table: Tensor, vector: Tensor, lengths: Tensor | None = None) -> Tensor:
    """`[rows]`: cosine of each row of `table` (of such `lengths`) with `vector`; 0 with a vector of no length."""
    vector = wide(vector.contiguous())
    product = (token_lengths(table) if lengths is None else lengths) * torch.linalg.vector_norm(vector)
    met = torch.cat([wide(part) @ vector for part in torch.split(table, Unembedding.PART)])
    return torch.where(product > 0, met / product.clamp_min(1e-30), 0.0)


@torch.inference_mode()
def nearest(
    model: GPT,
    vector: Tensor,
    k: int = 10,
    table: Table = "embedding",
    *,
    leave_out: Sequence[int] = (),
    lengths: Tensor | None = None,
) -> Near:
    """The `k` tokens whose vectors point most nearly the way `vector` `[d_model]` does."""
    found = _top(cosines(token_table(model, table), vector, lengths), k, leave_out)
    return Near(*found, norm=float(vector.norm()))


@torch.inference_mode()
def arithmetic(model: GPT, a: int, b: int, c: int, expected: int | None = None, k: int = 10) -> Sum:
    """Tokens nearest to `a - b + c` among the embeddings. Raises UserError for ids outside the vocabulary."""
    table = token_table(model, "embedding")
    for token_id in (a, b, c, *(() if expected is None else (expected,))):
        if not 0 <= token_id < len(table):
            raise UserError(f"token {token_id} is outside this model's vocabulary of {len(table)}")
    close = cosines(table, wide(table[a]) - wide(table[b]) + wide(table[c]))
    found = _top(close, k, ())
    if expected is None:
        return Sum(*found, -1, -1, float("nan"))
    nearer = close > close[expected]
    inputs = sorted({a, b, c} - {expected})
    return Sum(*found, int(nearer.sum()), int(nearer.sum() - nearer[inputs].sum()), float(close[expected]))


def _top(close: Tensor, k: int, leave_out: Sequence[int]) -> tuple[Array, Array]:
    """Ids and cosines, nearest first."""
    close = close.float().clone()
    close[list(leave_out)] = -2.0
    values, ids = close.topk(min(k, len(close) - len(set(leave_out))))
    return array(ids), array(values)
