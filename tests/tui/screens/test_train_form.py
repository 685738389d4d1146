"""The form and the stop rule: typed at any speed, judged at every key, refused in one line."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from gpttui.runs.config import TrainConfig
from gpttui.tui.screens.train import TrainScreen
from gpttui.tui.screens.train_form import TrainFormScreen
from gpttui.tui.screens.train_stop import StopRuleScreen
from gpttui.tui.session.run_order import config_of, values_of
from tests.tui.training import TINY, training


async def test_the_form_measures_and_refuses_in_one_line(home: Path, text: Path) -> None:
    async with training(home, train=str(text)) as driven:
        form = await driven.on(TrainFormScreen)
        await driven.until(lambda: form.measured is not None)
        await driven.until(lambda: "parameters" in driven.text and "about" in driven.text)
        await driven.pilot.press("left")
        assert form.values["preset"] == "seconds" and form.values["width"] == "64"
        assert form.values["minutes"] == "0.2"
        await driven.until(lambda: "time       12 s" in driven.text)
        await driven.pilot.press(*["down"] * 6, "5")
        assert form.values["heads"] == "5"
        await driven.until(lambda: "does not divide" in driven.text)
        await driven.pilot.press("enter")
        assert driven.app.screen is form
        await driven.pilot.press("backspace", "2")
        await driven.until(lambda: "Enter starts" in driven.text)
        await driven.pilot.press("up", "up", "up", "up", "up", "ctrl+u", *"/nowhere.txt")
        await driven.until(lambda: "no text at /nowhere.txt" in driven.text)
        await driven.pilot.press("enter")
        assert driven.app.screen is form
        await driven.pilot.press("escape")
        await driven.until(lambda: driven.app.screen is driven.play)


async def test_keys_that_come_in_a_burst_are_all_taken_in_their_order(home: Path, text: Path) -> None:
    async with training(home, train=str(text)) as driven:
        form = await driven.on(TrainFormScreen)
        await driven.until(lambda: form.form.has_focus)
        driven.burst("down", "ctrl+u", *"abcdefgh")
        await driven.until(lambda: form.values["text"] == "abcdefgh")
        driven.burst(*["backspace"] * 5, *"xyz", "backspace")
        await driven.until(lambda: form.values["text"] == "abcxy")
        driven.burst("up", "left", *["down"] * 6, *"12", *["down"] * 6, *"77")
        await driven.until(lambda: form.values["steps"] == "77")
        await driven.pilot.pause()
        assert form.values["preset"] == "your own" and form.values["heads"] == "12" and form.values["width"] == "64"


async def test_the_stop_rule_takes_a_burst_and_enter_behind_it(home: Path, text: Path) -> None:
    async with training(home, train=str(text)) as driven:
        await driven.set_going()
        await driven.pilot.press("u")
        rule = await driven.on(StopRuleScreen)
        await driven.until(lambda: rule.form.has_focus)
        driven.burst(*"123456", "backspace", "enter")
        screen = await driven.on(TrainScreen)
        await driven.until(lambda: screen.header.steps == 12_345)


async def test_no_outdated_error_stands_in_the_way_while_the_engine_measures(
    home: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with training(home, train=str(text)) as driven:
        form = await driven.on(TrainFormScreen)
        await driven.until(lambda: form.measured is not None)
        form.values = form.values | TINY
        form.form.line = 6
        driven.burst("3")
        await driven.until(lambda: "does not divide" in driven.text and form.measured is None)
        measuring, measure = asyncio.Event(), driven.play.training.measure

        async def late(config: TrainConfig) -> Any:
            await measuring.wait()
            return await measure(config)

        monkeypatch.setattr(driven.play.training, "measure", late)
        await driven.pilot.press("backspace", "2")
        await driven.until(lambda: "does not divide" not in driven.text and "Enter starts" in driven.text)
        await driven.pilot.press("enter")
        await driven.until(lambda: "as soon as it is measured" in driven.text)
        assert driven.app.screen is form
        measuring.set()
        await driven.on(TrainScreen)
        await driven.until(lambda: driven.record.config is not None and driven.record.config.heads == 2)


def jsonl(folder: Path) -> Path:
    file = folder / "tales.jsonl"
    file.write_text("".join(json.dumps({"id": n, "text": f"Once upon a time, {n}."}) + "\n" for n in range(500)))
    return file


async def test_the_form_comes_back_as_it_was_with_every_setting(home: Path, tmp_path: Path) -> None:
    async with training(home, train=str(jsonl(tmp_path))) as driven:
        form = await driven.on(TrainFormScreen)
        await driven.until(lambda: form.measured is not None)
        assert form.values["text_field"] == "text"
        form.values = form.values | TINY | {"steps": "7"}
        await driven.pilot.press("up", "right")  # the last line: more settings
        assert form.values["more"] == "shown"
        await driven.pilot.press("down", *"Once", "down", "5", "down", "right", "down", "right", "right", "right")
        await driven.pilot.press("down", "0", "down", "left", *["down"] * 4, "right")
        expected = {"sample_prompt": "Once", "seed": "5", "dropout": "0.1", "schedule": "constant", "warmup": "0",
                    "weight_decay": "0.01", "precision": "bf16"}  # fmt: skip
        assert {name: form.values[name] for name in expected} == expected
        left = dict(form.values)
        await driven.pilot.press("enter")
        screen = await driven.on(TrainScreen)
        await driven.until(lambda: driven.record.ended is not None)
        config = driven.record.config
        assert config is not None and (config.seed, config.dropout, config.schedule) == (5, 0.1, "constant")
        assert (config.sample_prompt, config.warmup, config.text_field) == ("Once", 0, "text")
        assert (config.weight_decay, config.precision, config.steps) == (0.01, "bf16", 7)
        await driven.until(lambda: driven.app.screen is screen)
        await driven.pilot.press("n")
        form = await driven.on(TrainFormScreen)
        await driven.until(lambda: form.measured is not None)
        assert form.values == left
        await driven.pilot.press("escape")
        again = values_of(config, None)
        assert config_of(again, None) == config_of(left, None)


async def test_a_seed_that_is_none_is_refused_in_one_line(home: Path, text: Path) -> None:
    async with training(home, train=str(text)) as driven:
        form = await driven.on(TrainFormScreen)
        await driven.until(lambda: form.measured is not None)
        await driven.pilot.press("up", "right", "down", "down", "x")
        await driven.until(lambda: "seed must be a whole number, not 'x'" in driven.text)
        await driven.pilot.press("enter")
        assert driven.app.screen is form and form.form.wrong == "seed"


async def test_the_form_says_what_of_a_text_the_starting_model_does_not_know(home: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.txt"
    foreign.write_text("ж" * 3 + "to be\n" * 1 + "жю be not to\n" * 300, encoding="utf-8")
    async with training(home, train=str(foreign)) as driven:
        form = await driven.on(TrainFormScreen)
        await driven.until(lambda: form.measured is not None)
        assert not form.measured.unknown
        await driven.until(lambda: len(form.form.fields[2].choices) == 2)  # the model is open by now
        form.form.line = 2
        await driven.pilot.press("right")
        await driven.until(lambda: form.measured is not None and "ж" in form.measured.unknown)
        await driven.until(lambda: "does not know" in driven.text and "of this text (ж ю)" in driven.text)
        assert 0 < form.measured.unknown_share < 1
