"""Interventions at work: descriptions become one tap that changes activations on their way.

`Changes` is that tap. It knows which position of the text a pass starts with (`at`), so a whole prompt in one pass, a
step over one row of a cached text, and a slid window all see the same change. What a change needs of other texts (a
mean, a patch, a steering vector) is computed once, on the unaltered model, when it is compiled.
"""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, assert_never

import torch
from torch import Tensor

from gpttui.errors import UserError
from gpttui.inference.neurons import check_neuron
from gpttui.inference.session import Session
from gpttui.inference.trace import Stop, Trace, check_layer, mlp_of, record, stops
from gpttui.interventions import (
    AblateHead,
    AblateNeuron,
    AblatePart,
    ForbidEdge,
    Intervention,
    PatchResidual,
    Steer,
)
from gpttui.model.gpt import GPT, GPTConfig
from gpttui.model.taps import PATTERN_SITES, Tap
from gpttui.tokenizers import Tokenizer

Edit = Callable[[Tensor, int], Tensor]
"""(activation with its batch axis, position of its first row) → what the pass goes on with."""


class Changes:
    """Several interventions as one tap, applied in the order they were made."""

    def __init__(self, made: Sequence[Intervention] = (), edits: Sequence[tuple[str, Edit]] = ()) -> None:
        self.made, self.start = tuple(made), 0
        self.edits: dict[str, list[Edit]] = {}
        for site, edit in edits:
            self.edits.setdefault(site, []).append(edit)
        self.fused = not any(site.endswith(PATTERN_SITES) for site in self.edits)

    @property
    def words(self) -> tuple[str, ...]:
        """One line for each."""
        return tuple(change.words for change in self.made)

    def at(self, start: int) -> Tap:
        """The tap for a pass whose first row is position `start` of the text."""
        placed = copy.copy(self)
        placed.start = start
        return placed

    def __call__(self, site: str, x: Tensor) -> Tensor:
        for edit in self.edits.get(site, ()):
            x = edit(x, self.start)
        return x


def compile_changes(model: GPT, tokenizer: Tokenizer, made: Sequence[Intervention], prompt: Sequence[int]) -> Changes:
    """The tap for `made`. `prompt` (ids) is what means are taken over where an intervention names no text.

    Raises UserError for a layer, head, neuron or position that is not there, or a text that the model cannot read.
    """
    edits: list[tuple[str, Edit]] = []
    for change in made:
        edits += _edits(model, tokenizer, change, prompt)
    return Changes(made, edits)


def _edits(model: GPT, tokenizer: Tokenizer, change: Intervention, prompt: Sequence[int]) -> list[tuple[str, Edit]]:
    config = model.config
    match change:
        case AblateHead(layer=layer, head=head):
            check_layer(config, layer, head)
            return _silence(model, tokenizer, change, prompt, f"blocks.{layer}.attn.z", (slice(None), head))
        case AblatePart(layer=layer, part=part):
            check_layer(config, layer)
            if part == "mlp":
                mlp_of(model, layer)
            return _silence(model, tokenizer, change, prompt, f"blocks.{layer}.{part}.out", ())
        case AblateNeuron(layer=layer, neuron=neuron):
            check_neuron(mlp_of(model, layer).c_proj.in_features, neuron)
            return _silence(model, tokenizer, change, prompt, f"blocks.{layer}.mlp.post", (..., neuron))
        case ForbidEdge():
            return _forbid(config, change)
        case PatchResidual():
            return _patch(model, tokenizer, change)
        case Steer():
            return _steer(model, tokenizer, change)
        case _:
            assert_never(change)


def _silence(
    model: GPT,
    tokenizer: Tokenizer,
    change: AblateHead | AblatePart | AblateNeuron,
    prompt: Sequence[int],
    site: str,
    where: tuple[Any, ...],
) -> list[tuple[str, Edit]]:
    """Every row's `x[where]` becomes zero, or its mean over a text."""
    held: Tensor | float = 0.0
    if change.mode == "mean":
        ids = tokenizer.prompt(change.over) if change.over else prompt
        seen = record(model, ids[-model.config.context :], [site]).tensors[site]
        held = seen[None][where][0].mean(dim=0)

    def edit(x: Tensor, _start: int) -> Tensor:
        x = x.clone()
        x[where] = held
        return x

    return [(site, edit)]


