"""A prompt's candidates over the steps of a run: which rows to show, and each one's probability in every column.

For: the heat strip. Not for: colours, which are the pane's. A column that stands for several looks shows the largest
value (a sharp rise must survive); between looks the last one holds.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gpttui.protocol.train import Probe
from gpttui.records import Array


class Strip(NamedTuple):
    """Rows of candidates, columns of steps."""

    ids: Array
    """`[row]` the most probable at `at`, best first."""
    probs: Array
    """`[row, column]`; 0 where a candidate was not among those recorded."""
    steps: Array
    """`[column]`: the step that each column ends with."""
    now: Array
    """`[row]` probabilities at `at`."""
    at: int
    """The step whose order the rows have."""


def strip(probes: Sequence[Probe], rows: int, columns: int, at: int | None = None) -> Strip | None:
    """The strip of at most `rows` candidates, ordered as at step `at` (None: the last); None where nothing is known."""
    if not probes or rows < 1 or columns < 1:
        return None
    steps = np.array([probe.step for probe in probes])
    which = len(probes) - 1 if at is None else max(0, int(np.searchsorted(steps, at, side="right")) - 1)
    chosen = probes[which]
    ids = chosen.ids[:rows]
    table = np.zeros((len(ids), len(probes)), dtype=np.float32)  # [row, probe]
    row_of = {int(token_id): row for row, token_id in enumerate(ids)}
    for n, probe in enumerate(probes):
        for token_id, prob in zip(probe.ids.tolist(), probe.probs.tolist(), strict=True):
            if (row := row_of.get(token_id)) is not None:
                table[row, n] = prob
    edges = np.linspace(steps[0], max(steps[-1], steps[0] + 1), columns + 1)[1:]
    ends = np.maximum(np.searchsorted(steps, edges, side="right"), 1)  # probes up to each column's end
    starts = np.minimum(np.concatenate([[0], ends[:-1]]), ends - 1)
    pooled = np.stack([table[:, a:b].max(axis=1) for a, b in zip(starts, ends, strict=True)], axis=1)
    return Strip(ids, pooled, steps[ends - 1], chosen.probs[:rows], int(steps[which]))
