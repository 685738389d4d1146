"""The training loop: a generator of typed events that prints nothing and knows no screen.

Whoever consumes it decides the pace: between two `next` calls the model's live weights can be looked at, the learning
rate changed, the run stopped or rewound. `None` is yielded wherever a moment's work is done and there is nothing to
tell, so that an engine can answer requests in between: the longest wait is one forward and backward pass.

What step n does depends on (config, n) alone: batches and dropout are keyed by it. That makes resuming exact, and the
same run on one or many processes the same run. The recipe is nanoGPT's, grown by Muon.
"""

import math
import time
import zlib
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from gpttui.errors import UserError
from gpttui.files import write_whole
from gpttui.model.gpt import GPT
from gpttui.runs import rundir
from gpttui.runs.config import TrainConfig, changed, changed_at
from gpttui.runs.events import (
    CheckpointSaved,
    EvalDone,
    Event,
    LearningRateChanged,
    RunEnded,
    RunFailed,
    RunStarted,
    SampleDrawn,
    StepDone,
    StopRuleChanged,
)  # fmt: skip
from gpttui.training import baselines, checkpoints, fitting
from gpttui.training.checkpoints import TrainState
from gpttui.training.data import Batch, Data
from gpttui.training.distributed import World, in_bf16
from gpttui.training.evaluate import EVAL_BATCH_TOKENS, batch_loss_sum, eval_batches, sample
from gpttui.training.gradients import layer_norms, layer_of
from gpttui.training.loss import counted, is_lost, lost, mean_loss, sound_loss
from gpttui.training.optim import lr_factor, make_optimisers, set_learning_rates
from gpttui.training.step_apart import StepApart
from gpttui.training.step_recorder import StepRecorder

EARLY_SAMPLES = frozenset({10, 50, 250, 1_250, 6_250})
"""Steps of samples before the first regular one: most is learned at the beginning."""


