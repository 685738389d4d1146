"""The engine's answers to the training screen: start, steer, estimate. What trains between requests is a `LiveRun`.

For: requests that concern the run in this process. Looking at a run's files is in `handlers.runs`.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from gpttui.engine.handlers.play import history
from gpttui.engine.inspect_cache import InspectCache
from gpttui.engine.live_run import LiveRun, short_passes
from gpttui.engine.registry import answers
from gpttui.engine.state import Engine
from gpttui.errors import UserError
from gpttui.inference.session import Session
from gpttui.protocol import train
from gpttui.protocol.message import Answer, Look
from gpttui.protocol.play import Opened
from gpttui.records import ModelCard
from gpttui.runs import rundir
from gpttui.runs.config import TrainConfig, changed
from gpttui.storage import gallery, model_card

if TYPE_CHECKING:
    from gpttui.training.run import Run


@answers(train.Measure)
def measure(engine: Engine, request: train.Measure) -> train.Measured:
    from gpttui.engine import estimate

    return estimate.measure(here(engine, request.config))


def here(engine: Engine, config: TrainConfig) -> TrainConfig:
    """The config on this engine: its device, threads that leave a core to the screen, the shape of what it tunes."""
    import torch

    device = engine.device if config.device == "auto" else config.device
    threads = config.threads or torch.get_num_threads()
    if not config.init:
        return msgspec.structs.replace(config, device=device, threads=threads)
    from gpttui.model import checkpoint
    from gpttui.training.shape import like_base

    path = gallery.find(config.init)
    config = msgspec.structs.replace(config, device=device, threads=threads, init=str(path))
    return like_base(config, checkpoint.read_shape(path))


@answers(train.StartRun)
def start_run(engine: Engine, request: train.StartRun) -> Opened:
    """Refuses while another run is going on, and leaves everything as it was where the new one cannot start."""
    from gpttui.engine import estimate
    from gpttui.training import run as runs

    _need_free(engine)
    config = here(engine, request.config)
    measured = estimate.measure(config)
    config = short_passes(config, measured.step_s / (config.batch * config.accumulation))
    return _open(engine, runs.start(config, Path(request.path).expanduser()), request)


@answers(train.ResumeRun)
def resume_run(engine: Engine, request: train.ResumeRun) -> Opened:
    from gpttui.training import run as runs

    _need_free(engine)
    path, rule = Path(request.path).expanduser(), request.rule
    config = rundir.read_config(path)
    if rule is not None:
        config = changed(config, steps=rule.steps or config.steps, minutes=rule.minutes, target_loss=rule.target_loss)
    return _open(engine, runs.resume(path, config), request)


def _need_free(engine: Engine) -> None:
    if engine.live is not None and not engine.live.over:
        raise UserError("a run is being trained here already; stop it first")


def _open(engine: Engine, run: "Run", request: train.StartRun | train.ResumeRun) -> Opened:
    """A session on the weights being trained, and the run at work."""
    trainer = run.trainer
    trainer.eval_pass_tokens = 2 * trainer.config.batch * trainer.config.context  # forward only: as long as a pass
    try:
        seen = copy.deepcopy(trainer.model).requires_grad_(False).eval()
        session = Session(seen, trainer.data.tokenizer, seed=request.seed)
        if request.sampling is not None:
            session.set_sampling(request.sampling)
        session.set_prompt(trainer.config.sample_prompt if request.prompt is None else request.prompt)
    except Exception:
        run.close()
        raise
    live = LiveRun(run, seen, engine.send, engine.work_on)
    engine.closers.append(live.close)
    session.weights = live.weights
    engine.session, engine.card, engine.inside, engine.live = session, card(live), InspectCache(), live
    look = Look(top_k=request.look.top_k)
    return Opened(
        card=engine.card,
        tokenizer_json=trainer.data.tokenizer.to_json(),
        history=history(saved[-1][1]) if (saved := rundir.checkpoints(run.path)) else None,
        snapshot=session.snapshot(look, since_s=engine.since_s),
        no_chat=engine.reader().missing,
    )


def card(live: LiveRun) -> ModelCard:
    """What a model directory's card says, of the model being trained."""
    model, config = live.trainer.model, live.trainer.config
    told = model_card.of_run(config)
    return ModelCard(
        id=live.run.path.name,
        path=str(live.run.path),
        params=model.n_params,
        n_layer=model.config.n_layer,
        n_head=model.config.n_head,
        d_model=model.config.d_model,
        vocab_size=model.config.vocab_size,
        context=model.config.context,
        tokenizer=live.trainer.data.tokenizer.kind,
        size_bytes=4 * model.n_params,
        data=told["data"],
        arch=config.arch,
        token_view=told["token_view"],
        prompt=told["prompt"],
    )


def knob(turn: Callable[[LiveRun, Any], None]) -> Callable[[Engine, Any], Answer]:
    """A handler that turns something on the live run."""

    def handle(engine: Engine, request: Any) -> train.Done:
        live = engine.need_live()
        with engine.whole():
            turn(live, request)
        return train.Done(live.state)

    return handle


answers(train.PauseRun)(knob(lambda live, request: live.pause(request.paused)))
answers(train.OneBatch)(knob(lambda live, _: live.one_batch()))
answers(train.StopRun)(knob(lambda live, _: live.stop()))
answers(train.RewindRun)(knob(lambda live, _: live.rewind()))
answers(train.SetLearningRate)(knob(lambda live, request: live.set_lr(request.lr)))
answers(train.SetStopRule)(knob(lambda live, request: live.set_stop_rule(request)))
