"""`gpttui bench step`: a step with everything recorded, against `transformers` doing as much with the same weights."""

import torch

from gpttui.bench.report import Row
from gpttui.inference import bench
from gpttui.inference.opening import usable_cores

SHAPES = {
    "small": "4 layers x width 128, context 128",
    "gpt2": "GPT-2 small's shape, random weights",
}


def measure(*, repeats: int = 3, shapes: tuple[str, ...] = tuple(SHAPES)) -> list[Row]:
    """A row for each shape, with as many threads as an engine takes. Raises UserError without transformers."""
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, usable_cores() - 1))
    try:
        timings = {name: bench.measure(name, repeats=repeats) for name in shapes}
    finally:
        torch.set_num_threads(threads)
    return [
        Row(
            name=f"Session.step, all recorded: {SHAPES[name]}",
            value=timing.ours_ms,
            unit="ms",
            baseline="transformers, cached, with attentions and hidden states",
            baseline_value=timing.theirs_ms,
            ratio=timing.ratio,
            at_least=timing.at_most,
            aim=timing.aim,
        )
        for name, timing in timings.items()
    ]
