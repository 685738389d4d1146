"""Training by keys alone, on the real engine: form, dashboard, live playground, scrubber, fine-tuning, death, files."""

import os
import shutil
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from gpttui import locations
from gpttui.protocol.play import Show
from gpttui.runs import rundir
from gpttui.runs.config import TrainConfig
from gpttui.runs.events import EvalDone, RunStarted, SampleDrawn, StepDone, encode_event
from gpttui.storage import gallery
from gpttui.tokenizers import Tokenizer
from gpttui.training import loop
from gpttui.training import run as runs
from gpttui.tui.screens.train import TrainScreen
from gpttui.tui.screens.train_after import AfterScreen
from gpttui.tui.screens.train_form import TrainFormScreen
from gpttui.tui.screens.train_overlays import OverlayScreen
from gpttui.tui.screens.train_stop import StopRuleScreen
from gpttui.tui.widgets.scrubber import LIVE
from tests.tui.training import Driven, training


async def test_from_the_playground_by_keys_alone_to_a_model_on_the_shelf(home: Path, text: Path) -> None:
    async with training(home) as driven:
        await driven.until(lambda: driven.play.tokens.snapshot is not None)
        assert "e train" in driven.text
        await driven.pilot.press("e")
        form = await driven.on(TrainFormScreen)
        assert form.values["text"] == "tales"
        await driven.pilot.press("down", "ctrl+u")
        await driven.until(lambda: "type the path" in driven.text)
        await driven.pilot.press(*str(text))
        assert form.values["text"] == str(text)
        await driven.order()
        await driven.until(lambda: driven.record.state == "ended")
        await driven.until(lambda: "finished" in driven.text and "keeps the model" in driven.text)
        screen = driven.app.screen
        assert isinstance(screen, TrainScreen) and screen.curve.train.size == 40 and screen.samples.samples
        await driven.until(lambda: "Batch of step" in driven.text)
        assert "block 1" in driven.text and "What follows" in driven.text
        await driven.pilot.press("k")
        await driven.until(lambda: "Kept as 'words'" in driven.text)
        assert gallery.find("words") == locations.user_models_dir() / "words"


async def test_pause_one_batch_rate_rewind_and_stop(home: Path, text: Path) -> None:
    async with training(home, train=str(text)) as driven:
        await driven.set_going()
        await driven.pilot.press("p")
        await driven.until(lambda: driven.record.state == "paused")
        held = driven.record.step
        await driven.pilot.press("space")
        await driven.until(lambda: driven.record.step == held + 1 and driven.record.state == "paused")
        await driven.pilot.press("right_square_bracket")
        await driven.until(
            lambda: driven.record.config is not None and driven.record.config.lr_scale == pytest.approx(1.25)
        )
        await driven.pilot.press("R")
        await driven.until(lambda: "R again" in driven.text)
        assert driven.record.step == held + 1
        await driven.pilot.press("R")
        await driven.until(lambda: driven.engine.live and driven.engine.live.step == 0)
        await driven.until(lambda: driven.record.step == 0 and driven.record.train.size == 0)
        strip = driven.app.screen.strip  # type: ignore[attr-defined]
        await driven.until(lambda: [probe.step for probe in strip.probes] == [0])
        await driven.pilot.press("p")
        await driven.until(lambda: driven.record.step >= 2)
        await driven.pilot.press("x")
        await driven.until(lambda: driven.record.state == "ended" and "stopped" in driven.text)
        await driven.pilot.press("r")
        await driven.until(lambda: driven.record.state == "running")
        await driven.pilot.press("x")
        await driven.until(lambda: driven.record.state == "ended")


