"""How `gpttui train` shows events: a live line on a terminal, plain lines on stdout where that is none, JSON lines."""

import contextlib
import sys
from pathlib import Path
from time import monotonic

import click

from gpttui.runs import events
from gpttui.runs.config import TrainConfig
from gpttui.text import safe_text

LINE_EVERY_S = 5.0
"""Without a terminal: between two lines of progress."""


class Printer:
    """Show events one by one; use it in `with`, so that the terminal is left as it was found."""

    def __init__(self, config: TrainConfig, path: Path, *, as_json: bool, silent: bool = False) -> None:
        self.path, self.as_json, self.silent, self.steps = path, as_json, silent, config.steps
        self._live, self._told_s = None, -LINE_EVERY_S
        if not as_json and not silent and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._live = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )
            self._task = self._live.add_task("", total=config.steps)
        self._lines = self._live is None or not sys.stdout.isatty()

    def __enter__(self) -> "Printer":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            with contextlib.suppress(OSError):
                self._live.stop()

    def show(self, event: events.Event) -> None:
        if self.silent:
            return
        if self.as_json:
            sys.stdout.buffer.write(events.encode_event(event) + b"\n")
            sys.stdout.buffer.flush()
        elif isinstance(event, events.StepDone):
            self._show_step(event)
        elif isinstance(event, events.StopRuleChanged):
            self.steps = event.steps
            if self._live is not None:
                self._live.update(self._task, total=event.steps)
        elif text := describe(event):
            self._say(text)

    def _show_step(self, event: events.StepDone) -> None:
        text = f"loss {event.loss_nats:.3f} · lr {event.lr:.2g} · |g| {event.grad_norm:.2f}"
        text += f" · {event.tokens_per_s:,.0f} tokens/s"
        if self._live is not None:
            self._live.update(self._task, completed=event.step, description=text)
        now_s = monotonic()
        if self._lines and (now_s - self._told_s >= LINE_EVERY_S or event.step >= self.steps):
            self._told_s = now_s
            self._say(f"step {event.step:,} of {self.steps:,} · {event.elapsed_s:.0f} s · {text}")

    def _say(self, text: str) -> None:
        if self._lines:
            click.echo(text)
        elif self._live is not None:
            self._live.console.print(text, markup=False, highlight=False)


def describe(event: events.Event) -> str:
    """An event other than a step in words; empty for what need not be said."""
    match event:
        case events.RunStarted():
            where = f"step {event.step}, " if event.step else ""
            many = f", {event.processes} processes" if event.processes > 1 else ""
            notes = "".join(f"\nnote: {note}" for note in event.notes)
            return (
                f"{where}{event.params:,} parameters · {event.tokenizer}, {event.vocab_size} tokens · "
                f"{event.train_tokens:,} to train, {event.val_tokens:,} held out · "
                f"{event.device}, {event.threads} threads{many}{safe_text(notes, keep=chr(10))}"
            )
        case events.EvalDone():
            return f"step {event.step}: validation loss {event.val_loss_nats:.4f} ({event.elapsed_s:.0f} s)"
        case events.SampleDrawn():
            return f"step {event.step}: {safe_text(event.prompt + event.text, keep=chr(10))}"
        case events.RunEnded():
            best = "" if event.best_val_loss_nats is None else f", best validation loss {event.best_val_loss_nats:.4f}"
            return f"ended at step {event.step} ({event.reason}) after {event.elapsed_s:.0f} s{best}"
        case events.LearningRateChanged():
            return f"step {event.step}: peak learning rate {event.lr:.2g} from now on"
        case events.CheckpointSaved() | events.RunFailed() | events.StepDone() | events.StopRuleChanged():
            return ""
