"""The stops of one token's way in plain words: what each is called, what happens there, what is said about it.

For: the journey. Not for: its picture (`journey_map`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import acos, degrees

from gpttui.protocol.stream import Journey
from gpttui.records import Draw, Sampling
from gpttui.tui.renderables.ink import number
from gpttui.tui.renderables.labels import percent, setting, stages_on

Label = Callable[[int], str]
"""A token in quotes, by its id."""

LEAST_LOOK = 0.1
"""Share of a layer's attention from which on a token is worth naming."""


@dataclass(frozen=True, slots=True)
class StopName:
    """`0 attn` taken apart."""

    layer: int
    """From 0; -1 before the first."""
    part: str
    """`token`, `place`, `embed` (both in one), `attn` or `mlp`."""

    @property
    def short(self) -> str:
        return {"token": "token", "place": "place", "embed": "token", "attn": "attention", "mlp": "MLP"}[self.part]

    @property
    def shortest(self) -> str:
        return "attn" if self.part == "attn" else self.short

    @property
    def long(self) -> str:
        """As in `next comes …`."""
        who = {"attn": "attention", "mlp": "MLP"}
        starts = {"token": "the token's vector", "place": "the vector of its place", "embed": "the token's vector"}
        return f"layer {self.layer + 1}'s {who[self.part]}" if self.part in who else starts[self.part]


def stop_names(stops: Sequence[str]) -> tuple[StopName, ...]:
    """Of all stops of a journey. `embed` behind `token` is where the place comes in."""
    apart = "token" in stops
    found = []
    for stop in stops:
        layer, _, part = stop.rpartition(" ")
        found.append(StopName(int(layer) if layer else -1, "place" if apart and part == "embed" else part))
    return tuple(found)


def angle(cosine: float) -> str:
    """`23°`"""
    return f"{degrees(acos(max(-1.0, min(1.0, cosine)))):.0f}°"


PLACE_ELSEWHERE = {
    "learned": "; the vector of its place is in it",
    "rope": ". Its place comes in later, as a rotation inside attention",
    "none": ". Nothing says at which place it stands",
}


def deed(journey: Journey, stop: int, label: Label, text: Sequence[int]) -> str:
    """What happens at the stop, in a sentence or two. `text`: the ids of the whole text."""
    at = stop_names(journey.stops)[stop]
    added, width = number(float(journey.added_norms[stop])), journey.vectors.shape[1]
    token = label(journey.token_id)
    if at.part in ("token", "embed"):
        place = PLACE_ELSEWHERE[journey.positions] if at.part == "embed" else ""
        return f"The token {token} is looked up in the embedding table: its row, {width} numbers, is its vector{place}."
    if at.part == "place":
        where = f"place {journey.position + 1}"
        return f"The vector of {where} is added, of length {added}: so it matters where the token stands."
    if at.part == "mlp":
        who = f"Layer {at.layer + 1}'s MLP"
        return f"{who} asks this one vector its questions, and adds the answers: a vector of length {added}."
    who = f"Layer {at.layer + 1}'s heads {looks(journey, at.layer, label, text)}"
    return f"{who}; what they fetch there is added: a vector of length {added}."


def looks(journey: Journey, layer: int, label: Label, text: Sequence[int]) -> str:
    """`look mostly at "·cat" (61%) and "·the" (12%)`: the mean over a layer's heads."""
    if journey.position == 0:
        return "find nothing before this token and look at it alone"
    named: list[str] = []
    for at, weight in zip(journey.looked_at[layer].tolist(), journey.looked[layer].tolist(), strict=True):
        if 0 <= at < len(text) and (weight >= LEAST_LOOK or not named):
            what = "the token itself" if at == journey.position else label(int(text[at]))
            named.append(f"{what} ({percent(weight)})")
    return "look mostly at " + (f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else "".join(named))


def result(journey: Journey, stop: int) -> str:
    """What became of the vector."""
    length = number(float(journey.norms[stop]))
    if stop == 0:
        return f"Its length is {length}."
    return f"The sum is {length} long now, turned by {angle(float(journey.turned[stop]))}."


def says(journey: Journey, stop: int, label: Label, most: int = 3) -> str:
    """`"·a" 74.4%, "ed" 14.9%`: the lens's first tokens."""
    tops = zip(journey.top_ids[stop, :most].tolist(), journey.top_probs[stop, :most].tolist(), strict=True)
    return ", ".join(f"{label(token_id)} {percent(prob)}" for token_id, prob in tops)


def chances(journey: Journey, label: Label, vocab_size: int) -> str:
    """What the last vector becomes."""
    best, prob = label(int(journey.top_ids[-1, 0])), percent(float(journey.top_probs[-1, 0]))
    every = f"all {vocab_size:,} tokens" if vocab_size else "all tokens"
    return f"The last vector is compared with those of {every}: each gets its chance, {best} the best, {prob}."


def came(draw: Draw | None, label: Label) -> str:
    """How the newest token came to be there, where that is known."""
    if draw is None or draw.picked:
        return ""
    if not draw.uniform >= 0:
        return f"Taken, being the best: {label(draw.token_id)}. "
    stretch = f"{draw.low:.3f} to {draw.high:.3f}"
    return f"Drawn: {label(draw.token_id)}; the random number {draw.uniform:.3f} fell on its stretch, {stretch}. "


def drawing(sampling: Sampling) -> str:
    """What is done to the chances before one is drawn: `draws one of them (temperature 0.8)`."""
    how = [f"{stage.name} {setting(sampling, stage)}" for stage in stages_on(sampling)]
    if sampling.temperature == 0:
        return f"takes the best of them ({', '.join(how[:-1])})" if how[:-1] else "takes the best of them"
    return f"draws one of them ({', '.join(how)})"
