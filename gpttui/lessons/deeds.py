"""The closed vocabulary in which a lesson says what a person is to do: facts of the screen, compared with values.

A deed is written `view = "attention" and tokens_drawn >= 3`. It is checked on the state of the program and not on the
key that was pressed, so that any way of doing it counts. Nothing in it can run code.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gpttui.errors import UserError, no_such

Value = str | float | bool
Kind = Literal["text", "number", "yes"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a deed may speak of."""

    name: str
    kind: Kind
    says: str
    example: str


FACTS = {
    fact.name: fact
    for fact in (
        Fact("view", "text", "which screen is open: playground, training, or a view by its id", 'view = "attention"'),
        Fact("pane", "text", "the pane that is worked with, by its id", 'pane = "next"'),
        Fact("zoomed", "yes", "a pane has the whole screen", "zoomed"),
        Fact("model", "text", "the open model, by its id", 'model = "translate"'),
        Fact("prompt", "text", "the prompt", 'prompt contains "fashion"'),
        Fact("draft", "text", "what stands in the prompt's editor; empty where it is closed", 'draft contains "un"'),
        Fact("writing", "yes", "the prompt's editor is open", "writing"),
        Fact("tokens", "number", "tokens of the whole text", "tokens > 20"),
        Fact("tokens_drawn", "number", "tokens behind the prompt", "tokens_drawn >= 3"),
        Fact("picked", "yes", "a token behind the prompt was chosen by hand", "picked"),
        Fact("running", "yes", "token after token is being drawn", "running"),
        Fact("position", "number", "the selected token's place, counted from 1", "position = 4"),
        Fact("token", "text", "the selected token, without spaces around it", 'token = "model"'),
        Fact("layer", "number", "the selected layer, counted from 1", "layer = 3"),
        Fact("head", "text", "the selected head as layer.head, counted from 1", 'head = "4.2"'),
        Fact("temperature", "number", "the temperature of the draw", "temperature > 1"),
        Fact("top_k", "number", "how many candidates are kept; 0: all", "top_k = 5"),
        Fact("top_p", "number", "the probability kept by top-p; 1: all", "top_p < 0.9"),
        Fact("colour", "text", "what colours tokens: turns, surprisal, entropy", 'colour = "surprisal"'),
        Fact("overview", "yes", "the attention pane shows all heads", "overview"),
        Fact("changes", "number", "how many changes are made to the model", "changes >= 1"),
        Fact("silenced", "yes", "a head, an MLP or a neuron is switched off", "silenced"),
        Fact("forbidden", "yes", "a query is forbidden to look at a key", "forbidden"),
        Fact("nudged", "yes", "a weight of the step that was taken apart is nudged by hand", "nudged"),
        Fact("training", "yes", "a run is being trained", "training"),
        Fact("step", "number", "the step of the run on the training screen", "step >= 100"),
        Fact("loss", "number", "the newest training loss in nats a token", "loss < 2.0"),
    )
}
"""In the order in which the README's table gives them."""

_CLAUSE = re.compile(r"\s*([a-z_]+)\s*(?:(<=|>=|!=|=|<|>|contains)\s*(\"[^\"]*\"|-?\d+(?:\.\d+)?)\s*)?")


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison; without an operator, that the fact is so."""

    fact: str
    operator: str = ""
    value: Value = True

    def holds(self, found: Mapping[str, Value]) -> bool:
        """Whether it is so; a fact that is not known now is not."""
        have, want = found.get(self.fact), self.value
        if have is None:
            return False
        if self.operator == "contains":
            return str(want).lower() in str(have).lower()
        if isinstance(have, float | int) and isinstance(want, float | int):
            return {
                "": have == want, "=": have == want, "!=": have != want, "<": have < want, ">": have > want,
                "<=": have <= want, ">=": have >= want,
            }[self.operator]  # fmt: skip
        return (have == want) != (self.operator == "!=")


Deed = tuple[Clause, ...]
"""All of it must hold."""


def parse(text: str) -> Deed:
    """The deed that `text` describes. Raises UserError, one line, where it is none."""
    clauses = []
    for part in re.split(r'\s+and\s+(?=(?:[^"]*"[^"]*")*[^"]*$)', text.strip()):
        match = _CLAUSE.fullmatch(part)
        if match is None:
            raise UserError(f'{part[:60]!r} is no deed; write it like: view = "attention" and tokens_drawn >= 3')
        name, operator, value = match.groups()
        if name not in FACTS:
            raise UserError(no_such("fact", name, FACTS))
        clauses.append(_clause(FACTS[name], operator or "", value))
    return tuple(clauses)


def _clause(fact: Fact, operator: str, written: str | None) -> Clause:
    text = written is not None and written.startswith('"')
    fits = {
        "yes": written is None,
        "text": text and operator in ("=", "!=", "contains"),
        "number": written is not None and not text and operator != "contains",
    }
    if not fits[fact.kind]:
        raise UserError(f"{fact.name} cannot be compared so; write it like: {fact.example}")
    if written is None:
        return Clause(fact.name)
    return Clause(fact.name, operator, written[1:-1] if text else float(written))


def done(deed: Deed, found: Mapping[str, Value]) -> bool:
    """Whether every clause holds."""
    return all(clause.holds(found) for clause in deed)