async def test_the_end_of_a_run_is_moved_while_it_goes_on(home: Path, text: Path) -> None:
    async with training(home, train=str(text)) as driven:
        await driven.set_going()
        await driven.pilot.press("u")
        rule = await driven.on(StopRuleScreen)
        await driven.until(lambda: "Train until" in driven.text and "are done" in driven.text)
        await driven.pilot.press("1", "enter")
        await driven.until(lambda: "steps must be more than the" in driven.text)
        assert driven.app.screen is rule
        await driven.pilot.press("escape")
        screen = await driven.on(TrainScreen)
        assert driven.record.config is not None and driven.record.config.steps == 100_000
        await driven.pilot.press("p")
        await driven.until(lambda: driven.record.state == "paused")
        last = driven.record.step + 6
        await driven.pilot.press("u", *str(last))
        await driven.until(lambda: "drawn in" in driven.text)
        await driven.pilot.press("down", "5")
        await driven.until(lambda: "steps in all, corrected on the way" in driven.text)
        await driven.pilot.press("enter")
        await driven.until(lambda: driven.record.config and driven.record.config.minutes == 5)
        assert rundir.read_config(Path(driven.record.path)).minutes == 5
        await driven.pilot.press("u", *str(last), "enter")
        await driven.until(lambda: screen.header.steps == last)
        assert rundir.read_config(Path(driven.record.path)).minutes == 0
        await driven.pilot.press("p")
        await driven.until(lambda: driven.record.state == "ended")
        assert driven.record.step == last


class Looked:
    """A clock on which ten milliseconds pass whenever somebody looks at it, however slow the machine is."""

    now_s = 0.0
    time = staticmethod(time.time)

    def perf_counter(self) -> float:
        self.now_s += 0.01
        return self.now_s


async def test_a_run_whose_time_is_up_is_given_more_of_it(
    home: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "time", Looked())
    async with training(home, train=str(text)) as driven:
        await driven.order(minutes="0.02")
        await driven.until(lambda: driven.record.state == "ended" and "time is up" in driven.text)
        first = driven.record.step
        await driven.pilot.press("r")
        await driven.until(lambda: "its time is up; u trains on" in driven.text)
        await driven.pilot.press("u")
        rule = await driven.on(StopRuleScreen)
        assert rule.form.values["minutes"] == "0.04" and int(rule.form.values["steps"]) > first
        await driven.pilot.press("enter")
        await driven.on(TrainScreen)
        await driven.until(lambda: driven.record.state == "ended" and driven.record.step > first)
        ended = driven.record.ended
        assert ended is not None and ended.reason == "minutes" and ended.elapsed_s > 0.02 * 60


async def test_a_run_that_has_ended_trains_on_to_another_end(home: Path, text: Path) -> None:
    async with training(home, train=str(text)) as driven:
        await driven.order(steps="6")
        await driven.until(lambda: driven.record.state == "ended" and "u trains on" in driven.text)
        await driven.pilot.press("r")
        await driven.until(lambda: "all 6 steps are done" in driven.text)
        await driven.pilot.press("u")
        await driven.on(StopRuleScreen)
        await driven.until(lambda: "drawn out" in driven.text and "6 are done" in driven.text)
        await driven.pilot.press("enter")
        await driven.on(TrainScreen)
        await driven.until(lambda: driven.record.state == "ended" and driven.record.step == 12)
        assert driven.record.train.x.tolist() == list(range(1, 13))
        assert rundir.read_config(Path(driven.record.path)).steps == 12


def other_run(text: Path, name: str, at_unix_s: float, **fields: Any) -> Path:
    """A short run in a person's own folder, written at a certain time."""
    path = locations.runs_dir() / name
    tiny = {"layers": 1, "heads": 1, "width": 8, "context": 8, "batch": 2, "steps": 6, "device": "cpu"}
    with runs.start(TrainConfig(data=str(text), **(tiny | fields)), path) as run:
        for _ in run.trainer.events():
            pass
    os.utime(path / rundir.EVENTS, (at_unix_s, at_unix_s))
    return path


