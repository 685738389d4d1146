"""The engine's answers to the playground: open a model, prompt, step, back, choose, look. Decisions are `Session`'s."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gpttui.engine.inspect_cache import InspectCache
from gpttui.engine.registry import answers
from gpttui.engine.state import Engine
from gpttui.errors import UserError, one_line
from gpttui.inference.interventions import altered, compile_changes, made_of
from gpttui.inference.opening import open_model
from gpttui.inference.precision import name_of
from gpttui.inference.session import Session
from gpttui.interventions import Intervention, without_places
from gpttui.model import checkpoint
from gpttui.model.gpt import GPT
from gpttui.protocol import play
from gpttui.protocol.message import Answer, Look
from gpttui.records import LossHistory, ModelCard, frozen
from gpttui.runs import rundir
from gpttui.storage import gallery
from gpttui.storage.end_tokens import end_tokens


def opened(engine: Engine, path: Path, look: Look, make: Callable[[Session, ModelCard], None]) -> play.Opened:
    """Load the model at `path`, let `make` set its session up, and only then put it in the place of the old one."""
    config = checkpoint.read_config(path)
    card = gallery.card(path, config)
    notes: list[str] = []
    model, tokenizer = open_model(
        path, config, device=engine.device, precision=engine.precision, tell=notes.append, progress=engine.loading
    )
    card = replace(card, computed_in=name_of(model.lm_head.weight.dtype), notes=tuple(notes))
    session = Session(model, tokenizer, ends=end_tokens(path))
    make(session, card)
    engine.session, engine.card, engine.inside = session, card, InspectCache()
    return play.Opened(
        card=card,
        tokenizer_json=tokenizer.to_json(),
        history=with_a_blind_guess(history(path), card.vocab_size),
        snapshot=session.snapshot(look, since_s=engine.since_s),
        notes=tuple(notes),
        no_chat=engine.reader().missing,
    )


def history(path: Path) -> LossHistory | None:
    """The recorded training run; where its file cannot be read, an empty one whose title says so."""
    try:
        return gallery.history(path)
    except UserError as error:
        nothing = frozen(np.empty(0))
        return LossHistory(nothing, nothing, nothing, nothing, title=one_line(error))


def with_a_blind_guess(found: LossHistory | None, vocab_size: int) -> LossHistory | None:
    """The history, with the one guess whose loss is known without the text where it has none."""
    if found is None or found.baselines or not len(found.steps):
        return found
    return replace(found, baselines=(("blind guess", math.log(max(2, vocab_size))),))


@answers(play.OpenModel)
def open_(engine: Engine, request: play.OpenModel) -> Answer:
    def make(session: Session, card: ModelCard) -> None:
        if request.sampling is not None:
            session.set_sampling(request.sampling)
        session.set_seed(request.seed)
        session.set_prompt(card.prompt or next(iter(card.prompts), "") if request.prompt is None else request.prompt)

    return opened(engine, gallery.find(request.path), request.look, make)


@answers(play.StopOpening)
def stop_opening(_engine: Engine, _request: play.StopOpening) -> Answer:
    """A model that was on its way has been left by the time that this is answered."""
    return play.Left()


@answers(play.Restore)
def restore(engine: Engine, request: play.Restore) -> Answer:
    def make(session: Session, _card: ModelCard) -> None:
        if request.run:
            under(session, engine, Path(request.run), request.step)
        session.set_sampling(request.sampling)
        session.set_seed(request.seed)
        session.tokenizer = session.tokenizer.bare(request.bare)
        prompt = request.conversation or request.prompt
        if request.changes:  # first: the draws that are restored were made by the altered model
            session.restore(prompt, [], [])
            alter(session, request.changes)
        session.restore(prompt, request.appended, request.picked, request.draws)

    return opened(engine, gallery.find(request.path), request.look, make)


def under(session: Session, engine: Engine, run: Path, step: int) -> None:
    """Put a run's checkpoint in the place of the model's own weights. Raises UserError where it is not there."""
    model = engine.checkpoints.get(rundir.checkpoint_at(run, step), engine.device)
    need_same_vocabulary(session, model, run)
    session.use_model(model)
    session.weights = f"checkpoint {step:,}"


def need_same_vocabulary(session: Session, model: GPT, run: Path) -> None:
    if model.config.vocab_size != session.model.config.vocab_size:
        raise UserError(f"the open model has another vocabulary than {run.name}; open that run first")


def shown(engine: Engine, look: Look) -> play.Shown:
    """The session as it is now."""
    return play.Shown(engine.need_session().snapshot(look, since_s=engine.since_s))


@answers(play.SetPrompt)
def set_prompt(engine: Engine, request: play.SetPrompt) -> Answer:
    """Changes that name places of the old text go with it."""
    session = engine.need_session()
    with (
        session.reading(bare=request.bare),
        altered(session, session.model, without_places(made_of(session)), session.encode(request.text)),
    ):
        session.set_prompt(request.text)
    return shown(engine, request.look)


@answers(play.SetChat)
def set_chat(engine: Engine, request: play.SetChat) -> Answer:
    session = engine.need_session()
    text, conversation = engine.reader().read(request.messages)
    with altered(session, session.model, without_places(made_of(session)), list(conversation.ids)):
        session.converse(conversation)
    return play.Shown(session.snapshot(request.look, since_s=engine.since_s), prompt=text, conversation=conversation)


@answers(play.DraftChat)
def draft_chat(engine: Engine, request: play.DraftChat) -> Answer:
    _, conversation = engine.reader().read(request.messages)
    return play.Drafted(frozen(np.array(conversation.ids, dtype=np.int32)), conversation.turns)


def change(make: Callable[[Session, Any], object]) -> Callable[[Engine, Any], play.Shown]:
    """A handler that changes the open session and shows it."""

    def handle(engine: Engine, request: Any) -> play.Shown:
        make(engine.need_session(), request)
        return shown(engine, request.look)

    return handle


def alter(session: Session, made: tuple[Intervention, ...]) -> None:
    """Put the model under these and no other interventions."""
    if not made and session.tap is None:
        return
    prompt = session.ids[: session.n_prompt].tolist()
    changes = compile_changes(session.model, session.tokenizer, made, prompt)
    session.set_taps(changes if made else None, changes.words)


answers(play.Step)(change(lambda session, _: session.step()))
answers(play.Back)(change(lambda session, request: session.home() if request.to_prompt else session.back()))
answers(play.Choose)(change(lambda session, request: session.choose(request.position, request.token_id)))
answers(play.SetSampling)(change(lambda session, request: session.set_sampling(request.sampling)))
answers(play.SetSeed)(change(lambda session, request: session.set_seed(request.seed)))
answers(play.Show)(change(lambda _, __: None))
answers(play.Intervene)(change(lambda session, request: alter(session, request.changes)))
answers(play.Jump)(change(lambda session, request: session.jump(request.appended, request.picked, request.draws)))
