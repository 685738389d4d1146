"""What a training run would be, before it is one: vocabulary, parameters, memory, and seconds from timed passes.

The passes are real ones of the real shape on random tokens, over a few rows, scaled to the batch. Not for: reading the
whole text, which only the run itself does.
"""

import os
from collections import Counter
from functools import lru_cache
from pathlib import Path
from time import perf_counter

import torch
import torch.nn.functional as F

from gpttui.corpora.registry import corpus_spec, open_corpus
from gpttui.errors import UserError
from gpttui.model import checkpoint
from gpttui.model.gpt import GPT, GPTConfig
from gpttui.model.memory import free_memory_bytes
from gpttui.protocol.train import Measured
from gpttui.runs.config import TrainConfig
from gpttui.storage import gallery
from gpttui.tokenizers import Tokenizer
from gpttui.training.data import learn_from
from gpttui.training.distributed import choose_device
from gpttui.training.optim import make_optimisers
from gpttui.training.shape import count_params, model_shape, refuse_if_too_big, step_memory_bytes
from gpttui.training.text import TEXT_SUFFIXES, open_text

TIMED_TOKENS = 512
"""Of one timed pass, about."""
TIMED_PASSES = 2
SEEN_CHARS = 400_000
SEEN_FOR_UNKNOWN = 50_000
SHOWN_UNKNOWN = 8
SEEN_DOCUMENTS = 300
SEEN_FILES = 2000


def measure(config: TrainConfig) -> Measured:
    """Raises UserError, in one line, for whatever would keep the run from starting that can be seen now."""
    device = choose_device(config.device)
    if config.init:
        path = gallery.find(config.init)
        shape, exact = checkpoint.read_shape(path), True
        unknown, unknown_share = not_known(Tokenizer.open(path), _first_text(config)[0][:SEEN_FOR_UNKNOWN])
    else:
        model_shape(config, vocab_size=2)
        unknown, unknown_share = (), 0.0
        vocab, exact = vocab_size(config)
        shape = model_shape(config, vocab)
    refuse_if_too_big(shape, config.batch, device)
    row_s, forward_row_s, update_s, draw_s = time_passes(config, shape, device)
    return Measured(
        params=count_params(shape),
        vocab_size=shape.vocab_size,
        vocab_exact=exact,
        context=shape.context,
        step_s=row_s * config.batch * config.accumulation + update_s,
        token_s=forward_row_s / config.context,
        draw_s=draw_s,
        memory_bytes=step_memory_bytes(shape, config.batch),
        free_bytes=free_memory_bytes(device),
        unknown=unknown,
        unknown_share=unknown_share,
    )


def not_known(tokenizer: Tokenizer, text: str) -> tuple[tuple[str, ...], float]:
    """Characters or words of `text` outside a closed vocabulary, the most frequent first, and their share of tokens."""
    parts = tokenizer.unknown_parts(text)
    found = Counter(parts).most_common(SHOWN_UNKNOWN)
    return tuple(part for part, _ in found), len(parts) / max(1, len(tokenizer.encode(text)))


def time_passes(config: TrainConfig, shape: GPTConfig, device: torch.device) -> tuple[float, float, float, float]:
    """Seconds of a row forward and backward, of a row forward, of an update, of a token; the best of a few tries."""
    rows = max(1, min(config.batch, TIMED_TOKENS // config.context))
    model = GPT(shape).to(device).train()
    optimisers = make_optimisers(model, config, device)
    ids = torch.randint(shape.vocab_size, (rows, config.context + 1), device=device)
    both_s, forward_s, update_s, draw_s = list[float](), list[float](), list[float](), list[float]()
    for _ in range(1 + TIMED_PASSES):
        started_s = _now_s(device)
        logits = model(ids[:, :-1])
        forward_s.append(_now_s(device) - started_s)
        F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten()).backward()  # type: ignore[no-untyped-call]
        both_s.append(_now_s(device) - started_s)
        for optimiser in optimisers:
            optimiser.step()
        update_s.append(_now_s(device) - started_s - both_s[-1])
        model.zero_grad(set_to_none=True)
        started_s = _now_s(device)
        with torch.no_grad():
            model(ids[:1, :1])
        draw_s.append(_now_s(device) - started_s)
    return min(both_s[1:]) / rows, min(forward_s[1:]) / rows, min(update_s[1:]), min(draw_s[1:])


def _now_s(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return perf_counter()


def vocab_size(config: TrainConfig) -> tuple[int, bool]:
    """The vocabulary that would be learned, and whether that is certain. Raises UserError for a text that is none."""
    text, whole = _first_text(config)
    corpus = config.data.removeprefix("corpus:") if config.data.startswith("corpus:") else ""
    kind = corpus_spec(corpus).tokenizer if corpus and config.tokenizer == "char" else config.tokenizer
    name, _, size = kind.partition(":")
    if name == "bpe" and size.isdecimal():
        learn_from(kind, iter([text[:2000]]))
        return int(size), False
    return learn_from(kind, iter([text])).vocab_size, whole


def _first_text(config: TrainConfig) -> tuple[str, bool]:
    """The beginning of the text, and whether that is all of it."""
    path = Path(config.data).expanduser()
    changed_s = path.stat().st_mtime if path.is_file() else 0.0
    return _beginning(config.data, config.text_field, config.seed, changed_s)


@lru_cache(maxsize=4)
def _beginning(data: str, text_field: str, seed: int, _changed_s: float) -> tuple[str, bool]:
    """Kept, because looking for bytes that are no text reads all of it."""
    if data.startswith("corpus:"):
        draw = open_corpus(data.removeprefix("corpus:"))
        return "".join(document + "\n" for document in draw(seed, SEEN_DOCUMENTS)), False
    folder = Path(data).expanduser()
    source = open_text(str(_first_file(folder)) if folder.is_dir() else data, Path(), text_field)
    parts, length = [], 0
    for _, _, block in source.blocks():
        parts.append(block)
        length += len(block)
        if length > SEEN_CHARS:
            break
    return "".join(parts)[:SEEN_CHARS], length <= SEEN_CHARS and not folder.is_dir()


def _first_file(folder: Path) -> Path:
    """A text under `folder`, without walking through all of what may be a whole disk."""
    seen = 0
    for root, _, names in os.walk(folder):
        for name in sorted(names):
            seen += 1
            path = Path(root, name)
            if path.suffix.lower() in TEXT_SUFFIXES and path.stat().st_size:
                return path
        if seen > SEEN_FILES:
            break
    raise UserError(f"{folder} holds no texts among its first {SEEN_FILES:,} files; give a file, or a folder of texts")
