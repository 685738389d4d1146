"""Loss on the part of a public text that was kept back."""

import tempfile
from pathlib import Path

from gpttui.corpora import datasets
from gpttui.evaluation.subject import Metrics, Subject
from gpttui.training.evaluate import text_loss

HELD_OUT_PART = 0.1


def shakespeare(subject: Subject, n: int, seed: int) -> Metrics:
    """Loss in nats per character over the last tenth of tiny Shakespeare, or its last `n` bytes; `seed` plays no part.

    `loss_nats` is over windows of one context laid end to end, as nanoGPT measures; `loss_sliding_nats` over windows
    half a context apart, so that every character has at least half a context before it.
    """
    file = datasets.here("tinyshakespeare")
    part = min(HELD_OUT_PART, n / file.stat().st_size) if n else HELD_OUT_PART
    context = subject.model.config.context
    with tempfile.TemporaryDirectory() as spool:

        def loss(stride: int) -> float:
            measured = text_loss(subject.model, subject.tokenizer, str(file), Path(spool), stride=stride,
                                 last_part=part)  # fmt: skip
            return measured.loss_nats

        return {"loss_nats": loss(context), "loss_sliding_nats": loss(context // 2)}


def held_out_rows(subject: Subject, n: int) -> list[list[int]]:
    """The ids of `n` stretches of the last tenth of tiny Shakespeare, as long as the context and evenly spread."""
    text = datasets.here("tinyshakespeare").read_text(encoding="utf-8")
    start = len(text) - int(len(text) * HELD_OUT_PART)
    ids = subject.tokenizer.encode(text[start:])
    context = subject.model.config.context
    return [ids[at : at + context] for at in range(0, len(ids) - context, max(1, len(ids) // n))][:n]
