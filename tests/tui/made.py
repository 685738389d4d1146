"""Snapshots for widget tests: a bigram model of a small text, and an attention pattern computed from the tokens.

Small, seeded, and true to the records' own rules: probabilities are over the whole vocabulary, attention rows sum to 1.
"""

import numpy as np

from gpttui.records import AttentionSlice, Cut, Draw, Prediction, Sampling, Snapshot, frozen
from gpttui.tokenizers import Tokenizer


class Bigrams:
    """Next-token probabilities from counted pairs, with a little mass for every token."""

    def __init__(self, tokenizer: Tokenizer, text: str) -> None:
        size = tokenizer.vocab_size
        ids = tokenizer.encode(text)
        counts = np.full((size, size), 0.02)
        np.add.at(counts, (ids[:-1], ids[1:]), 1.0)
        self.probs = counts / counts.sum(axis=1, keepdims=True)


def predict(model: Bigrams, ids: list[int], position: int, top_k: int, sampling: Sampling, n_prompt: int) -> Prediction:
    raw = model.probs[ids[position]]
    order = np.argsort(-raw, kind="stable")
    logits = np.log(raw) / max(sampling.temperature, 1e-6)
    warm = np.exp(logits - logits.max())
    warm /= warm.sum()
    kept, cut_by, cuts = warm[order].copy(), np.zeros(len(raw), dtype=np.int8), []
    if sampling.top_k:
        cut_by[sampling.top_k :] = 1
        cuts.append(Cut("top-k", sampling.top_k, float(kept[sampling.top_k :].sum())))
        kept[sampling.top_k :] = 0
        kept /= kept.sum()
    if sampling.top_p < 1:
        count = int(np.searchsorted(np.cumsum(kept), sampling.top_p)) + 1
        gone = (np.arange(len(kept)) >= count) & (cut_by == 0)
        cuts.append(Cut("top-p", count, float(kept[gone].sum())))
        cut_by[gone] = len(cuts)
        kept[gone] = 0
        kept /= kept.sum()
    next_id = ids[position + 1] if position + 1 < len(ids) else -1
    draw = None
    if position + 1 >= n_prompt and next_id >= 0:
        rank = int(np.flatnonzero(order == next_id)[0])
        low = float(kept[:rank].sum())
        high = low + float(kept[rank])
        draw = Draw(next_id, (low + high) / 2, low, high)
    used = kept[kept > 0]
    return Prediction(
        position=position,
        candidate_ids=frozen(order[:top_k].astype(np.int32)),
        model_probs=frozen(raw[order[:top_k]].astype(np.float32)),
        probs=frozen(warm[order[:top_k]].astype(np.float32)),
        final_probs=frozen(kept[:top_k].astype(np.float32)),
        cut_by=frozen(cut_by[:top_k]),
        cuts=tuple(cuts),
        tail_mass=float(warm[order[top_k:]].sum()),
        tail_count=max(0, len(raw) - top_k),
        entropy_bits=float(-(raw * np.log2(raw)).sum()),
        sampled_entropy_bits=float(-(used * np.log2(used)).sum()),
        draw=draw,
        next_id=next_id,
    )


def pattern(ids: list[int], layer: int = 0, head: int = 0) -> np.ndarray:
    """Looks at itself, the token before (head 1), or what followed the same token earlier (head 2): rows sum to 1."""
    count = len(ids)
    weights = np.random.default_rng(7 * layer + head).exponential(0.05, (count, count)).astype(np.float32)
    for query in range(count):
        if head % 3 == 1:
            weights[query, max(0, query - 1)] += 1.5
        elif head % 3 == 2:
            for key in range(1, query + 1):
                if ids[key - 1] == ids[query]:
                    weights[query, key] += 1.0
        weights[query, 0] += 0.15
    weights = np.tril(weights)
    return weights / weights.sum(axis=1, keepdims=True)


def snapshot(
    tokenizer: Tokenizer,
    model: Bigrams,
    ids: list[int],
    *,
    n_prompt: int,
    position: int = -1,
    top_k: int = 20,
    sampling: Sampling | None = None,
    layer: int = 0,
    head: int = 0,
    first_query: int = 0,
    epoch: int = 1,
    n_slid: int = 0,
) -> Snapshot:
    sampling = sampling or Sampling()
    at = position if position >= 0 else len(ids) + position
    probs = model.probs[ids]
    entropy = -(probs * np.log2(probs)).sum(axis=1)
    surprisal = np.full(len(ids), np.nan)
    if len(ids) > 1:
        surprisal[1:] = -np.log2(model.probs[ids[:-1], ids[1:]])
    kept = ids[n_slid:]
    return Snapshot(
        epoch=epoch,
        ids=frozen(np.array(ids, dtype=np.int32)),
        n_prompt=n_prompt,
        n_slid=n_slid,
        surprisal_bits=frozen(surprisal.astype(np.float32)),
        entropy_bits=frozen(entropy.astype(np.float32)),
        context=128,
        sampling=sampling,
        seed=1337,
        prediction=predict(model, ids, at, top_k, sampling, n_prompt) if ids else None,
        attention=AttentionSlice(layer, head, first_query, frozen(pattern(kept, layer, head)[first_query:]))
        if kept
        else None,
        can_back=len(ids) > n_prompt,
        elapsed_ms=4.2,
    )
