"""What can be changed inside a model while it runs, as plain descriptions: frozen, named in words, fit to travel.

They go through the protocol, into session files and onto the command line; `gpttui.inference.interventions` makes taps
of them. Positions are positions of the whole text, so a change holds however the text is computed. No torch.
"""

import re
from typing import ClassVar, Literal

import msgspec

from gpttui.errors import UserError

Mode = Literal["zero", "mean"]
"""Silence a part: put zeros in its place, or its mean over a text, which keeps what it says always."""


class _Base(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    of_a_place: ClassVar[bool] = False
    """It names positions of the text: behind another prompt it would be about other tokens."""

    @property
    def words(self) -> str:
        """One line for the header and the list: everything counts from 1, as on the screen."""
        raise NotImplementedError


class AblateHead(_Base, frozen=True):
    """One head's output (its z) is put out."""

    layer: int
    head: int
    mode: Mode = "zero"
    over: str = ""
    """With `mean`: the text that the mean is taken over; empty: the prompt at hand."""

    @property
    def words(self) -> str:
        return f"layer {self.layer + 1} head {self.head + 1} {_silenced(self.mode)}"


class AblatePart(_Base, frozen=True):
    """All that one layer's attention, or its MLP, adds to the residual stream is put out."""

    layer: int
    part: Literal["attn", "mlp"]
    mode: Mode = "zero"
    over: str = ""

    @property
    def words(self) -> str:
        return f"layer {self.layer + 1} {_part(self.part)} {_silenced(self.mode)}"


class AblateNeuron(_Base, frozen=True):
    """One neuron's activation is put out."""

    layer: int
    neuron: int
    mode: Mode = "zero"
    over: str = ""

    @property
    def words(self) -> str:
        return f"layer {self.layer + 1} neuron {self.neuron + 1} {_silenced(self.mode)}"


class ForbidEdge(_Base, frozen=True):
    """One head may not look from one position at another; the rest of the row shares what it gave there."""

    of_a_place: ClassVar[bool] = True
    layer: int
    head: int
    query: int
    key: int

    @property
    def words(self) -> str:
        edge = f"token {self.query + 1} to token {self.key + 1}"
        return f"layer {self.layer + 1} head {self.head + 1} may not look from {edge}"


class PatchResidual(_Base, frozen=True):
    """At one position the residual stream is replaced by another prompt's, and the model goes on with that."""

    of_a_place: ClassVar[bool] = True
    layer: int
    """-1: the token's embedding."""
    part: Literal["embed", "attn", "mlp"]
    """After which part of the layer."""
    position: int
    prompt: str
    source_position: int
    """In the other prompt; negative counts from its end."""

    @property
    def words(self) -> str:
        place = "the embedding" if self.part == "embed" else f"layer {self.layer + 1} {_part(self.part)}"
        back = -self.source_position
        from_end = "the last token" if back == 1 else f"token {back} from the end"
        source = f"token {self.source_position + 1}" if back <= 0 else from_end
        return f"token {self.position + 1} replaced after {place} by {source} of {_quoted(self.prompt)}"


class Steer(_Base, frozen=True):
    """After a layer, every position gets `strength` times the difference of two prompts' last vectors there.

    Turner et al. 2023, "Activation Addition".
    """

    layer: int
    plus: str
    minus: str
    strength: float = 1.0

    @property
    def words(self) -> str:
        difference = f"({_quoted(self.plus)} − {_quoted(self.minus)})"
        return f"steered after layer {self.layer + 1} by {self.strength:g} × {difference}"


Intervention = AblateHead | AblatePart | AblateNeuron | ForbidEdge | PatchResidual | Steer


def without_places(changes: tuple[Intervention, ...]) -> tuple[Intervention, ...]:
    """Those that hold behind any prompt."""
    return tuple(change for change in changes if not change.of_a_place)


def _part(part: str) -> str:
    return "attention" if part == "attn" else "MLP"


def _silenced(mode: Mode) -> str:
    return "silenced" if mode == "zero" else "held at its mean"


def _quoted(text: str) -> str:
    line = " ".join(text.split())
    return f"“{line if len(line) <= 24 else line[:23] + '…'}”"


_TARGET = re.compile(r"(?P<layer>\d+)\.(?:(?P<head>\d+)|(?P<part>attn|mlp)|mlp\.(?P<neuron>\d+))")
_EDGE = re.compile(r"(\d+)>(\d+)")


def parse(text: str) -> Intervention:
    """What `--ablate` takes: `2.1` a head, `2.attn`, `2.mlp`, `2.mlp.37` a neuron, `2.1:5>3` an edge from 5 to 3.

    Layers, heads, neurons and tokens count from 1, as on every screen. All but the edge take `:mean` behind them.
    Raises UserError for anything else.
    """
    what, _, how = text.strip().partition(":")
    target, edge = _TARGET.fullmatch(what), _EDGE.fullmatch(how)
    numbers = [int(n) - 1 for n in re.findall(r"\d+", text)]
    if target and min(numbers) < 0:
        raise UserError(f"{text!r}: layers, heads, neurons and tokens count from 1; there is no 0")
    if target and edge and target["head"]:
        return ForbidEdge(*numbers)
    if target and how in ("", "zero", "mean"):
        mode: Mode = "mean" if how == "mean" else "zero"
        layer = numbers[0]
        if target["head"]:
            return AblateHead(layer, numbers[1], mode)
        if target["neuron"]:
            return AblateNeuron(layer, numbers[1], mode)
        return AblatePart(layer, "attn" if target["part"] == "attn" else "mlp", mode)
    raise UserError(
        f"{text!r} names nothing to ablate; write LAYER.HEAD, LAYER.attn, LAYER.mlp or LAYER.mlp.NEURON,"
        " with :mean for the mean, or LAYER.HEAD:QUERY>KEY for an edge, all counted from 1"
    )


def as_arguments(changes: tuple[Intervention, ...]) -> tuple[str, ...]:
    """What `--ablate` would have to be given for those `changes` that it can express, in order."""
    found = []
    for change in changes:
        mode = ":mean" if getattr(change, "mode", "zero") == "mean" else ""
        layer = change.layer + 1
        match change:
            case AblateHead():
                found.append(f"{layer}.{change.head + 1}{mode}")
            case AblatePart():
                found.append(f"{layer}.{change.part}{mode}")
            case AblateNeuron():
                found.append(f"{layer}.mlp.{change.neuron + 1}{mode}")
            case ForbidEdge():
                found.append(f"{layer}.{change.head + 1}:{change.query + 1}>{change.key + 1}")
    return tuple(found)