def _forbid(config: GPTConfig, change: ForbidEdge) -> list[tuple[str, Edit]]:
    check_layer(config, change.layer, change.head)
    if not 0 <= change.key <= change.query:
        raise UserError(
            f"token {change.query + 1} cannot look at {change.key + 1} anyway; an edge goes back in the text"
        )

    def block(scores: Tensor, start: int) -> Tensor:
        rows, keys = scores.shape[-2:]
        row, key = change.query - start, change.key - (start - (keys - rows))
        if not (0 <= row < rows and 0 <= key < keys):
            return scores
        scores = scores.clone()
        scores[:, change.head, row, key] = -math.inf
        return scores

    def mend(pattern: Tensor, start: int) -> Tensor:  # a row with every edge forbidden: it reads nothing
        row = change.query - start
        if 0 <= row < pattern.size(-2) and torch.isnan(pattern[:, change.head, row]).any():
            pattern = pattern.clone()
            pattern[:, change.head, row] = 0.0
        return pattern

    site = f"blocks.{change.layer}.attn."
    return [(site + "scores", block), (site + "pattern", mend)]


def _patch(model: GPT, tokenizer: Tokenizer, change: PatchResidual) -> list[tuple[str, Edit]]:
    site = stop_at(model.config, change.layer, change.part).site
    if change.position < 0:
        raise UserError(f"a patch needs a token of the text, counted from 1, not {change.position + 1}")
    source = traced(model, tokenizer, change.prompt, site)
    vector = source.tensors[site][source.row(change.source_position)]

    def edit(x: Tensor, start: int) -> Tensor:
        row = change.position - start
        if not 0 <= row < x.size(1):
            return x
        x = x.clone()
        x[:, row] = vector
        return x

    return [(site, edit)]


def _steer(model: GPT, tokenizer: Tokenizer, change: Steer) -> list[tuple[str, Edit]]:
    check_layer(model.config, change.layer)
    site = f"blocks.{change.layer}.resid_post"
    plus, minus = (traced(model, tokenizer, text, site).tensors[site][-1] for text in (change.plus, change.minus))
    push = change.strength * (plus - minus)
    if not bool(torch.isfinite(push).all()):
        raise UserError(f"a strength of {change.strength} is too much to steer by")
    return [(site, lambda x, _start: x + push)]


def traced(model: GPT, tokenizer: Tokenizer, text: str, *sites: str) -> Trace:
    """The unaltered model over `text`. Raises UserError for an empty text or one that does not fit."""
    return record(model, tokenizer.prompt(text), sites)


def stop_at(config: GPTConfig, layer: int, part: str) -> Stop:
    """The residual stream's stop after `part` of `layer`. Raises UserError where there is none."""
    for stop in stops(config):
        if (stop.layer, stop.part) == (layer, part):
            return stop
    raise UserError(f"the residual stream has no stop after {part} {layer} in this model")


def made_of(session: Session) -> tuple[Intervention, ...]:
    """The interventions that the session's model is under."""
    return session.tap.made if isinstance(session.tap, Changes) else ()


@contextmanager
def altered(session: Session, model: GPT, made: tuple[Intervention, ...], prompt: list[int]) -> Iterator[None]:
    """The session under `made`, whose means and vectors are those of `model` and `prompt` (ids); as before if it fails.

    Whoever asks for this runs the text anew.
    """
    before = session.tap, session.tap_names
    if session.tap is not None:
        changes = compile_changes(model, session.tokenizer, made, prompt)
        session.tap, session.tap_names = (changes if made else None), changes.words
    try:
        yield
    except Exception:
        session.tap, session.tap_names = before
        session.recompute()
        raise
