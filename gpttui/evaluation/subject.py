"""The model under examination: what the evaluations may ask of it, and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gpttui.inference.generate import GREEDY, complete_batch, complete_ids, token_nlls
from gpttui.inference.opening import open_model
from gpttui.inference.precision import Precision
from gpttui.model.gpt import GPT
from gpttui.records import Array, Sampling
from gpttui.tokenizers import Tokenizer

Metrics = dict[str, float]
"""Name → value: shares from 0 to 1, losses in nats."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A model with its tokenizer."""

    model: GPT
    tokenizer: Tokenizer

    @classmethod
    def open(cls, path: Path, precision: Precision = "auto") -> "Subject":
        return cls(*open_model(path, precision=precision))

    def complete(
        self,
        prompts: Sequence[str],
        max_new: int,
        *,
        stop: str = "\n",
        sampling: Sampling = GREEDY,
        seed: int = 0,
    ) -> list[str]:
        """What the model writes after each prompt, up to and without `stop`; greedy unless told how to draw."""
        return complete_batch(
            self.model, self.tokenizer, list(prompts), max_new, stop=stop, sampling=sampling, seed=seed
        )

    def row_nats(self, rows: Sequence[Sequence[int]]) -> list[Array]:
        """For each row of ids, `[len(row) - 1]`: -ln of the probability given to each id after the first."""
        return token_nlls(self.model, rows)

    def continue_ids(self, rows: Sequence[Sequence[int]], max_new: int) -> list[list[int]]:
        """The most probable continuation of each row, cut on the left where it is too long for the context."""
        room = self.model.config.context - max_new
        return complete_ids(self.model, [row[-room:] for row in rows], max_new)
