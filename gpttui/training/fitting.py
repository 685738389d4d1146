"""A run that is given a time: how many steps it is long, from what steps, evaluations, samples and checkpoints take.

When to fit depends on the config alone, and every fit stands in it: a run that goes on repeats its steps bit for bit,
whatever the machine does meanwhile. Not for: what a run costs before it has begun (`gpttui.engine.estimate`).
"""

from collections import deque
from statistics import fmean

from gpttui.runs.config import TrainConfig
from gpttui.runs.events import CheckpointSaved, EvalDone, Event, SampleDrawn, StepDone

FITS = 32
"""About so many corrections, spread over the run; a few more at its beginning and its end."""
FIRST = 3
"""Steps before the first: the very first one takes longer than those to come."""
RECENT = 1000


def due(config: TrainConfig) -> int:
    """The step before which the schedule is fitted again."""
    since = config.before[-1].until if config.before else 0
    return since + max(1, min(config.steps // FITS, max(FIRST, 2 * since), (config.steps - since) // 2))


class Costs:
    """Seconds of what a run does, taken from its events as they come."""

    def __init__(self, tokens_per_step: int, val_tokens: int) -> None:
        self._tokens_per_step, self._val_tokens = tokens_per_step, val_tokens
        self._since_s = 0.0
        self._done = 0
        self._steps: deque[float] = deque(maxlen=RECENT)
        self._looks: dict[type[Event], float] = {}

    def take(self, event: Event | None, spent_s: float) -> None:
        """`spent_s` seconds more, at whose end `event` came, if any."""
        self._since_s += spent_s
        if event is None:
            return
        if not isinstance(event, StepDone):
            self._looks[type(event)] = self._since_s
        elif self._done:
            self._steps.append(self._since_s)
        self._done += isinstance(event, StepDone)
        self._since_s = 0.0

    def steps(self, config: TrainConfig, step: int, elapsed_s: float) -> int:
        """Steps in all that a run of `config.minutes` is long, of which `step` are done after `elapsed_s` seconds. One
        that has come to its end is not prolonged for a moment."""
        if len(self._steps) >= FIRST - 1:
            recent = list(self._steps)[-max(8, step // FITS) :]
            step_s = fmean(recent)
        elif step > self._done or step >= config.steps:
            step_s = elapsed_s / step
        else:
            return config.steps
        pass_s = step_s / 3  # forward only
        eval_s = self._looks.get(EvalDone, pass_s * min(config.eval_tokens, self._val_tokens) / self._tokens_per_step)
        sample_s, save_s = self._looks.get(SampleDrawn, 0.0), self._looks.get(CheckpointSaved, 0.0)
        every = (
            (eval_s, config.eval_every), (sample_s, config.sample_every), (save_s, config.checkpoint_every),
        )  # fmt: skip
        mean_s = step_s + sum(seconds / steps for seconds, steps in every if steps)
        left_s = config.minutes * 60 - elapsed_s - eval_s - save_s
        steps = step + max(0, round(left_s / mean_s))
        return steps if step < config.steps or steps - step > steps // FITS else step