async def test_other_runs_are_chosen_from_a_list_and_laid_over_the_curve(home: Path, text: Path) -> None:
    for n, name in enumerate(("a", "b", "older", "newer")):
        other_run(text, name, 1e9 + n)
    async with training(home, train=str(text)) as driven:
        await driven.order(steps="12")
        await driven.until(lambda: driven.record.state == "ended")
        screen = await driven.on(TrainScreen)
        await driven.pilot.press("v")
        chooser = await driven.on(OverlayScreen)
        await driven.until(lambda: [run.name for run in chooser.runs] == ["newer", "older", "b", "a"])
        for key, names in (("enter", ["newer"]), ("down", ["newer"]), ("space", ["newer", "older"])):
            await driven.pilot.press(key)
            await driven.until(lambda names=names: [run.title for run in screen.curve.others] == names)  # type: ignore[misc]
            await driven.until(lambda names=names: all(f"● {name}" in driven.text for name in names))  # type: ignore[misc]
        await driven.pilot.press("down", "enter")
        await driven.until(lambda: len(screen.curve.others) == 3)
        await driven.pilot.press("down", "enter")
        await driven.until(lambda: "At most 3 runs" in driven.text)
        await driven.pilot.press("up", "enter")
        await driven.until(lambda: len(screen.curve.others) == 2)
        await driven.pilot.press("escape")
        await driven.until(lambda: driven.app.screen is screen and "━ newer  ━ older" in driven.text)
        await driven.pilot.press("v")
        again = await driven.on(OverlayScreen)
        await driven.until(lambda: [run.name for run in again.chosen] == ["newer", "older"])
        await driven.pilot.press("escape")
        await driven.on(TrainScreen)
        await driven.pilot.press("n")
        form = await driven.on(TrainFormScreen)
        form.values = form.values | {"text": str(text)}
        await driven.order(steps="6")
        await driven.until(lambda: driven.record.state == "ended" and driven.record.name == "words-2")
        await driven.on(TrainScreen)
        await driven.pilot.press("v")
        chooser = await driven.on(OverlayScreen)
        await driven.until(lambda: chooser.runs and chooser.runs[0].name == "words")


async def test_overlays_of_another_tokenizer_come_in_one_unit_or_not_at_all(home: Path, text: Path) -> None:
    pieces = other_run(text, "pieces", 3e9, tokenizer="bpe:300")
    unknown = other_run(text, "unknown", 2e9, tokenizer="bpe:280")
    lines = (unknown / rundir.EVENTS).read_text().replace('"val_bytes":', '"was":')
    (unknown / rundir.EVENTS).write_text(lines)
    async with training(home, train=str(text)) as driven:
        await driven.order(steps="12")
        await driven.until(lambda: driven.record.state == "ended")
        screen = await driven.on(TrainScreen)
        await driven.pilot.press("v")
        chooser = await driven.on(OverlayScreen)
        await driven.until(lambda: {run.name for run in chooser.runs} == {"pieces", "unknown"})
        order = [run.name for run in chooser.runs]
        await driven.pilot.press(*["down"] * order.index("pieces"), "enter")
        await driven.until(lambda: "nats a byte, as the tokenizers differ" in " ".join(driven.text.split()))
        own, other = screen.curve.scales
        started = next(event for event in rundir.read_events(pieces) if isinstance(event, RunStarted))
        assert own == pytest.approx(1) and other == pytest.approx(started.val_tokens / started.val_bytes)
        held_out = text.read_bytes()[-started.val_bytes :].decode()
        assert len(Tokenizer.open(pieces).encode(held_out)) == pytest.approx(started.val_tokens, abs=2)
        await driven.pilot.press("home", *["down"] * order.index("unknown"), "enter")
        await driven.until(lambda: "unknown is not laid over" in driven.text)
        assert [run.title for run in screen.curve.others] == ["pieces"]
        await driven.pilot.press("escape")
        await driven.until(lambda: driven.app.screen is screen and "Training loss, nats a byte" in driven.text)


