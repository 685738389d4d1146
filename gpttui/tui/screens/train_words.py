"""What a run's record says, in the words and numbers of the training screen's header and its pane of numbers. Pure."""

from pathlib import Path

from gpttui.tui.renderables.spans import duration, memory, per_second, rate
from gpttui.tui.session.run_record import RunRecord
from gpttui.tui.session.saving import short
from gpttui.tui.widgets.gradients import Vitals
from gpttui.tui.widgets.status_header import parameters


def headlines(record: RunRecord) -> "list[tuple[int, str, str]]":
    """What the header says besides the step: (rank, long, short)."""
    found = []
    last = record.last
    if last is not None:
        found.append((2, f"loss {last.loss_nats:.3f}", f"{last.loss_nats:.2f}"))
    if record.validation.size:
        value = float(record.validation.y[-1])
        found.append((3, f"validation {value:.3f}", f"val {value:.2f}"))
    if last is not None and record.state == "running":
        found.append((5, f"{per_second(last.tokens_per_s)} tokens/s", f"{per_second(last.tokens_per_s)} t/s"))
        if record.left_s is not None:
            found.append((4, f"{duration(record.left_s)} left", f"{duration(record.left_s)}"))
    return found


def figures(record: RunRecord) -> "list[tuple[str, float | str]]":
    """The same facts for a file: unrounded, the unit in the name."""
    last, config, started = record.last, record.config, record.started
    found: list[tuple[str, float | str]] = [
        ("run", record.name),
        ("path", record.path),
        ("state", record.words),
        ("step", record.step),
    ]
    if config is not None:
        found += [("steps", config.steps), ("peak_lr", record.peak_lr), ("clipped_above", config.grad_clip)]
    if last is not None:
        found += [
            ("loss_nats", last.loss_nats),
            ("lr", last.lr),
            ("all_gradients_norm", last.grad_norm),
            ("tokens_per_s", last.tokens_per_s),
            ("elapsed_s", last.elapsed_s),
        ]
    if record.validation.size:
        found.append(("validation_loss_nats", float(record.validation.y[-1])))
    if record.active and record.left_s is not None:
        found.append(("left_s", record.left_s))
    if record.memory_bytes:
        found.append(("memory_bytes", record.memory_bytes))
    if started is not None:
        found += [("params", started.params), ("train_tokens", started.train_tokens)]
        found += [("device", started.device), ("threads", started.threads)]
    return found


def vitals(record: RunRecord) -> Vitals:
    """The record as the pane of numbers takes it."""
    last, config, started = record.last, record.config, record.started
    facts: list[tuple[str, str]] = []
    if config is not None:
        facts.append(("step", f"{record.step:,} of {config.steps:,}"))
    if last is not None:
        facts += [
            ("speed", f"{per_second(last.tokens_per_s)} tok/s"),
            ("left", duration(record.left_s) if record.active and record.left_s is not None else "—"),
            ("rate", rate(last.lr)),
            ("its peak", rate(record.peak_lr)),
            ("elapsed", duration(last.elapsed_s)),
        ]
    if record.memory_bytes:
        facts.append(("memory", memory(record.memory_bytes)))
    if started is not None:
        facts.append(("text", f"{parameters(started.train_tokens)} tokens"))
        facts.append(("on", f"{started.device} × {started.threads}"))
    return Vitals(
        figures=tuple(figures(record)),
        facts=tuple(facts),
        done=record.step / config.steps if config is not None else None,
        layer_norms=tuple(last.layer_grad_norms) if last is not None else (),
        grad_norm=last.grad_norm if last is not None else 0.0,
        clip_at=config.grad_clip if config is not None else 0.0,
        notes=tuple(started.notes) if started is not None else (),
        kept_in=short(Path(record.path)),
    )
