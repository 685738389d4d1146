"""Putting a run together: config, data, model, trainer, from the start or from where it stopped.

For: the headless verb, the engine and tests. Everything that can be wrong with the input is found here, before the
first step, and leaves nothing half-written.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from gpttui.errors import UserError
from gpttui.files import write_whole
from gpttui.model import checkpoint
from gpttui.model.checkpoint import Tell
from gpttui.model.gpt import GPT
from gpttui.runs import rundir
from gpttui.runs.config import TrainConfig, changed, taken_up
from gpttui.storage import gallery
from gpttui.storage.model_files import need_utf8
from gpttui.tokenizers import Tokenizer
from gpttui.training.data import Data, open_data, prepare
from gpttui.training.distributed import World, join
from gpttui.training.loop import Trainer
from gpttui.training.shape import like_base, model_shape, refuse_if_too_big


class Run(AbstractContextManager["Run"]):
    """A trainer and what it holds: the directory's lock and the process group. Close it, or use it in `with`."""

    def __init__(self, trainer: Trainer, path: Path, held: ExitStack) -> None:
        self.trainer, self.path, self._held = trainer, path, held

    def close(self) -> None:
        self._held.close()

    def __exit__(self, *_: object) -> None:
        self.close()


def start(config: TrainConfig, path: Path, tell: Tell = lambda line: None) -> Run:
    """A new run in directory `path`; `tell` hears what was left out of a model to fine-tune.

    Raises UserError, in one line, for anything that would keep it from training.
    """
    return _open(config, path, None, tell)


def resume(path: Path, config: TrainConfig | None = None) -> Run:
    """Go on with the run in `path` from its newest whole checkpoint; `config` (more steps, say) replaces its own."""
    stored = rundir.read_config(path)
    return _open(config or stored, path, stored)


def _open(config: TrainConfig, path: Path, stored: TrainConfig | None, tell: Tell = lambda line: None) -> Run:
    """`stored`: the config of the run to go on with; None: a new one."""
    resuming = stored is not None
    if not config.init:
        model_shape(config, vocab_size=2)  # an impossible shape should not wait for a long text to be encoded
    with ExitStack() as held:
        world = join(config.device)
        held.callback(world.leave)
        set_threads(config.threads)
        if world.leads:
            held.enter_context(_claimed(path, resuming=resuming))
        given = _given_model(config, path, tell, resuming=resuming)
        if given is not None:
            config = like_base(config, given[0].config)
            if not resuming:
                config = changed(config, token_view=gallery.told(Path(config.init)).token_view)
        data = _data(config, path, given, world)
        model = _model(config, data, given, world)
        trainer = Trainer(config, data, model, path, world)
        if resuming and (folder := rundir.latest_checkpoint(path)) is not None:
            trainer.resume(folder, rewindable=not config.init or rundir.checkpoints(path)[0][0] == 0)
        if stored is not None:
            trainer.config = taken_up(config, stored, trainer.state.step)
        if world.leads:
            write_whole(path / rundir.CONFIG, trainer.config.to_json())
        return Run(trainer, path, held.pop_all())


@contextmanager
def _claimed(path: Path, *, resuming: bool) -> Iterator[None]:
    """Hold the run directory; take back what was written there if the run could not begin."""
    need_utf8(path.resolve(), "run")
    if not resuming and rundir.is_run(path):
        raise UserError(f"{path} already holds a run; go on with --resume, or choose another --run-dir")
    made_here = not path.exists()
    with rundir.RunLock(path):
        rundir.sweep_leftovers(path)
        try:
            yield
        except BaseException:  # an interrupt while a long text is encoded too
            if not resuming:
                rundir.remove_unstarted(path, whole=made_here)
            raise


def _given_model(config: TrainConfig, path: Path, tell: Tell, *, resuming: bool) -> tuple[GPT, Tokenizer] | None:
    """The model to fine-tune, if any. A run that goes on has it in its own first checkpoint, and needs no other."""
    if not config.init:
        return None
    saved = rundir.checkpoints(path) if resuming else []
    folder = saved[0][1] if saved else Path(config.init)
    return checkpoint.load(folder, tell=tell).requires_grad_(True), Tokenizer.open(folder)


def _data(config: TrainConfig, path: Path, given: tuple[GPT, Tokenizer] | None, world: World) -> Data:
    """Rank 0 encodes, the others open what it wrote (all processes see one run directory)."""
    failure: UserError | None = None
    if world.leads:
        try:
            data = prepare(config, path, given[1] if given else None)
        except UserError as error:
            failure = error
    if world.total(float(failure is not None))[0]:
        raise failure or UserError("the first process could not prepare the data; see its message")
    return data if world.leads else open_data(config, path)


def _model(config: TrainConfig, data: Data, given: tuple[GPT, Tokenizer] | None, world: World) -> GPT:
    shape = (
        replace(given[0].config, dropout=config.dropout) if given else model_shape(config, data.tokenizer.vocab_size)
    )
    refuse_if_too_big(shape, config.batch, world.device)
    torch.manual_seed(config.seed)
    model = GPT(shape)
    if given:
        model.load_state_dict(given[0].state_dict())
    return model.to(world.device)


def set_threads(threads: int) -> None:
    """0: every core this process may use, unless OMP_NUM_THREADS or torchrun has said otherwise."""
    if threads:
        torch.set_num_threads(threads)
    elif "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