async def test_the_playground_steps_with_live_weights(home: Path, text: Path) -> None:
    async with training(home, train=str(text)) as driven:
        await driven.set_going()
        await driven.pilot.press("e")
        await driven.until(lambda: driven.app.screen is driven.play)
        await driven.until(lambda: "training step" in driven.text)
        first = len(driven.play.tokens.snapshot.ids)  # type: ignore[union-attr]
        await driven.pilot.press("space")
        await driven.until(lambda: len(driven.play.tokens.snapshot.ids) == first + 1)  # type: ignore[union-attr]
        before = driven.play.tokens.snapshot.weights  # type: ignore[union-attr]
        await driven.until(lambda: driven.play.tokens.snapshot.weights != before)  # type: ignore[union-attr]
        assert driven.play.loss.train is driven.record.train and "◉ live" in driven.text
        await driven.pilot.press("e")
        await driven.on(TrainScreen)


async def test_scrubbing_shows_each_checkpoint_everywhere(home: Path, text: Path) -> None:
    async with training(home, train=str(text)) as driven:
        await driven.order(lr="0.01")
        await driven.until(lambda: driven.record.state == "ended")
        await driven.pilot.press("comma")
        await driven.until(lambda: driven.app.screen is driven.play and driven.play.scrubber.has_focus)
        assert driven.play.scrubber.at == LIVE
        seen = {}
        for _ in range(len(driven.record.checkpoints)):
            await driven.pilot.press("comma")
            at = driven.play.scrubber.at
            await driven.until(lambda at=at: driven.play.tokens.snapshot.weights == f"checkpoint {at:,}")  # type: ignore[union-attr, misc]
            seen[at] = driven.play.tokens.snapshot.ids.tolist()  # type: ignore[union-attr]
            assert driven.play.loss.marker == at
        assert set(seen) == set(driven.record.checkpoints) and len({str(ids) for ids in seen.values()}) > 2
        await driven.pilot.press("end")
        await driven.until(lambda: driven.play.tokens.snapshot.weights == "training step 40")  # type: ignore[union-attr]
        assert driven.play.loss.marker is None
        rail = driven.play.scrubber
        await driven.pilot.click("#scrubber", offset=(14, 0))
        await driven.until(lambda: driven.play.tokens.snapshot.weights == "checkpoint 0")  # type: ignore[union-attr]
        assert driven.play.tokens.snapshot.ids.tolist() == seen[0] and rail.index == 0  # type: ignore[union-attr]


async def test_fine_tuning_and_what_it_changed(home: Path, text: Path) -> None:
    async with training(home, train=str(text)) as driven:
        form = await driven.on(TrainFormScreen)
        await driven.until(lambda: driven.play.link.card is not None)
        await driven.pilot.press("escape")
        await driven.until(lambda: driven.app.screen is driven.play)
        driven.play.door.order_run(str(text))
        form = await driven.on(TrainFormScreen)
        await driven.pilot.press("down", "down", "right")
        await driven.until(lambda: form.values["start"] == "tiny")
        assert form.values["layers"] == "2" and form.values["optimizer"] == "adamw"
        form.values = form.values | {"steps": "10", "context": "16", "minutes": "0", "preset": "your own"}
        form._measure()
        await driven.until(lambda: form.measured is not None and not form.problem)
        await driven.pilot.press("enter")
        await driven.on(TrainScreen)
        await driven.until(lambda: driven.record.state == "ended")
        await driven.pilot.press("c")
        after = await driven.on(AfterScreen)
        await driven.until(lambda: after.panes[0].found is not None)
        await driven.until(lambda: "before: tiny" in driven.text and "after 10 steps" in driven.text)
        assert "→" in driven.text and "old text:" in driven.text
        await driven.pilot.press("escape")
        await driven.on(TrainScreen)


