"""The logit lens: what the model would predict if it stopped here.

At any stop of the residual stream the vector is passed through the final norm and compared with every token's vector,
as only the last one normally is (nostalgebraist 2020, "interpreting GPT: the logit lens"). Without the final norm the
wrong tokens come out on top; it is always applied here. Probabilities are over the whole vocabulary.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gpttui.inference.arrays import array
from gpttui.model.gpt import GPT, Unembedding
from gpttui.records import Array

CHUNK_BYTES = 64 << 20
"""Most memory that one chunk of logits takes."""
SCREENED_FLOPS = 1.5e10
"""From here on, the whole vocabulary is screened in bfloat16 where the processor multiplies it natively."""
SCREENED_EXTRA = 16
"""Tokens beyond those wanted whose logits are computed exactly after screening."""


class Lens(NamedTuple):
    """Predictions at a set of vectors; `...` are the vectors' own axes."""

    top_ids: Array
    """`[..., k]` int32, most probable first."""
    top_probs: Array
    """`[..., k]` float32."""
    watched_ranks: Array
    """`[..., watched]` int32: how many tokens are more probable; 0 for the first."""
    watched_probs: Array
    """`[..., watched]` float32."""


@torch.inference_mode()
def lens(model: GPT, residual: Tensor, *, k: int = 1, watched: Sequence[int] = (), exact: bool = False) -> Lens:
    """The lens at vectors `residual` `[..., d_model]`, taken before the final norm.

    Large grids (GPT-2's vocabulary times a few hundred vectors) without watched tokens are screened in bfloat16: the
    top tokens' logits are then recomputed in full precision, and only the rest of the normaliser is rounded, which
    leaves probabilities within 0.005. `exact` forbids it.
    """
    shape, head = residual.shape[:-1], model.lm_head.weight
    rows = residual.reshape(-1, residual.size(-1)).to(head.dtype)
    k = min(k, head.size(0))
    asked = torch.as_tensor(list(watched), dtype=torch.long, device=head.device)
    capped = model.config.logit_cap > 0
    screen = None if exact or watched or capped or not _worth_screening(rows, head) else Screen(head, len(rows))
    size = max(1, CHUNK_BYTES // (head.size(0) * head.element_size())) if screen is None else screen.rows
    found: list[tuple[Tensor, ...]] = []
    for chunk in torch.split(rows, size):
        x = model.transformer.ln_f(chunk)
        if screen is not None:
            found.append((*screen.top(x, k), *torch.zeros(2, len(x), 0)))
        else:
            found.append(_exact(model.lm_head(x), k, asked))
    ids, probs, ranks, watched_probs = (torch.cat(parts).view(*shape, -1) for parts in zip(*found, strict=True))
    return Lens(array(ids), array(probs), array(ranks), array(watched_probs))


def _exact(logits: Tensor, k: int, watched: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Top ids and probabilities, ranks and probabilities of `watched`, from logits `[rows, V]`."""
    normaliser = logits.logsumexp(dim=-1, keepdim=True)
    top, ids = logits.topk(k, dim=-1)
    mine = logits[:, watched]
    ranks = (logits[:, None] > mine[:, :, None]).sum(dim=-1)
    return ids, (top - normaliser).exp().float(), ranks, (mine - normaliser).exp().float()


class Screen:
    """A head `[V, d_model]` in bfloat16, to find candidates with; what is best among them is settled in full precision.

    Its memory is taken once and used for chunk after chunk: fresh pages for each double the time of a softmax.
    """

    def __init__(self, head: Tensor, rows: int) -> None:
        self.head = head.contiguous()  # a large head may lie the other way round
        # Softmax does not see what all logits share, so the shared direction goes: what is left rounds less.
        self.mean = head.mean(dim=0)
        self.rough = torch.empty(head.shape, dtype=torch.bfloat16)
        for into, part in zip(in_parts(self.rough), in_parts(self.head), strict=True):
            into.copy_(part - self.mean)
        self.rows = min(rows, max(1, CHUNK_BYTES // (2 * len(head))))
        self.logits, self.shares = torch.empty((2, self.rows, len(head)), dtype=torch.bfloat16)

    def top(self, x: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """Ids and probabilities of the top `k` for normed vectors `x` `[rows, d_model]`."""
        logits, shares = self.logits[: len(x)], self.shares[: len(x)]
        rounded_x = x.bfloat16()
        for into, part in zip(in_parts(logits, 1), in_parts(self.rough), strict=True):
            torch.mm(rounded_x, part.t(), out=into)
        rounded, candidates = logits.topk(k + SCREENED_EXTRA, dim=-1)  # [rows, k + extra]
        torch.softmax(logits, dim=-1, out=shares)
        # One share in bfloat16 says where the normaliser lies to 0.2 %; all candidates together say it better.
        normaliser = (rounded.float() - shares.gather(1, candidates).float().log()).mean(dim=-1, keepdim=True)
        shares[torch.arange(len(x))[:, None], candidates] = 0.0
        rest = shares.sum(dim=-1, keepdim=True).float().log() + normaliser
        settled = torch.einsum("rc,rkc->rk", x, self.head[candidates]) - (x @ self.mean)[:, None]
        total = torch.logaddexp(settled.logsumexp(dim=-1, keepdim=True), rest)
        top, order = settled.topk(k, dim=-1)
        return candidates.gather(1, order), (top - total).exp()


def in_parts(x: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """`x` cut along the vocabulary, as the model's own head cuts it."""
    return torch.split(x, Unembedding.PART, dim)


def _worth_screening(rows: Tensor, head: Tensor) -> bool:
    if rows.device.type != "cpu" or head.dtype != torch.float32 or 2.0 * len(rows) * head.numel() < SCREENED_FLOPS:
        return False
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and "AVX512" in torch.backends.cpu.get_cpu_capability()
