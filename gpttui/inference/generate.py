"""Text without a screen: token by token with all its odds, or many prompts at once and nothing but the text.

`generate` walks a `Session`, so the same prompt, seed and settings give the text that the playground shows. The batched
functions record nothing and are for measuring: thousands of prompts, negative log-likelihoods. No screen, no files.
"""

import codecs
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from gpttui.errors import UserError
from gpttui.inference.sampling import OF_THE_TEXT, check, distribution, predict, uniform
from gpttui.inference.session import Session
from gpttui.model.gpt import GPT
from gpttui.records import Array, GeneratedToken, Sampling
from gpttui.tokenizers import Tokenizer

GREEDY = Sampling(temperature=0.0)


def generate(
    session: Session, count: int, *, top_k: int = 10, stop_ids: Iterable[int] = ()
) -> Iterator[GeneratedToken]:
    """Step `session` `count` times, or until a token of `stop_ids` or an end has come, with `top_k` candidates of each.

    The `text`s join up to the decoded whole: one that ends inside a character is held until the character is complete.
    """
    stops = frozenset(stop_ids)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    tokenizer = session.tokenizer
    for n in range(count):
        began_s = perf_counter()
        position = len(session) - 1
        draw = session.next_draw()
        told = predict(
            session.logits(), session.sampling, max(1, top_k), position=position, text=session.ids, draw=draw
        )
        token_id = session.step()
        last = n == count - 1 or token_id in stops or session.ended
        rows = zip(told.candidate_ids.tolist(), told.final_probs.tolist(), strict=True)
        yield GeneratedToken(
            position=position + 2,
            id=token_id,
            text=decoder.decode(tokenizer.token_bytes(token_id), final=last),
            prob=draw.high - draw.low,
            draw=None if np.isnan(draw.uniform) else draw.uniform,
            entropy_bits=told.entropy_bits,
            cuts=told.cuts,
            shifts=told.shifts,
            topk=tuple({"id": i, "text": tokenizer.decode([i]), "prob": p} for i, p in rows)[:top_k],
            elapsed_ms=(perf_counter() - began_s) * 1e3,
        )
        if last:
            return


def complete_batch(
    model: GPT,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    max_new: int,
    *,
    stop: str | Sequence[str] = (),
    sampling: Sampling = GREEDY,
    seed: int = 0,
    batch_size: int = 512,
) -> list[str]:
    """What the model writes behind each prompt: up to `max_new` tokens, or up to the first of the `stop` strings.

    A stop string is not part of the answer. Each must be a single token. Raises UserError where one is not, or where a
    prompt is empty or leaves no room in the context; answers end where the context does.
    """
    stops = []
    for text in [stop] if isinstance(stop, str) else stop:
        ids = tokenizer.encode(text)
        if len(ids) != 1:
            raise UserError(f"the stop text {text!r} is not a single token of this model")
        stops += ids
    rows = [tokenizer.prompt(prompt) for prompt in prompts]
    written = complete_ids(model, rows, max_new, stop_ids=stops, sampling=sampling, seed=seed, batch_size=batch_size)
    return [tokenizer.decode(ids) for ids in written]


def complete_ids(
    model: GPT,
    prompts: Sequence[Sequence[int]],
    max_new: int,
    *,
    stop_ids: Iterable[int] = (),
    sampling: Sampling = GREEDY,
    seed: int = 0,
    batch_size: int = 512,
) -> list[list[int]]:
    """`complete_batch` in token ids. Prompts of equal length share a batch, so that nothing needs padding.

    Row n draws with the seed `seed + n`, keyed by position as a `Session` does.
    """
    check(sampling)
    written: list[list[int]] = [[] for _ in prompts]
    stops = torch.tensor(sorted(set(stop_ids)), dtype=torch.int64)
    for length, members in _by_length(prompts).items():
        if not 0 < length <= model.config.context:
            raise UserError(f"a prompt of {length} tokens does not fit this model's {model.config.context}")
        for a in range(0, len(members), batch_size):
            _complete(model, prompts, members[a : a + batch_size], max_new, stops, sampling, seed, written)
    return written