async def test_the_engine_dies_and_the_run_goes_on(home: Path, text: Path) -> None:
    async with training(home, train=str(text)) as driven:
        await driven.order(steps="100000")
        await driven.until(lambda: driven.record.step >= 5 and driven.record.checkpoints)
        driven.engine.die()
        await driven.until(lambda: driven.record.state == "interrupted" and "r goes on" in driven.text)
        path = Path(driven.record.path)
        assert rundir.latest_checkpoint(path) is not None
        await driven.until(lambda: driven.engine.session is not None)
        await driven.pilot.press("r")
        await driven.until(lambda: driven.record.state == "running" and driven.record.last is not None)
        await driven.pilot.press("x")
        await driven.until(lambda: driven.record.state == "ended")


def run_in_files(home: Path, text: Path) -> Path:
    """A finished run of 12 steps."""
    config = TrainConfig(
        data=str(text), layers=2, heads=2, width=16, context=16, batch=4, steps=12, warmup=2, eval_every=6,
        eval_tokens=256, sample_every=4, sample_tokens=8, sample_prompt="the", checkpoint_every=4, device="cpu",
    )  # fmt: skip
    path = home / "elsewhere"
    with runs.start(config, path) as run:
        for _ in run.trainer.events():
            pass
    return path


async def test_watching_a_run_in_files(home: Path, text: Path) -> None:
    path = run_in_files(home, text)
    async with training(home, model=str(path), watch=str(path)) as driven:
        screen = await driven.on(TrainScreen)
        await driven.until(lambda: driven.record.state == "finished" and driven.record.train.size == 12)
        await driven.until(lambda: "finished" in driven.text and screen.samples.samples)
        await driven.until(lambda: len(driven.record.probes) == 4)
        await driven.until(lambda: screen.reading.losses is not None)
        await driven.until(lambda: "r resume" in driven.text and "p pause" not in driven.text)
        await driven.pilot.press("comma")
        await driven.until(lambda: driven.play.scrubber.has_focus and driven.play.scrubber.display)
        await driven.pilot.press("home")
        await driven.until(lambda: driven.play.tokens.snapshot.weights == "checkpoint 0")  # type: ignore[union-attr]


async def test_a_watched_run_whose_events_cannot_be_read_says_so(home: Path, text: Path) -> None:
    path = run_in_files(home, text)
    (path / rundir.EVENTS).unlink()
    os.mkfifo(path / rundir.EVENTS)
    async with training(home, model=str(path), watch=str(path)) as driven:
        await driven.on(TrainScreen)
        await driven.until(
            lambda: "● failed" in driven.text and "events.jsonl cannot be read" in " ".join(driven.text.split())
        )


async def test_a_viewer_sees_a_run_die_in_the_middle_of_a_line_and_go_on(home: Path, text: Path) -> None:
    path = run_in_files(home, text)
    events = list(rundir.read_events(path))
    steps = [event for event in events if isinstance(event, StepDone)]
    async with training(home, model=str(path), watch=str(path)) as driven:
        screen = await driven.on(TrainScreen)
        await driven.until(lambda: driven.record.state == "finished" and len(driven.record.probes) == 4)
        with (path / rundir.EVENTS).open("ab") as handle:
            handle.write(encode_event(steps[0])[:40])
        await driven.pilot.pause(0.7)
        started = next(event for event in events if isinstance(event, RunStarted))
        with rundir.RunLock(path):
            rundir.drop_checkpoints_after(path, 4)
            writer = rundir.EventWriter(path)
            for event in (msgspec.structs.replace(started, step=4), *steps[4:7]):
                writer.write(event)
            writer.close()
            await driven.until(lambda: driven.record.state == "running" and driven.record.step == 7)
            assert driven.record.train.x.tolist() == list(range(1, 8))
            assert driven.record.validation.x.tolist() == [] and max(s.step for s in driven.record.samples) <= 4
            await driven.until(lambda: [probe.step for probe in screen.strip.probes] == [0, 4])
            await driven.until(lambda: driven.record.checkpoints == (0, 4) and "● running" in driven.text)
            assert driven.play.scrubber.notches == (0, 4)
        await driven.until(lambda: driven.record.state == "interrupted")


