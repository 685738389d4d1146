"""Whether a model writes here what it writes in `transformers`: the likeliest token, again and again, on both sides.

Both compute in fp32, where two best tokens are hardly ever so near each other that rounding decides.
"""

from typing import Any

import torch

from gpttui.bench.report import Row
from gpttui.inference.session import Session
from gpttui.model.gpt import GPT
from gpttui.records import Sampling
from gpttui.tokenizers import Tokenizer

PROMPTS = (
    "The capital of France is",
    "Once upon a time, in a small town by the sea,",
    "def fibonacci(n):",
    "1, 2, 3, 4, 5,",
    "Dear Sir or Madam,\n\n",
)
TOKENS = 64


def greedy_row(model: GPT, tokenizer: Tokenizer, theirs: Any, their_tokenizer: Any) -> Row:
    """How many of the texts differ; 0 is the goal. The note says where the first of them part."""
    apart = []
    for prompt in PROMPTS:
        ours_ids = ours(model, tokenizer, prompt)
        their_ids = of_transformers(theirs, their_tokenizer, prompt, len(ours_ids))
        if ours_ids != their_ids:
            at = next((n for n, (a, b) in enumerate(zip(ours_ids, their_ids, strict=False)) if a != b), -1)
            begun = len(tokenizer.prompt(prompt))
            apart.append(f"{prompt!r} parts at " + ("its own tokens" if at < begun else f"token {at - begun + 1}"))
    name = f"greedy texts that differ, of {len(PROMPTS)}, {TOKENS} tokens each"
    baseline = "transformers, the same file, fp32"
    return Row(name, len(apart), "texts", baseline, at_least=0, aim=0, note="; ".join(apart))


def ours(model: GPT, tokenizer: Tokenizer, prompt: str) -> list[int]:
    """Ids of the prompt and of what follows, as far as the context reaches: `transformers` does not slide."""
    session = Session(model, tokenizer, prompt=prompt, sampling=Sampling(temperature=0))
    for _ in range(min(TOKENS, model.config.context - len(session))):
        session.step()
    return [int(token_id) for token_id in session.ids]


@torch.inference_mode()
def of_transformers(model: Any, tokenizer: Any, prompt: str, length: int) -> list[int]:
    """The same by its cached forward, `length` ids in all; an end token ends neither."""
    ids = list(tokenizer(prompt).input_ids)
    fresh, past = ids, None
    while len(ids) < length:
        out = model(torch.tensor([fresh]), past_key_values=past, use_cache=True)
        past, fresh = out.past_key_values, [int(out.logits[0, -1].argmax())]
        ids = ids + fresh
    return ids
