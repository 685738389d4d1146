"""Training inside the engine: one micro-step between requests, knobs, live weights, checkpoints, comparisons."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import torch

from gpttui.engine import live_run
from gpttui.engine.live_run import LEAST_TOKENS, MOST_WAIT_S, short_passes
from gpttui.engine.server import Engine
from gpttui.errors import UserError
from gpttui.interventions import AblateHead, AblatePart, ForbidEdge, PatchResidual
from gpttui.protocol.frames import Call, Reply, decode_call, decode_reply, frame
from gpttui.protocol.message import Answer, Look
from gpttui.protocol.play import Intervene, Loading, Opened, OpenModel, SetPrompt, Show, Shown, Step
from gpttui.protocol.stream import AskLens, LensGrid
from gpttui.protocol.train import (
    AskBatch,
    AskBeforeAfter,
    AskProbes,
    BatchLosses,
    BeforeAfter,
    Done,
    KeepModel,
    Kept,
    Measure,
    Measured,
    OneBatch,
    PauseRun,
    Probes,
    ResumeRun,
    RewindRun,
    SetLearningRate,
    SetStopRule,
    StartRun,
    StopRun,
    TrainNews,
    UseCheckpoint,
)
from gpttui.records import Sampling, Snapshot, live_weights
from gpttui.runs import rundir
from gpttui.runs.config import TrainConfig
from gpttui.runs.events import EvalDone, RunEnded, RunStarted, SampleDrawn, StopRuleChanged
from gpttui.storage import gallery
from gpttui.tui.session.run_record import RunRecord
from tests import fakes

T = TypeVar("T")
TINY: dict[str, Any] = {
    "layers": 2, "heads": 2, "width": 16, "context": 16, "batch": 4, "steps": 12, "warmup": 2, "eval_every": 6,
    "eval_tokens": 256, "sample_every": 6, "sample_tokens": 8, "checkpoint_every": 4, "device": "cpu", "threads": 1,
    "sample_prompt": "the king",
}  # fmt: skip


class Told(Engine):
    """An engine without a process around it: what it sends is kept, having travelled."""

    def __init__(self) -> None:
        super().__init__(-1)
        self.news: list[TrainNews] = []

    def send(self, answer: Answer, number: int = 0) -> None:
        answer = decode_reply(frame(Reply(number, answer))[4:]).answer
        if not isinstance(answer, Loading):
            assert isinstance(answer, TrainNews), answer
            self.news.append(answer)

    def ask(self, request: Any, kind: type[T]) -> T:
        request = decode_call(frame(Call(1, request))[4:]).request
        answer = decode_reply(frame(Reply(1, self.handle(request)))[4:]).answer
        assert isinstance(answer, kind), answer
        return answer

    def until(self, condition: Callable[[], object]) -> None:
        for _ in range(10_000):
            if condition():
                return
            self.work_a_little()
        raise AssertionError("never came true")

    @property
    def step(self) -> int:
        return self.live.step if self.live else -1


@pytest.fixture
def engine() -> Any:
    torch.set_num_threads(1)
    made = Told()
    yield made
    made.close()


@pytest.fixture
def text(tmp_path: Path) -> Path:
    return fakes.text_file(tmp_path)


@pytest.fixture
def start(engine: Told, text: Path, tmp_path: Path) -> Callable[..., Opened]:
    def begin(name: str = "run", **fields: Any) -> Opened:
        config = TrainConfig(**({"data": str(text)} | TINY | fields))
        return engine.ask(StartRun(config, str(tmp_path / name), "the king"), Opened)

    return begin


def test_a_run_trains_between_requests_and_tells_of_it(engine: Told, start: Callable[..., Opened]) -> None:
    opened = start()
    assert opened.card.id == "run" and opened.snapshot.weights == "training step 0"
    engine.until(lambda: engine.live and engine.live.over)
    steps = np.concatenate([news.steps for news in engine.news])
    assert steps.tolist() == list(range(1, 13))
    events = [event for news in engine.news for event in news.events]
    assert isinstance(events[0], RunStarted) and isinstance(events[-1], RunEnded)
    assert {type(event) for event in events} >= {EvalDone, SampleDrawn}
    assert engine.news[-1].state == "ended" and not engine.has_idle_work
    assert [news.checkpoints for news in engine.news if news.checkpoints][-1] == (0, 4, 8, 12)
    assert engine.news[-1].memory_bytes > 1e6
    assert not rundir.is_locked(Path(opened.card.path))


def test_the_session_reads_the_live_weights(engine: Told, start: Callable[..., Opened]) -> None:
    first = start().snapshot
    engine.until(lambda: engine.step == 5)
    shown = engine.ask(Show(look=Look()), Shown).snapshot
    assert shown.weights == "training step 5" and shown.epoch != first.epoch
    assert first.prediction and shown.prediction
    assert not np.allclose(first.prediction.model_probs, shown.prediction.model_probs)
    again = engine.ask(Step(look=Look()), Shown).snapshot
    assert again.weights == "training step 5" and len(again.ids) == len(shown.ids) + 1


def test_pause_one_batch_stop_and_resume(engine: Told, start: Callable[..., Opened]) -> None:
    path = start().card.path
    engine.until(lambda: engine.step == 2)
    assert engine.ask(PauseRun(True), Done).state == "paused"
    assert not engine.has_idle_work and engine.news[-1].state == "paused"
    engine.ask(OneBatch(), Done)
    engine.until(lambda: not engine.has_idle_work)
    assert engine.step == 3 and engine.news[-1].state == "paused" and engine.news[-1].steps.tolist() == [3]
    assert engine.ask(StopRun(), Done).state == "running"
    engine.until(lambda: engine.live and engine.live.over)
    stopped_at = engine.step
    with pytest.raises(UserError, match="resume it"):
        engine.ask(PauseRun(False), Done)
    assert engine.ask(ResumeRun(path), Opened).snapshot.weights == f"training step {stopped_at}"
    engine.until(lambda: engine.live and engine.live.over)
    assert engine.step == 12


def test_rewind_gives_the_very_same_weights(engine: Told, start: Callable[..., Opened]) -> None:
    path = Path(start().card.path)
    assert engine.live
    first = {name: p.clone() for name, p in engine.live.trainer.model.state_dict().items()}
    engine.until(lambda: engine.step == 6)
    engine.ask(PauseRun(True), Done)
    assert engine.ask(RewindRun(), Done).state == "paused"
    assert engine.step == 0 and [step for step, _ in rundir.checkpoints(path)] == [0]
    assert all(torch.equal(p, first[name]) for name, p in engine.live.trainer.model.state_dict().items())
    assert engine.ask(Show(), Shown).snapshot.weights == "training step 0"
    losses = [loss for news in engine.news for loss in news.losses_nats]
    engine.ask(PauseRun(False), Done)
    engine.until(lambda: engine.live and engine.live.over)
    again = [loss for news in engine.news for loss in news.losses_nats][len(losses) :]
    assert again[:6] == losses[:6]


def test_what_a_rewind_made_void_is_not_told_after_it(
    engine: Told, start: Callable[..., Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_run, "NEWS_S", 1e9)
    path = start(sample_every=3, eval_every=3).card.path
    assert engine.live
    engine.until(lambda: engine.live and len([e for e in engine.live._other if isinstance(e, EvalDone)]) == 2)
    engine.ask(RewindRun(), Done)
    engine.ask(PauseRun(True), Done)
    record = RunRecord(path, live=True)
    for news in engine.news:
        record.take_news(news)
    assert record.step == engine.step < 3 and record.train.size == engine.step
    assert not record.validation.size and not [sample for sample in record.samples if sample.step > engine.step]
    assert all(probe.step <= engine.step for probe in record.probes) and record.checkpoints == (0,)


def test_learning_rate_and_stop_rule_change_while_it_runs(engine: Told, start: Callable[..., Opened]) -> None:
    path = start(schedule="constant", warmup=0).card.path
    engine.until(lambda: engine.step == 2)
    engine.ask(SetLearningRate(5e-4), Done)
    engine.until(lambda: engine.step == 3)
    assert engine.live and engine.live.trainer.optimisers[0].param_groups[0]["lr"] == pytest.approx(5e-4)
    with pytest.raises(UserError, match="learning rate"):
        engine.ask(SetLearningRate(-1.0), Done)
    engine.ask(SetStopRule(target_loss=50.0), Done)
    engine.until(lambda: engine.live and engine.live.over)
    assert engine.step == 6 and rundir.read_config(Path(path)).target_loss == 50.0
    with pytest.raises(UserError, match="resume it"):
        engine.ask(SetStopRule(steps=50), Done)


def test_a_held_run_takes_a_stop_rule_at_once_and_is_held_again(engine: Told, start: Callable[..., Opened]) -> None:
    path = Path(start().card.path)
    engine.until(lambda: engine.step == 3)
    engine.ask(PauseRun(True), Done)
    with pytest.raises(UserError, match="done already"):
        engine.ask(SetStopRule(steps=2), Done)
    assert engine.ask(SetStopRule(steps=18, target_loss=0.1), Done).state == "paused"
    changed = [event for news in engine.news for event in news.events if isinstance(event, StopRuleChanged)]
    assert [(event.steps, event.minutes, event.target_loss) for event in changed] == [(18, 0.0, 0.1)]
    assert rundir.read_config(path).steps == 18 and engine.step in (3, 4) and not engine.has_idle_work
    engine.ask(PauseRun(False), Done)
    engine.until(lambda: engine.live and engine.live.over)
    assert engine.step == 18


def test_a_batch_shows_how_surprising_each_token_was(engine: Told, start: Callable[..., Opened]) -> None:
    path = start().card.path
    engine.until(lambda: engine.step == 4)
    live = engine.ask(AskBatch(path, rows=2), BatchLosses)
    assert live.ids.shape == (2, 17) and live.step == 4 and live.rows_in_all == 4
    assert np.isnan(live.losses_nats[:, 0]).all() and (live.losses_nats[:, 1:] > 0).all()
    engine.until(lambda: engine.live and engine.live.over)
    old = engine.ask(AskBatch(path, step=5, rows=2), BatchLosses)
    assert (old.step, old.weights_step) == (5, 4)


def test_scrubbing_redraws_the_same_prompt_and_seed(engine: Told, start: Callable[..., Opened]) -> None:
    path = start(steps=40, lr=1e-2).card.path
    engine.until(lambda: engine.live and engine.live.over)
    first = engine.ask(UseCheckpoint(path, 0, 10), Shown).snapshot
    last = engine.ask(UseCheckpoint(path, 40, 10), Shown).snapshot
    back = engine.ask(UseCheckpoint(path, 0, 0), Shown).snapshot
    assert first.weights == "checkpoint 0" and last.weights == "checkpoint 40"
    assert len(first.ids) == len(last.ids) == first.n_prompt + 10
    assert first.ids.tolist() == back.ids.tolist() != last.ids.tolist()
    live = engine.ask(UseCheckpoint(path, -1), Shown).snapshot
    assert live.ids.tolist() == last.ids.tolist()
    with pytest.raises(UserError, match="keeps no checkpoint"):
        engine.ask(UseCheckpoint(path, 39), Shown)


def test_a_pinned_checkpoint_does_not_move_while_training_goes_on(engine: Told, start: Callable[..., Opened]) -> None:
    path = start().card.path
    engine.until(lambda: engine.step == 5)
    pinned = engine.ask(UseCheckpoint(path, 4, 5), Shown).snapshot
    engine.until(lambda: engine.step == 8)
    shown = engine.ask(Show(), Shown).snapshot
    assert shown.weights == "checkpoint 4" and shown.ids.tolist() == pinned.ids.tolist()
    assert engine.ask(UseCheckpoint(path, -1, 5), Shown).snapshot.weights == "training step 8"


def test_probes_of_every_checkpoint(engine: Told, start: Callable[..., Opened]) -> None:
    path = start().card.path
    engine.until(lambda: engine.live and engine.live.over)
    live = [news.probe for news in engine.news if news.probe]
    assert live and live[0].probs.sum() <= 1.0001
    found, after = [], -1
    while True:
        answer = engine.ask(AskProbes(path, "the king", after, 5), Probes)
        found += answer.probes
        if not answer.more:
            break
        after = found[-1].step
    assert [probe.step for probe in found] == [0, 4, 8, 12] and all(len(probe.ids) == 5 for probe in found)


def test_measuring_counts_times_and_refuses(engine: Told, text: Path) -> None:
    config = TrainConfig(**(TINY | {"data": str(text)}))
    measured = engine.ask(Measure(config), Measured)
    assert measured.vocab_exact and measured.vocab_size < 30 and measured.params > 1000
    assert 0 < measured.step_s < 5 and measured.memory_bytes > 0
    corpus = engine.ask(Measure(TrainConfig(**(TINY | {"data": "corpus:sort"}))), Measured)
    assert not corpus.vocab_exact
    for broken in ({"data": "nowhere.txt"}, {"batch": 10_000_000}, {"tokenizer": "bpe:x"}):
        with pytest.raises(UserError) as refused:
            engine.ask(Measure(TrainConfig(**(TINY | {"data": str(text)} | broken))), Measured)
        assert "\n" not in str(refused.value)


def test_passes_are_short_and_the_batch_stays_the_same() -> None:
    config = TrainConfig(data="x", batch=12, context=64)
    split = short_passes(config, row_s=0.006)
    assert split.batch * 0.006 <= MOST_WAIT_S and split.batch * split.accumulation == 12
    assert short_passes(config, row_s=1e-4) == config
    assert short_passes(config, row_s=10.0).batch * 64 >= LEAST_TOKENS
    assert short_passes(TrainConfig(data="x", batch=2, context=512), row_s=10.0).batch == 1


def test_only_one_run_at_a_time_and_a_bad_one_changes_nothing(
    engine: Told, start: Callable[..., Opened], tmp_path: Path
) -> None:
    engine.ask(OpenModel(str(fakes.tiny_model_dir(tmp_path))), Opened)
    with pytest.raises(UserError, match="no text"):
        start("other", data="nowhere.txt")
    assert engine.card and engine.card.id == "tiny" and not (tmp_path / "other").exists()
    start()
    with pytest.raises(UserError, match="already"):
        start("second")


def test_fine_tuning_shows_what_changed_and_keeps_the_model(
    engine: Told, start: Callable[..., Opened], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "home"))
    base = Path(start("base").card.path)
    engine.until(lambda: engine.live and engine.live.over)
    new = tmp_path / "new.txt"
    new.write_text("rain on the ink of the town. " * 300, encoding="utf-8")
    tuned = start("tuned", data=str(new), init=str(base), lr=3e-3, steps=30)
    assert tuned.tokenizer_json == rundir.latest_checkpoint(base).joinpath("tokenizer.json").read_text()  # type: ignore[union-attr]
    engine.until(lambda: engine.live and engine.live.over)
    found = engine.ask(AskBeforeAfter(tuned.card.path, "the king", 3, Sampling(), 20), BeforeAfter)
    assert found.before_ids[: found.n_prompt].tolist() == found.after_ids[: found.n_prompt].tolist()
    assert found.new_after_nats < found.new_before_nats
    assert found.old_before_nats and found.old_after_nats and found.old_note == ""
    assert found.moves and abs(found.moves[0].after - found.moves[0].before) >= abs(
        found.moves[-1].after - found.moves[-1].before
    )
    kept = engine.ask(KeepModel(tuned.card.path, "mine"), Kept)
    assert gallery.find("mine") == Path(kept.path) and kept.val_loss_nats > 0
    with pytest.raises(UserError, match="there already"):
        engine.ask(KeepModel(tuned.card.path, "mine"), Kept)
    with pytest.raises(UserError, match="cannot be a model's name"):
        engine.ask(KeepModel(tuned.card.path, "../x"), Kept)
    with pytest.raises(UserError, match="cannot be a model's name"):
        engine.ask(KeepModel(tuned.card.path, "own:x"), Kept)


def test_a_kept_model_knows_the_text_it_learned_from(
    engine: Told, start: Callable[..., Opened], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPTTUI_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    old = tmp_path / "old.txt"
    old.write_text("".join(f"the king and queen number {n} sat down in the rain.\n" for n in range(120)), "utf-8")
    base = start("base", data="old.txt", val_fraction=0.3)
    engine.until(lambda: engine.live and engine.live.over)
    kept = engine.ask(KeepModel(base.card.path, "mine"), Kept)
    tuned = start("tuned", init="mine", steps=4)
    engine.until(lambda: engine.live and engine.live.over)
    monkeypatch.chdir("/")
    ask = AskBeforeAfter(tuned.card.path, "the king", 3, Sampling(), 5)
    found = engine.ask(ask, BeforeAfter)
    assert found.old_before_nats == pytest.approx(kept.val_loss_nats, abs=2e-3) and found.old_note == ""
    old.unlink()
    found = engine.ask(ask, BeforeAfter)
    assert found.old_before_nats is None and f"{old.resolve()}, is gone" in found.old_note


def test_without_the_old_text_it_says_so(engine: Told, start: Callable[..., Opened], tmp_path: Path) -> None:
    tuned = start(init=str(fakes.tiny_model_dir(tmp_path, context=16)), steps=4)
    engine.until(lambda: engine.live and engine.live.over)
    found = engine.ask(AskBeforeAfter(tuned.card.path, "the cat", 3, Sampling(), 5), BeforeAfter)
    assert found.old_before_nats is None and "forgot" in found.old_note


def test_the_end_of_the_engine_saves_the_run(engine: Told, start: Callable[..., Opened]) -> None:
    path = Path(start(steps=1000).card.path)
    engine.until(lambda: engine.step == 5)
    engine.close()
    saved = rundir.latest_checkpoint(path)
    assert saved is not None and int(saved.name) >= 5 and not rundir.is_locked(path)


def test_what_views_ask_is_answered_by_the_weights_that_the_snapshot_names(
    engine: Told, start: Callable[..., Opened]
) -> None:
    start(lr=0.05)
    engine.until(lambda: engine.step == 3)
    shown = engine.ask(Show(look=Look()), Shown).snapshot
    first = engine.ask(AskLens(0, 4), LensGrid)
    engine.until(lambda: engine.step == 8)
    assert np.array_equal(engine.ask(AskLens(0, 4), LensGrid).top_probs, first.top_probs)
    again = engine.ask(Show(look=Look()), Shown).snapshot
    assert (shown.weights, again.weights) == (live_weights(3), live_weights(8))
    assert not np.array_equal(engine.ask(AskLens(0, 4), LensGrid).top_probs, first.top_probs)


def test_a_mean_is_measured_anew_with_the_weights_and_the_prompt(engine: Told, start: Callable[..., Opened]) -> None:
    path = start(lr=0.05).card.path
    engine.until(lambda: engine.live and engine.live.over)
    change = (AblatePart(0, "mlp", "mean"),)

    def afresh() -> Snapshot:
        engine.ask(Intervene(()), Shown)
        return engine.ask(Intervene(change), Shown).snapshot

    engine.ask(Intervene(change), Shown)
    for moved in (UseCheckpoint(path, 4), SetPrompt("the rain fell"), UseCheckpoint(path, -1)):
        taken_along = engine.ask(moved, Shown).snapshot
        assert taken_along.interventions and taken_along.prediction
        anew = afresh().prediction
        assert anew is not None and np.array_equal(taken_along.prediction.model_probs, anew.model_probs)


def test_a_change_of_one_place_of_the_text_goes_with_the_text(engine: Told, start: Callable[..., Opened]) -> None:
    start()
    changes = (AblateHead(0, 1), ForbidEdge(0, 0, 2, 1), PatchResidual(0, "mlp", 2, "the town", -1))
    assert len(engine.ask(Intervene(changes), Shown).snapshot.interventions) == 3
    assert engine.ask(SetPrompt("the queen"), Shown).snapshot.interventions == (changes[0].words,)


def test_no_two_sessions_share_an_epoch(engine: Told, start: Callable[..., Opened]) -> None:
    path = start().card.path
    engine.until(lambda: engine.live and engine.live.over)
    assert len({engine.ask(OpenModel(path), Opened).snapshot.epoch for _ in range(3)}) == 3