async def test_watching_offers_only_keys_that_do_something(home: Path, text: Path) -> None:
    config = TrainConfig(
        data=str(text), layers=2, heads=2, width=16, context=16, batch=4, steps=12, warmup=2, eval_every=6,
        eval_tokens=256, sample_every=0, checkpoint_every=4, device="cpu",
    )  # fmt: skip
    refusing = {"pause", "one_batch", "stop", "rewind", "learning_rate", "resume", "until"}

    def offered(driven: Driven) -> set[str]:
        active = driven.app.screen.active_bindings.values()
        return {found.binding.action.partition("(")[0] for found in active if found.enabled}

    path = home / "elsewhere"
    with runs.start(config, path) as run:
        events = run.trainer.events()
        while run.trainer.state.step < 6:
            next(events)
        async with training(home, watch=str(path)) as driven:
            await driven.on(TrainScreen)
            await driven.until(lambda: driven.record.state == "running" and driven.record.config is not None)
            assert not offered(driven) & refusing
            assert offered(driven) >= {"keep", "compare", "overlay", "scrub", "new"}
    async with training(home, watch=str(path)) as driven:
        await driven.on(TrainScreen)
        await driven.until(lambda: driven.record.state == "interrupted" and driven.record.config is not None)
        assert offered(driven) & refusing == {"resume", "until"}


async def test_every_key_of_the_training_screen_works_in_every_pane(home: Path, text: Path) -> None:
    """`k` keeps the model, also in panes whose cursor goes up."""
    async with training(home, model=str(run_in_files(home, text)), watch=str(home / "elsewhere")) as driven:
        screen = await driven.on(TrainScreen)
        promised = {key: found.binding.action for key, found in screen.active_bindings.items() if found.node is screen}
        assert promised["k"] == "keep"
        for pane in screen.deck.panes:
            pane.focus()
            await driven.until(lambda pane=pane: pane.has_focus)  # type: ignore[misc]
            taken = {key for key, found in screen.active_bindings.items() if found.node is pane}
            assert not taken & promised.keys(), pane


async def test_every_pane_of_training_is_written_unrounded(home: Path, text: Path) -> None:
    path = run_in_files(home, text)
    tail = rundir.EventTail(path)
    events = tail.read(1 << 22)
    async with training(home, model=str(path), watch=str(path)) as driven:
        screen = await driven.on(TrainScreen)
        await driven.until(lambda: driven.record.state == "finished" and len(driven.record.probes) == 4)
        await driven.until(lambda: screen.reading.losses is not None and screen.reading.tokenizer is not None)
        await driven.until(lambda: screen.samples.samples and screen.numbers.vitals.layer_norms)

        steps = {e.step: e for e in events if isinstance(e, StepDone)}
        measured = {e.step: e.val_loss_nats for e in events if isinstance(e, EvalDone)}
        loss = await driven.exported("c")
        assert [int(row["step"]) for row in loss] == sorted(steps.keys() | measured.keys())
        for row in loss:
            for name, known in (
                ("loss_nats", {step: done.loss_nats for step, done in steps.items()}),
                ("validation_loss_nats", measured),
            ):
                expected = np.float32(known.get(int(row["step"]), np.nan))
                np.testing.assert_equal(np.float32(row[name]), expected)

        await driven.pilot.press("2")
        parts = await driven.exported("c")
        assert [float(row["gradient_norm"]) for row in parts] == steps[12].layer_grad_norms
        assert [row["part"] for row in parts] == ["embed", "block 1", "block 2", "head"]
        assert {float(row["tokens_per_s"]) for row in parts} == {steps[12].tokens_per_s}

        await driven.pilot.press("3")
        samples = [e for e in events if isinstance(e, SampleDrawn)]
        assert [(int(row["step"]), row["text"]) for row in await driven.exported("c")] == [
            (sample.step, sample.text) for sample in reversed(samples)
        ]

        await driven.pilot.press("4")
        looks = await driven.exported("c")
        probs = np.concatenate([probe.probs for probe in driven.record.probes])
        assert [float(row["prob"]) for row in looks] == probs.tolist() and looks[0]["token"]

        await driven.pilot.press("5")
        batch, losses = await driven.exported("c"), screen.reading.losses
        assert losses is not None
        assert [int(row["token_id"]) for row in batch] == losses.ids[losses.ids >= 0].tolist()
        np.testing.assert_equal([float(row["loss_nats"]) for row in batch], losses.losses_nats[losses.ids >= 0])
        picture = await driven.exported_file("s")
        assert "Batch" in picture.read_text(encoding="utf-8")

        await driven.pilot.press("c")
        after = await driven.on(AfterScreen)
        await driven.until(lambda: after.panes[0].found is not None)
        found = after.panes[0].found
        assert found is not None
        written = await driven.exported("c")
        assert [int(row["token_id"]) for row in written] == [*found.before_ids.tolist(), *found.after_ids.tolist()]
        await driven.pilot.press("tab")
        (new,) = await driven.exported("c")
        assert float(new["validation_after_nats"]) == found.new_after_nats
        await driven.pilot.press("tab")
        assert [float(row["after"]) for row in await driven.exported("c")] == [move.after for move in found.moves]


