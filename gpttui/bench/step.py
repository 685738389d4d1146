"""`gpttui bench step`: a step with everything recorded, against `transformers` doing as much with the same weights.

Both sides go token by token from the same prompt, with caches of their own, and draw from the same distribution. Ours
records residual stream, queries, keys, values, attention and logits of the step; theirs returns attentions and hidden
states. The sides take turns, so that a busy machine slows both.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from gpttui.bench.report import Row, against, in_turns, timed_ms
from gpttui.engine.server import usable_cores
from gpttui.errors import UserError
from gpttui.inference.session import Session
from gpttui.model import checkpoint
from gpttui.model.gpt import GPT, GPTConfig
from gpttui.records import Sampling
from gpttui.tokenizers import Tokenizer, train_bpe

PROMPT = "To be, or not to be: that is the question"
SHAPES = {
    "4 layers x width 128, context 128": (GPTConfig(512, 128, 4, 4, 128), 60, 0.8, 0.4),
    "GPT-2 small's shape, random weights": (GPTConfig(50257, 1024, 12, 12, 768), 16, 1.0, 0.7),
}
"""Name → shape, steps of a round, and the goals for the ratio."""
ROUNDS = 5
SAMPLING = Sampling(temperature=0.8, top_k=40)


def measure(*, rounds: int = ROUNDS, shapes: tuple[str, ...] = tuple(SHAPES)) -> list[Row]:
    """A row for each shape. Raises UserError where transformers is not installed."""
    tokenizer = train_bpe([PROMPT], 256)
    torch.set_num_threads(max(1, usable_cores() - 1))  # as the engine does
    rows = []
    for name in shapes:
        config, steps, at_least, aim = SHAPES[name]
        torch.manual_seed(0)
        model = GPT(config).requires_grad_(False).eval()
        ours, theirs = our_steps(model, tokenizer, steps), their_steps(model, tokenizer, steps)
        ours()
        theirs()
        ours_ms, theirs_ms = in_turns(rounds, ours, theirs)
        rows.append(
            against(
                f"Session.step, all recorded: {name}",
                ours_ms,
                "transformers, cached, with attentions and hidden states",
                theirs_ms,
                at_least=at_least,
                aim=aim,
            )
        )
    return rows


def our_steps(model: GPT, tokenizer: Tokenizer, steps: int) -> Callable[[], float]:
    """A round: `steps` steps of a Session behind the prompt; returns milliseconds a step."""
    session = Session(model, tokenizer, sampling=SAMPLING, prompt=PROMPT)

    def work() -> float:
        session.home()
        return timed_ms(lambda: [session.step() for _ in range(steps)]) / steps

    return work


def their_steps(model: GPT, tokenizer: Tokenizer, steps: int) -> Callable[[], float]:
    """The same with `transformers`: one token on the cache, attentions and hidden states kept, top-k, a draw."""
    theirs = _open_theirs(model)
    prompt = torch.tensor([tokenizer.encode(PROMPT)])

    @torch.inference_mode()
    def work() -> float:
        out, kept = theirs(prompt, use_cache=True), []
        began_s = perf_counter()
        for _ in range(steps):
            best, ids = torch.topk(out.logits[0, -1] / SAMPLING.temperature, SAMPLING.top_k)
            drawn = ids[torch.multinomial(torch.softmax(best, -1), 1)][None]
            out = theirs(
                drawn,
                past_key_values=out.past_key_values,
                use_cache=True,
                output_attentions=True,
                output_hidden_states=True,
            )
            kept.append((out.attentions, out.hidden_states))
        return (perf_counter() - began_s) * 1e3 / steps

    return work


def _open_theirs(model: GPT) -> Any:
    try:
        from transformers import GPT2LMHeadModel
        from transformers.utils import logging
    except ImportError as error:
        raise UserError("this benchmark compares with transformers; pip install transformers") from error
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory() as folder:
        checkpoint.save(model, Path(folder))
        theirs: Any = GPT2LMHeadModel.from_pretrained(folder, attn_implementation="eager")
        return theirs.eval()
