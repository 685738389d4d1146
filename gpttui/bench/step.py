"""`gpttui bench step`: a step with everything recorded, against `transformers` doing as much with the same weights.

Ours draws the token and records everything (`Session.step`); theirs is a cached forward that returns attentions and
hidden states. Both step the same tokens in turns of a few, so that a busy machine slows both alike; of each the lower
quartile is taken, the time of steps that nothing else interrupted.
"""

import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gpttui.bench.report import Row
from gpttui.errors import UserError
from gpttui.inference.opening import usable_cores
from gpttui.inference.session import Session
from gpttui.model.checkpoint import build
from gpttui.model.dialects import config_of
from gpttui.model.families import load_state, stored_state
from gpttui.model.gpt import GPT, GPTConfig
from gpttui.tokenizers import train_bpe


class Case(NamedTuple):
    """One shape, and the ratio it must stay under."""

    title: str
    config: GPTConfig
    n_prompt: int
    n_steps: int
    at_most: float
    aim: float


CASES = {
    "small": Case("4 layers x width 128, context 128", GPTConfig(256, 128, 4, 4, 128), 24, 100, 0.8, 0.4),
    "gpt2": Case("GPT-2 small's shape, random weights", GPTConfig(50_257, 1024, 12, 12, 768), 64, 40, 1.0, 0.7),
}


TURN = 10
"""Steps in a row: enough that each side finds its own weights in the processor's cache, as it would in use."""


def measure(*, repeats: int = 3, shapes: tuple[str, ...] = tuple(CASES)) -> list[Row]:
    """A row for each shape, with as many threads as an engine takes. Raises UserError without transformers."""
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, usable_cores() - 1))
    try:
        return [timed(CASES[name], repeats=repeats) for name in shapes]
    finally:
        torch.set_num_threads(threads)


def timed(case: Case, *, repeats: int) -> Row:
    """Raises UserError where `transformers`, the yardstick, is not installed."""
    torch.manual_seed(0)
    family = config_of(case.config)
    stored = stored_state(dict(GPT(case.config).state_dict()), family, case.config)
    model = build(case.config, load_state(stored, family).state, Path("random"))
    theirs = oracle(case.config, stored)
    tokenizer = train_bpe([], 256)
    ours_s: list[float] = []
    theirs_s: list[float] = []
    for repeat in range(repeats + 1):
        if repeat == 1:  # the first round warmed both up
            ours_s, theirs_s = [], []
        session = Session(model, tokenizer, prompt="x" * case.n_prompt, seed=repeat)
        past = _theirs(theirs, session.ids.tolist(), None)
        for _ in range(0, case.n_steps, TURN):
            ids = [_timed(ours_s, session.step) for _ in range(TURN)]
            for token_id in ids:
                past = _timed(theirs_s, partial(_theirs, theirs, [token_id], past))
    ours_ms, theirs_ms = (statistics.quantiles(x, n=4)[0] * 1e3 for x in (ours_s, theirs_s))
    return Row(
        name=f"Session.step, all recorded: {case.title}",
        value=ours_ms,
        unit="ms",
        baseline="transformers, cached, with attentions and hidden states",
        baseline_value=theirs_ms,
        ratio=ours_ms / theirs_ms,
        at_least=case.at_most,
        aim=case.aim,
    )


def _timed(times_s: list[float], act: Callable[[], Any]) -> Any:
    began_s = perf_counter()
    result = act()
    times_s.append(perf_counter() - began_s)
    return result


@torch.inference_mode()
def _theirs(model: Any, ids: list[int], past: Any) -> Any:
    out = model(
        torch.tensor([ids]), past_key_values=past, use_cache=True, output_attentions=True, output_hidden_states=True
    )
    return out.past_key_values


def oracle(shape: GPTConfig, stored: dict[str, Tensor]) -> Any:
    """The same weights as a `transformers` model. Raises UserError where that is not installed."""
    try:
        from transformers import GPT2Config, GPT2LMHeadModel
    except ImportError as error:
        raise UserError("the step benchmark compares with transformers; pip install transformers") from error
    raw = {name: value for name, value in config_of(shape).written().items() if name != "architectures"}
    config: Any = GPT2Config(**raw)
    config._attn_implementation = "eager"
    theirs: Any = GPT2LMHeadModel(config)
    theirs.eval()
    missing, surplus = theirs.load_state_dict(stored, strict=False)
    if surplus or set(missing) - {"lm_head.weight"}:
        raise UserError(f"this transformers names GPT-2's weights otherwise: {[*missing, *surplus][:3]}")
    theirs.tie_weights()
    return theirs