@pytest.mark.parametrize("size", [(1, 1), (40, 12), (80, 24)])
async def test_no_size_breaks_the_training_screens(home: Path, text: Path, size: tuple[int, int]) -> None:
    async with training(home, size, train=str(text)) as driven:
        await driven.order(steps="12")
        await driven.until(lambda: driven.record.state == "ended")
        for key in ("2", "3", "4", "5", "z", "z", "tab", "question_mark", "escape", "c"):
            await driven.pilot.press(key)
        await driven.pilot.pause()


async def test_after_a_run_the_playground_shows_its_last_weights(home: Path, text: Path) -> None:
    async with training(home, train=str(text)) as driven:
        await driven.order()
        await driven.until(lambda: driven.record.state == "ended")
        await driven.pilot.press("e")
        await driven.until(lambda: driven.app.screen is driven.play)
        await driven.until(lambda: driven.play.header.snapshot.weights == "training step 40")  # type: ignore[union-attr]
        shown = len([asked for asked in driven.engine.asked if isinstance(asked, Show)])
        driven.play.door.keep_up()
        await driven.until(lambda: not driven.play.link.busy)
        assert len([asked for asked in driven.engine.asked if isinstance(asked, Show)]) == shown


async def test_the_knob_comes_back_where_a_checkpoint_is_refused(home: Path, text: Path) -> None:
    async with training(home, train=str(text)) as driven:
        await driven.order()
        await driven.until(lambda: driven.record.state == "ended")
        await driven.pilot.press("comma")
        await driven.until(lambda: driven.app.screen is driven.play and driven.play.scrubber.has_focus)
        await driven.pilot.press("home")
        await driven.until(lambda: driven.play.tokens.snapshot.weights == "checkpoint 0")  # type: ignore[union-attr]
        step, folder = rundir.checkpoints(Path(driven.record.path))[1]
        shutil.rmtree(folder)
        await driven.pilot.press("full_stop")
        await driven.until(lambda: driven.play.hints.tone == "error")
        assert (driven.play.scrubber.at, driven.play.loss.marker) == (0, 0) and step > 0


async def test_a_run_opened_again_is_its_checkpoint_not_live(home: Path, text: Path) -> None:
    async with training(home, train=str(text)) as driven:
        await driven.order()
        await driven.until(lambda: driven.record.state == "ended")
        tiny = driven.play.opening.model
        driven.play.link.open(tiny, "the cat")
        await driven.until(lambda: driven.play.link.card.path == tiny)  # type: ignore[union-attr]
        await driven.pilot.press("comma")
        await driven.until(lambda: driven.play.scrubber.at == 40 and driven.play.scrubber.has_focus)
        assert driven.record.config is not None and driven.play.link.prompt == driven.record.config.sample_prompt