class Trainer:
    """One run: model, optimisers, data and position. Consume `events()`; turn the knobs between its items."""

    def __init__(
        self, config: TrainConfig, data: Data, model: GPT, path: Path | None, world: World | None = None
    ) -> None:
        self.config, self.data, self.model, self.path = config, data, model, path
        self.world = world or World(next(model.parameters()).device)
        self.state = TrainState()
        self.optimisers = make_optimisers(model, config, self.world.device)
        self.batch: Batch | None = None
        """The rows of the last pass, for whoever wants to look at them."""
        self._initial = {name: p.detach().clone() for name, p in model.state_dict().items()}
        self._writer = rundir.EventWriter(path) if path is not None and self.world.leads else None
        self.eval_pass_tokens = EVAL_BATCH_TOKENS
        """Held-out tokens of one pass: fewer where someone waits between two of them."""
        self._stopping = False
        """This process has been asked to stop."""
        self._ending = ""
        """Why the run ends, as all processes have agreed. Only this decides: one that left alone would leave the others
        waiting."""
        self._update = ""
        self._rewinding = False
        self._changes: dict[str, Any] = {}
        """Fields of the config that are to be others from the next step on."""
        self.apart: StepApart | None = None
        """The last step that was taken apart."""
        self._recorder: StepRecorder | None = None
        """Watches the next step."""
        self._costs = fitting.Costs(self._tokens_per_step, data.val.tokens)
        self._saved_step = self._resumed_step = -1
        self._bars = [layer_of(name, model.config.n_layer) for name, _ in model.named_parameters()]
        passes: Any = DistributedDataParallel(model) if self.world.size > 1 else model
        self._forward: Any = torch.compile(passes) if config.compile else passes

    @property
    def _tokens_per_step(self) -> int:
        config = self.config
        return config.batch * config.accumulation * config.context * self.world.size

    # ── Knobs, to be turned between two events ────────────────────────────────────────────────────────────────────

    def stop(self) -> None:
        """End: save, say so, finish. What is in progress is dropped where that loses no step: the passes of a step that
        is not done, an evaluation (made up for when the run goes on), a sample."""
        self._stopping = True

    @property
    def _leaves(self) -> bool:
        """Whether to drop what is in progress; one of many processes finishes it with the others."""
        return self._stopping and self.world.size == 1

    def rewind(self) -> None:
        """Back to the very same initial weights, before the next step; later checkpoints are dropped.

        Raises UserError where a run that goes on did not keep those weights."""
        if not self._initial:
            raise UserError("this run did not keep the weights it began with; start it anew instead")
        self._rewinding = True

    def set_lr(self, lr: float) -> None:
        """A new peak learning rate from the next step on; Muon's follows in proportion. Remembered when resuming."""
        self._changes["lr_scale"] = lr / self.config.lr

    def set_stop_rule(self, *, steps: int = 0, minutes: float = 0.0, target_loss: float = 0.0) -> None:
        """Another end from the next step on: so many minutes in all, or else `steps`, 0: as many as before. Raises
        UserError for one that has passed."""
        if minutes and minutes * 60 <= self.state.elapsed_s:
            raise UserError(f"{self.state.elapsed_s / 60:.1f} minutes of training are over: name more, or stop the run")
        if not minutes and (steps or self.config.steps) <= self.state.step:
            raise UserError(f"{self.state.step:,} steps are done already: name more of them, or stop the run")
        rule = {"steps": steps or self.config.steps, "minutes": minutes, "target_loss": target_loss}
        changed(self.config, **rule)
        self._changes |= rule

    def take_apart(self) -> None:
        """Record all of the next step, which is taken as it would be anyway. It is `apart` then.

        Raises UserError where a step cannot be watched."""
        if self.config.compile:
            raise UserError("a compiled step cannot be taken apart; train without --compile")
        if self.world.size > 1:
            raise UserError("a step of several processes cannot be taken apart; train with one")
        self._recorder = StepRecorder(self.model, self.optimisers, self.config)

    @property
    def change_waits(self) -> bool:
        """Whether something has been set that does not hold yet."""
        return bool(self._changes)

    def resume(self, folder: Path, *, rewindable: bool = True) -> None:
        """Go on from checkpoint `folder`, exactly. `rewindable`: the model came with the run's initial weights."""
        self._initial = self._initial if rewindable else {}
        self.state = checkpoints.restore(folder, self.model, self.optimisers)
        self._saved_step = self._resumed_step = self.state.step

    # ── The run ───────────────────────────────────────────────────────────────────────────────────────────────────

    def events(self) -> Iterator[Event | None]:
        """Train to the end, which is `RunEnded` or `RunFailed`; never raises for what went wrong outside."""
        work = self._work()
        while True:
            started_s = time.perf_counter()
            try:
                event = next(work)
                spent_s = time.perf_counter() - started_s
                self.state.elapsed_s += spent_s
                self._costs.take(event, spent_s)
                if event is not None and self._writer is not None:
                    self._writer.write(event)
            except StopIteration:
                break
            except UserError as error:
                yield self._failed(str(error))
                break
            except RuntimeError as error:
                if "memory" not in str(error).lower():
                    raise
                yield self._failed("out of memory; use a smaller --batch with --accumulation, or a smaller model")
                break
            yield event
        if self._writer is not None:
            self._writer.close()

    def _failed(self, message: str) -> RunFailed:
        event = RunFailed(step=self.state.step, message=message)
        if self._writer is not None:
            with suppress(UserError):  # the disk may be what failed; the event itself carries the news
                self._writer.write(event)
        return event

    def _work(self) -> Iterator[Event | None]:
        yield self._started()
        state = self.state
        if state.step == 0 and self._saved_step < 0:
            if self.config.sample_every:
                yield from self._sample()
            if self.config.checkpoint_every:
                yield from self._save()
        elif (
            0 < state.step < self.config.steps
            and state.step != state.val_step
            and _due(state.step, self.config.eval_every)
        ):
            yield from self._evaluate()  # whoever left before had not waited for it
        self._agree()
        while not self._ending:
            yield from self._take_changes()
            if self.config.minutes and state.step >= min(fitting.due(self.config), self.config.steps):
                yield from self._change({"steps": self._fitted(self.config)})
            if state.step >= self.config.steps:
                break
            yield from self._step()
            if self._rewinding:
                yield from self._rewind()
                continue
            yield from self._take_changes()
            self._agree()
            if not self._ending and (yield from self._look()):
                self._agree()
        if self._ending != "stopped" and state.val_step != state.step:
            yield from self._evaluate()
        if self._saved_step != state.step:
            yield from self._save()
        reason = self._ending or ("minutes" if self.config.minutes else "steps")
        yield RunEnded(
            step=state.step,
            reason=reason if state.val_step == state.step else "stopped",
            val_loss_nats=state.val_loss_nats,
            best_val_loss_nats=state.best_val_loss_nats,
            elapsed_s=state.elapsed_s,
        )

    def _look(self) -> Generator[Event | None, None, bool]:
        """Evaluation, sample and checkpoint, each where it is due; whether any was."""
        config, step = self.config, self.state.step
        ended = step >= config.steps
        looks = (
            (self._evaluate, _due(step, config.eval_every) and not ended),
            (self._sample, _due(step, config.sample_every) or _early(step, config.sample_every)),
            (self._save, _due(step, config.checkpoint_every) and not ended),
        )
        for look, due in looks:
            if due and not self._leaves:
                yield from look()
        return any(due for _, due in looks)

    def _started(self) -> RunStarted:
        config = self.config
        frequency, bigram = baselines.losses(self.data.train, self.data.val, self.data.tokenizer.vocab_size)
        return RunStarted(
            step=self.state.step,
            config=msgspec.to_builtins(config),
            params=self.model.n_params,
            vocab_size=self.data.tokenizer.vocab_size,
            tokenizer=self.data.tokenizer.kind,
            train_tokens=self.data.train.tokens,
            val_tokens=self.data.val.tokens,
            val_bytes=self.data.val_bytes,
            frequency_nats=frequency,
            bigram_nats=bigram,
            tokenizer_id=f"{zlib.crc32(self.data.tokenizer.to_json().encode()):08x}",
            tokens_per_step=self._tokens_per_step,
            device=str(self.world.device),
            threads=torch.get_num_threads(),
            processes=self.world.size,
            notes=self.data.notes,
            unix_time_s=time.time(),
        )

    # ── One step ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _step(self) -> Iterator[Event | None]:
        config, state = self.config, self.state
        started_s, waited_s = time.perf_counter(), 0.0
        factor = lr_factor(config, state.step)
        set_learning_rates(self.optimisers, factor)
        lr = config.lr * factor
        loss = 0.0
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.begin()
        for n, (batch, share) in enumerate(self._passes()):
            loss += self._pass(n, batch, share, recorder) * share / config.accumulation
            if n + 1 < config.accumulation:
                paused_s = time.perf_counter()
                yield None
                waited_s += time.perf_counter() - paused_s
                if self._leaves:
                    return
        norms = layer_norms(self._gradients(), self._bars, self.model.config.n_layer)
        grad_norm = math.sqrt(sum(norm * norm for norm in norms))
        loss = self.world.total(loss)[0] / self.world.size
        self._refuse_divergence(loss, lr, grad_norm)
        if recorder is not None:
            recorder.found(grad_norm)
        if config.grad_clip and grad_norm > config.grad_clip:
            torch._foreach_mul_(self._gradients(), config.grad_clip / grad_norm)
        for optimiser in self.optimisers:
            optimiser.step()
        state.step += 1
        if recorder is not None:
            self.apart = recorder.taken(state.step, loss)
        step_s = time.perf_counter() - started_s - waited_s
        yield StepDone(
            step=state.step,
            loss_nats=loss,
            lr=lr,
            grad_norm=grad_norm,
            layer_grad_norms=norms,
            tokens_per_s=self._tokens_per_step / step_s,
            elapsed_s=state.elapsed_s + step_s,
        )

    def _passes(self) -> list[tuple[Batch, float]]:
        """This process's rows of the step, and what each pass counts for: 1 where all passes hold as much."""
        config, world = self.config, self.world
        rows, passes = config.batch * world.size, range(config.accumulation)
        first = self.state.step * config.accumulation * rows + config.batch * world.rank
        batches = [self.data.train.draw(config.seed, first + n * rows, config.batch) for n in passes]
        counts = [counted(batch) if self.data.train.is_rows else 1.0 for batch in batches]
        total = world.total(sum(counts))[0] if self.data.train.is_rows else float(config.accumulation * world.size)
        equal = max(total, 1e-9) / (config.accumulation * world.size)
        return [(batch, count / equal) for batch, count in zip(batches, counts, strict=True)]

    def _pass(self, n: int, batch: Batch, share: float, recorder: StepRecorder | None = None) -> float:
        """Forward and backward over one batch; gradients add up. The loss in nats."""
        config, world, self.batch = self.config, self.world, batch
        seed = None
        if config.dropout:
            index = self.state.step * config.accumulation + n
            seed = (config.seed << 32) ^ (index * world.size + world.rank)
            torch.manual_seed(seed)
            self.model.train()
        tap = None if recorder is None else recorder.tap(batch, share / config.accumulation, seed)
        if n == 0:
            self.model.zero_grad()
        with self._last_pass_syncs(n), self._autocast():
            logits = self._forward(batch.inputs.to(world.device), tap=tap)  # [rows, T, V]
            loss = mean_loss(logits, batch, config.label_smoothing)
            (loss * share / config.accumulation).backward()  # type: ignore[no-untyped-call]
        if config.dropout:
            self.model.eval()
        return float(loss.detach())

    def _last_pass_syncs(self, n: int) -> AbstractContextManager[Any]:
        """DDP adds gradients up over processes in the last pass only."""
        if self.world.size > 1 and n + 1 < self.config.accumulation:
            context: AbstractContextManager[Any] = self._forward.no_sync()
            return context
        return nullcontext()

    def _autocast(self) -> AbstractContextManager[Any]:
        if in_bf16(self.config.precision, self.world.device):
            return torch.autocast(self.world.device.type, dtype=torch.bfloat16)
        return nullcontext()

    def _gradients(self) -> list[Tensor]:
        return [p.grad for p in self.model.parameters() if p.grad is not None]

    def _agree(self) -> None:
        """Whether the run ends here, decided by all processes together: any may have been asked to stop, the first
        one's clock counts."""
        stopping, over = self.world.total(float(self._stopping), float(self.world.leads and self._time_is_up()))
        if not self._ending and stopping + over:
            self._ending = "stopped" if stopping else "minutes"

    def _time_is_up(self) -> bool:
        return self.state.step > 0 and 0 < self.config.minutes * 60 <= self.state.elapsed_s

    def _refuse_divergence(self, loss: float, lr: float, grad_norm: float) -> None:
        if self.state.first_loss_nats is None and math.isfinite(loss):
            self.state.first_loss_nats = loss
        self._update = f"(learning rate {lr:.2g}, gradient norm {grad_norm:.3g})"
        if is_lost(loss, self.state.first_loss_nats) or not math.isfinite(grad_norm):
            self._retract()
            raise lost(self.path, loss, f"at step {self.state.step + 1} {self._update}")

    def _verify(self) -> Iterator[None]:
        """Refuses to save weights that the last update has destroyed: their loss on the rows at hand tells."""
        if self.batch is None or self.state.step == 0:
            return
        yield None
        with self._autocast():
            loss, weight = sound_loss(self.model.eval(), self.batch, self.world.device), counted(self.batch)
        total, weight = self.world.total(loss * weight, weight)
        if is_lost(total / max(weight, 1e-9), self.state.first_loss_nats):
            raise lost(self.path, total / max(weight, 1e-9), f"after step {self.state.step} {self._update}")

    def _retract(self) -> None:
        """Take back the checkpoint of these very weights, which have just shown to be lost. One that was resumed from
        stays: it may be what changed since that does not suit it."""
        if self._saved_step != self.state.step or self.state.step in (0, self._resumed_step):
            return
        if self.path is not None and self.world.leads:
            rundir.drop_checkpoints_after(self.path, self.state.step - 1)

    # ── What happens now and then ─────────────────────────────────────────────────────────────────────────────────

    def _evaluate(self) -> Iterator[Event | None]:
        config, state, world = self.config, self.state, self.world
        total = counted = 0.0
        for batch in eval_batches(self.data.val, config.eval_tokens, world.rank, world.size, self.eval_pass_tokens):
            with torch.no_grad(), self._autocast():
                loss, count = batch_loss_sum(self.model.eval(), batch, world.device)
            total, counted = total + loss, counted + count
            yield None
            if self._leaves:
                return
        total, counted = world.total(total, counted)
        state.val_loss_nats, state.val_step = total / max(1.0, counted), state.step
        if not math.isnan(state.val_loss_nats):
            state.best_val_loss_nats = min(state.val_loss_nats, state.best_val_loss_nats or math.inf)
        if state.val_loss_nats <= config.target_loss:
            self._ending = "target"  # the loss is one of all processes
        yield EvalDone(
            step=state.step, val_loss_nats=state.val_loss_nats, tokens=int(counted), elapsed_s=state.elapsed_s
        )

    def _sample(self) -> Iterator[Event | None]:
        if not self.world.leads:
            return
        config, tokenizer = self.config, self.data.tokenizer
        prompt = config.sample_prompt or "\n"
        ids, ends = [], tokenizer.encode("\n") if config.documents else []  # a row ends there; nothing follows it
        drawing = sample(
            self.model.eval(), tokenizer, prompt, config.sample_tokens, seed=config.seed, device=self.world.device,
            ends=ends if len(ends) == 1 else (),
        )  # fmt: skip
        for n, token_id in enumerate(drawing):
            ids.append(token_id)
            if n % 8 == 7:
                yield None
                if self._leaves:
                    return
        yield SampleDrawn(step=self.state.step, prompt=prompt, text=tokenizer.decode(ids))

    def _save(self) -> Iterator[Event | None]:
        yield from self._verify()
        self._saved_step = self.state.step
        if self.world.leads and self.path is not None:
            saved = checkpoints.save(self.path, self.model, self.data.tokenizer.to_json(), self.optimisers, self.state)
            rundir.thin_checkpoints(
                self.path,
                keep=self.config.keep,
                history=self.config.history,
                optimiser_files=(checkpoints.OPTIMISER,),
            )
            if self._writer is not None:
                self._writer.sync()
            yield CheckpointSaved(step=self.state.step, path=str(saved.relative_to(self.path)))

    def _take_changes(self) -> Iterator[Event | None]:
        """What was set since the last step, if anything."""
        if self._changes:
            fields, self._changes = self._changes, {}
            if fields.get("minutes"):
                fields["steps"] = self._fitted(changed(self.config, **fields))
            yield from self._change(fields)

    def _fitted(self, config: TrainConfig) -> int:
        """How many steps the first process finds the config's time to hold."""
        steps = self._costs.steps(config, self.state.step, self.state.elapsed_s) if self.world.leads else 0
        return max(1, int(self.world.total(float(steps))[0]))

    def _change(self, fields: dict[str, Any]) -> Iterator[Event | None]:
        """Other fields of the config from this step on. They are on disk before a step obeys them, so that a run that
        goes on from an earlier one does all as it was done."""
        before, self.config = self.config, changed_at(self.config, self.state.step, **fields)
        self._write_config()
        config, step = self.config, self.state.step
        if (config.steps, config.minutes, config.target_loss) != (before.steps, before.minutes, before.target_loss):
            yield StopRuleChanged(step=step, steps=config.steps, minutes=config.minutes, target_loss=config.target_loss)
        if config.lr_scale != before.lr_scale:
            yield LearningRateChanged(step=step, lr=config.lr * config.lr_scale)

    def _write_config(self) -> None:
        if self.path is not None and self.world.leads:
            write_whole(self.path / rundir.CONFIG, self.config.to_json())

    def _rewind(self) -> Iterator[Event | None]:
        with torch.no_grad():
            for name, p in self.model.state_dict().items():
                p.copy_(self._initial[name])
        for optimiser in self.optimisers:
            optimiser.state.clear()
        self._rewinding = False
        for field in msgspec.structs.fields(TrainState):
            setattr(self.state, field.name, getattr(TrainState(), field.name))
        self.config = changed(self.config, before=())
        self._write_config()
        if self.path is not None and self.world.leads:
            rundir.drop_checkpoints_after(self.path, 0)
        yield self._started()
        if self.config.checkpoint_every:
            yield from self._save()


def _due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0


def _early(step: int, every: int) -> bool:
    return step < every and step in EARLY_SAMPLES
