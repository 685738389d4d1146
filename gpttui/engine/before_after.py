"""What a run changed: the same prompt and seed before and after, where probabilities moved most, losses on both texts.

For: fine-tuning above all, where the old text shows what was forgotten. Where that text is not at hand, the answer says
so and why; nothing is estimated.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from gpttui.corpora.registry import open_corpus, spec_of
from gpttui.corpora.splits import HELD_OUT_FROM_SEED
from gpttui.errors import UserError
from gpttui.inference.session import Session
from gpttui.model.gpt import GPT
from gpttui.protocol.train import AskBeforeAfter, BeforeAfter, Move
from gpttui.records import frozen
from gpttui.runs import rundir
from gpttui.runs.config import TrainConfig
from gpttui.storage import model_card
from gpttui.tokenizers import Tokenizer
from gpttui.training.data import Encoder, TokenFile, open_data
from gpttui.training.evaluate import held_out_loss
from gpttui.training.source import file_of, source_of
from gpttui.training.text import open_text

if TYPE_CHECKING:
    from gpttui.engine.checkpoint_cache import CheckpointCache

MEASURED_TOKENS = 16_384
MOVES = 24
OLD_CHARS = 200_000
OLD_DOCUMENTS = 400


def before_after(models: "CheckpointCache", device: str, request: AskBeforeAfter) -> BeforeAfter:
    """Raises UserError where the run has not kept the weights it began with, or none after them."""
    run = Path(request.run)
    config, saved = rundir.read_config(run), rundir.checkpoints(run)
    if not saved or (saved[0][0] != 0 and not config.init):
        raise UserError("the run did not keep the weights it began with; save checkpoints to compare with")
    tokenizer = Tokenizer.open(run)
    start = Path(config.init) if saved[0][0] else saved[0][1]
    before, after = models.get(start, device), models.get(saved[-1][1], device)
    texts = [written(model, tokenizer, request) for model in (before, after)]
    read_ids = texts[0 if config.init else 1].ids
    data = open_data(config, run)
    where = torch.device(device)
    old, old_note = old_text(config, tokenizer)
    old_losses = [held_out_loss(model, old, MEASURED_TOKENS, where) for model in (before, after)] if old else [None] * 2
    name = Path(config.init).name if config.init else "random weights"
    return BeforeAfter(
        before=f"before: {name}",
        after=f"after {saved[-1][0]:,} steps",
        n_prompt=texts[0].n_prompt,
        before_ids=frozen(texts[0].ids),
        after_ids=frozen(texts[1].ids),
        moves=moves(before, after, read_ids),
        read_ids=frozen(read_ids),
        new_text=config.data,
        new_before_nats=held_out_loss(before, data.val, MEASURED_TOKENS, where),
        new_after_nats=held_out_loss(after, data.val, MEASURED_TOKENS, where),
        new_tokens=min(MEASURED_TOKENS, data.val.tokens),
        old_text=old_name(config),
        old_before_nats=old_losses[0],
        old_after_nats=old_losses[1],
        old_tokens=min(MEASURED_TOKENS, old.tokens) if old else 0,
        old_note=old_note,
    )


def written(model: GPT, tokenizer: Tokenizer, request: AskBeforeAfter) -> Session:
    """The prompt and `tokens` more."""
    session = Session(model, tokenizer, sampling=request.sampling, seed=request.seed, prompt=request.prompt)
    for _ in range(request.tokens if len(session) else 0):
        session.step()
    return session


@torch.inference_mode()
def moves(before: GPT, after: GPT, ids: np.ndarray[tuple[int], np.dtype[np.int32]]) -> tuple[Move, ...]:
    """Where the next token's probability changed most, at most two of each position."""
    shown = torch.from_numpy(ids[-before.config.context :].astype(np.int64))[None]
    if not shown.numel():
        return ()
    first = len(ids) - shown.size(1)
    device = next(before.parameters()).device
    old, new = (model.eval()(shown.to(device))[0].float().softmax(-1).cpu() for model in (before, after))  # [T, V]
    top = (new - old).abs().topk(min(2, new.size(1)), dim=-1)
    found = [
        Move(first + row, token_id, float(old[row, token_id]), float(new[row, token_id]))
        for row, row_ids in enumerate(top.indices.tolist())
        for token_id in row_ids
    ]
    return tuple(sorted(found, key=lambda move: -abs(move.after - move.before))[:MOVES])


def old_name(config: TrainConfig) -> str:
    """What the model to start from had learned from, in words."""
    if not config.init:
        return ""
    source = source_of(Path(config.init))
    return str(model_card.read(Path(config.init)).get("data", "")) or (source.data if source else "its old text")


def old_text(config: TrainConfig, tokenizer: Tokenizer) -> tuple[TokenFile | None, str]:
    """Held-out tokens of the old text, or None and why."""
    if not config.init:
        return None, ""
    if not Path(config.init).exists():
        return None, "the model it began with is gone, and what that learned from is not recorded elsewhere"
    source = source_of(Path(config.init))
    if source is None:
        return None, "what it learned from is not recorded, so what it forgot cannot be measured"
    try:
        text = "".join(_held_out(source))
    except UserError as error:
        if spec_of(source.data) is None and not file_of(source).exists():
            return None, f"the text it learned from, {source.data}, is gone, so what it forgot cannot be measured"
        return None, f"the old text is not at hand ({error})"
    encoder = Encoder(tokenizer)
    if source.documents:
        rows, _ = encoder.rows([line for line in text.splitlines() if line.strip()], config.context)
        return TokenFile(rows, config.context), ""
    ids = encoder.encode(text)
    context = min(config.context, len(ids) - 1)
    if context < 1:
        return None, "the old text is too short to measure"
    return TokenFile(ids, context), ""


def _held_out(source: TrainConfig) -> Iterator[str]:
    """The held-out part that the run itself took, or the beginning of it."""
    if (corpus := spec_of(source.data)) is not None:
        draw = open_corpus(corpus.name)
        yield from (document + "\n" for document in draw(HELD_OUT_FROM_SEED + source.seed, OLD_DOCUMENTS))
        return
    left = OLD_CHARS
    for is_val, text in open_text(str(file_of(source)), Path(), source.text_field).split(source.val_fraction):
        if is_val and left > 0:
            yield text[:left]
            left -= len(text)
