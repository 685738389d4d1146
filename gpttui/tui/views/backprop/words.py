"""A training step in words: names of its weights and stops, small numbers, what each part says.

For: the panes of the step. Not for: how anything is computed (`gpttui.training.step_apart`).
"""

import re

from gpttui.protocol.backprop import TakenApart

_LAYER = re.compile(r"transformer\.h\.(\d+)\.(.+)")
_WHOLE = {
    "transformer.wte.weight": "token embedding",
    "transformer.wpe.weight": "position embedding",
    "lm_head.weight": "head",
    "transformer.ln_f": "final norm",
}
_OF_LAYER = {
    "attn.c_attn": "attention: query, key, value",
    "attn.c_proj": "attention: output",
    "attn.q_norm": "attention: norm of queries",
    "attn.k_norm": "attention: norm of keys",
    "mlp.c_fc": "MLP: into the neurons",
    "mlp.c_gate": "MLP: gates",
    "mlp.c_proj": "MLP: out of the neurons",
    "ln_1": "norm before attention",
    "ln_2": "norm before the MLP",
}


def weight_name(name: str) -> str:
    """A parameter in plain words, layers counted from 1; what is not known keeps its own name."""
    if name in _WHOLE:
        return _WHOLE[name]
    base, _, kind = name.rpartition(".")
    biases = ", biases" if kind == "bias" else ""
    if base in _WHOLE:
        return _WHOLE[base] + biases
    match = _LAYER.fullmatch(base)
    if match is None:
        return name
    return f"layer {int(match[1]) + 1} {_OF_LAYER.get(match[2], match[2])}{biases}"


def small(value: float, *, sign: bool = False) -> str:
    """A number of any size in at most nine characters, with three figures: `0.0123`, `1.20e-5`, `-3.41`, `0`."""
    size = abs(value)
    form = ".2e" if 0 < size < 0.001 or size >= 1e4 else f".{max(0, _decimals(size))}f"
    text = format(value, f"+{form}" if sign else form)
    mantissa, e, power = text.partition("e")
    return f"{mantissa}e{int(power)}" if e else "0" if size == 0 else text


def _decimals(size: float) -> int:
    return (
        0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 1 else 3 if size >= 0.1 else 4 if size >= 0.01 else 5
    )


def plain(value: float) -> str:
    """A number written out, as a sentence has it: `0.000012`; with a power of ten where that is too long."""
    size = abs(value)
    if size == 0 or not 1e-9 <= size < 1e7:
        return small(value)
    text = f"{value:.12f}"
    digits = next(n for n, letter in enumerate(text.lstrip("-").replace(".", "")) if letter != "0")
    decimals = max(0, digits - len(text.lstrip("-").partition(".")[0]) + 2)
    return f"{value:.{decimals}f}"


def whose(taken: TakenApart) -> str:
    """What was taken: `step 43`, or a step on the open text."""
    return "one step on your text" if taken.on_text else f"step {taken.step:,}"
