"""Measuring without training: held-out loss over fixed rows, loss over a whole text, and samples."""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gpttui.errors import UserError
from gpttui.model.gpt import GPT
from gpttui.tokenizers import Tokenizer
from gpttui.training.data import IGNORED, Batch, Encoder, TokenFile, in_lines
from gpttui.training.text import open_text

EVAL_BATCH_TOKENS = 8192


def batch_loss_sum(model: GPT, batch: Batch, device: torch.device) -> tuple[float, int]:
    """Sum of losses in nats, and tokens counted. Unweighted: every target that is not padding."""
    logits = model(batch.inputs.to(device))  # [rows, T, V]
    targets = batch.targets.to(device).flatten()
    total = F.cross_entropy(logits.flatten(0, 1).float(), targets, ignore_index=IGNORED, reduction="sum")
    return float(total), int((targets != IGNORED).sum())


def eval_batches(
    data: TokenFile, tokens: int, rank: int = 0, processes: int = 1, pass_tokens: int = EVAL_BATCH_TOKENS
) -> Iterator[Batch]:
    """The fixed rows of an evaluation, this process's share of them, in passes of about `pass_tokens`."""
    starts = data.spread(tokens)[rank::processes]
    rows = max(1, pass_tokens // data.context)
    for first in range(0, len(starts), rows):
        yield data.at(starts[first : first + rows])


@torch.no_grad()
def held_out_loss(model: GPT, data: TokenFile, tokens: int, device: torch.device) -> float:
    """Mean loss in nats over about `tokens` held-out tokens."""
    sums = [batch_loss_sum(model, batch, device) for batch in eval_batches(data, tokens)]
    return sum(s for s, _ in sums) / max(1, sum(n for _, n in sums))


@dataclass(frozen=True, slots=True)
class TextLoss:
    """What `gpttui eval` prints."""

    loss_nats: float
    bits_per_byte: float
    perplexity: float
    tokens: int
    notes: tuple[str, ...] = ()


@torch.inference_mode()
def text_loss(model: GPT, tokenizer: Tokenizer, data: str, spool: Path, *, stride: int | None = None,
              last_part: float = 1.0, text_field: str = "") -> TextLoss:  # fmt: skip
    """Loss over a text, or over its last part: windows of one context, `stride` (default: half of it) tokens apart.

    With a stride below the context every token but the first few is predicted from at least `context - stride` tokens
    before it, as in the strided perplexity of Hugging Face's guide. Raises UserError for a text that is too short.
    """
    source = open_text(data, spool, text_field)
    encoder = Encoder(tokenizer)
    parts = [np.asarray(tokenizer.before, dtype=np.int64)]
    size_bytes = 0
    for wanted, text in in_lines(source.split(last_part)):
        if wanted:
            parts.append(encoder.encode(text))
            size_bytes += len(text.encode())
    tokens = torch.from_numpy(np.concatenate(parts).astype(np.int64))
    if len(tokens) < 2:
        raise UserError(f"{data} is too short: a loss needs at least two tokens")
    context = model.config.context
    total, count = _strided_sum(model, tokens, context, min(stride or max(1, context // 2), context))
    loss = total / count
    given_bytes = 0 if tokenizer.before else len(tokenizer.token_bytes(int(tokens[0])))
    predicted_bytes = max(1, size_bytes - given_bytes)
    notes = (*source.notes, *encoder.notes())
    return TextLoss(loss, total / math.log(2) / predicted_bytes, math.exp(min(loss, 700.0)), count, notes)


def _strided_sum(model: GPT, tokens: Tensor, context: int, stride: int) -> tuple[float, int]:
    """Each target once: in the first window all, in later ones the last `stride`."""
    device = next(model.parameters()).device
    last = max(0, len(tokens) - 1 - context)
    starts = [*range(0, last, stride), last]
    rows = max(1, EVAL_BATCH_TOKENS // context)
    width = min(context, len(tokens) - 1)
    total, counted_to = 0.0, 0
    for first in range(0, len(starts), rows):
        batch = starts[first : first + rows]
        window = torch.stack([tokens[s : s + width + 1] for s in batch]).to(device)
        logits = model(window[:, :-1]).float()
        losses = F.cross_entropy(logits.flatten(0, 1), window[:, 1:].flatten(), reduction="none").view(
            len(batch), width
        )
        for row, start in zip(losses, batch, strict=True):
            total += float(row[max(0, counted_to - start) :].double().sum())
            counted_to = start + width
    return total, counted_to


@torch.no_grad()
def sample(model: GPT, tokenizer: Tokenizer, prompt: str, count: int, *, seed: int, device: torch.device,
           temperature: float = 0.8, ends: Collection[int] = ()) -> Iterator[int]:  # fmt: skip
    """Ids that the model puts after `prompt`, one by one, up to one of `ends`.

    When the context is full, its later half starts a new one.
    """
    generator = torch.Generator().manual_seed(seed)
    context = model.config.context
    ids = tokenizer.prompt(prompt) or [0]
    cache, fresh = model.new_cache(), ids[-context:]
    for _ in range(count):
        if cache.length + len(fresh) > context:
            cache.truncate(0)
            fresh = ids[-max(1, context // 2) :]
        logits = model(torch.tensor([fresh], device=device), cache=cache)[0, -1].float().cpu()
        next_id = int(torch.multinomial((logits / temperature).softmax(-1), 1, generator=generator))
        ids.append(next_id)
        fresh = [next_id]
        yield next_id
        if next_id in ends:
            return