def _by_length(rows: Sequence[Sequence[int]]) -> dict[int, list[int]]:
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for n, row in enumerate(rows):
        groups[len(row)].append(n)
    return dict(sorted(groups.items()))


@torch.inference_mode()
def _complete(
    model: GPT,
    prompts: Sequence[Sequence[int]],
    members: list[int],
    max_new: int,
    stops: Tensor,
    sampling: Sampling,
    seed: int,
    written: list[list[int]],
) -> None:
    """Writes on `members`, prompts of one length; rows that have stopped leave the batch when they are half of it."""
    idx = torch.tensor([list(prompts[n]) for n in members], device=model.lm_head.weight.device)
    length = idx.size(1)
    capacity = min(model.config.context, length + max_new)
    cache = model.new_cache(len(members), capacity)
    going = np.ones(len(members), dtype=bool)
    for position in range(length - 1, length - 1 + max_new):
        logits = model(idx, cache=cache)[:, -1].float().cpu()
        texts = [[*prompts[n], *written[n]] for n in members]
        drawn = _draw(logits, sampling, texts, [seed + n for n in members], position)
        stopped = torch.isin(drawn, stops).numpy()
        for n, token_id, goes in zip(members, drawn.tolist(), going & ~stopped, strict=True):
            if goes:
                written[n].append(token_id)
        going &= ~stopped
        if not going.any() or cache.length == model.config.context:
            return
        if going.sum() * 2 <= len(members):
            kept = torch.from_numpy(np.flatnonzero(going))
            members = [members[n] for n in kept.tolist()]
            drawn, going = drawn[kept], going[going]
            cache.keys, cache.values = cache.keys[:, kept], cache.values[:, kept]
        idx = drawn[:, None].to(idx.device)


def _draw(
    logits: Tensor, sampling: Sampling, texts: Sequence[Sequence[int]], seeds: Sequence[int], position: int
) -> Tensor:
    if sampling.temperature == 0 and not any(map(sampling.is_on, ("logit_bias", *OF_THE_TEXT))):
        return logits.argmax(dim=-1)
    rows = zip(logits.numpy(), texts, seeds, strict=True)
    drawn = [distribution(row, sampling, text).draw(uniform(seed, position)) for row, text, seed in rows]
    return torch.tensor([draw.token_id for draw in drawn])


@torch.inference_mode()
def token_nlls(model: GPT, rows: Sequence[Sequence[int]], *, batch_size: int = 128) -> list[Array]:
    """-log p in nats of each id but the first of a row, given those before: `[len(row) - 1]` float64 for each row.

    Batched: rows are padded on the right, which causal attention cannot see. Raises UserError for rows longer than the
    context.
    """
    if any(len(row) > model.config.context for row in rows):
        raise UserError(f"a row of {max(map(len, rows))} tokens does not fit this model's {model.config.context}")
    device = next(model.parameters()).device
    found: list[Array] = [np.empty(0)] * len(rows)
    order = sorted(range(len(rows)), key=lambda n: len(rows[n]))
    for a in range(0, len(order), batch_size):
        members = [n for n in order[a : a + batch_size] if len(rows[n]) > 1]
        if not members:
            continue
        idx = torch.zeros(len(members), max(len(rows[n]) for n in members), dtype=torch.int64)
        for i, n in enumerate(members):
            idx[i, : len(rows[n])] = torch.tensor(list(rows[n]))
        idx = idx.to(device)
        losses = torch.nn.functional.cross_entropy(
            model(idx[:, :-1]).float().flatten(0, 1), idx[:, 1:].flatten(), reduction="none"
        )
        nats = losses.view(len(members), -1).cpu().double().numpy()
        for i, n in enumerate(members):
            found[n] = nats[i, : len(rows[n]) - 1].copy()
    return found
