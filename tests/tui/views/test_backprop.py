"""A training step, part by part, by keys alone on the real engine."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len

from gpttui.protocol import backprop as bp
from gpttui.runs.config import changed
from gpttui.tui.screens.play import PlayScreen
from gpttui.tui.screens.train import TrainScreen
from gpttui.tui.views.backprop.pane_part import PartPane
from gpttui.tui.views.backprop.screen import BackpropScreen
from gpttui.tui.views.backprop.words import plain, small, weight_name
from tests.tui.training import Driven, training


async def apart(driven: Driven) -> BackpropScreen:
    """The next step of a run that goes on."""
    await driven.set_going()
    await driven.pilot.press("f")
    screen = await driven.on(BackpropScreen)
    await driven.until(lambda: screen.row is not None)
    assert isinstance(screen, BackpropScreen)
    return screen


def test_what_a_part_hints_at_fits_a_narrow_terminal() -> None:
    hints = [part.HINT for part in PartPane.__subclasses__()]
    assert len(hints) > 4 and all(0 < cell_len(hint) <= 76 for hint in hints)


def asked(driven: Driven, kind: type) -> list[Any]:
    return [request for request in driven.engine.asked if isinstance(request, kind)]


async def test_a_step_of_the_run_is_walked_through_and_the_run_goes_on(home: Path, text: Path) -> None:
    async with training(home, train=str(text)) as driven:
        screen = await apart(driven)
        taken, row = screen.taken, screen.row
        assert taken is not None and row is not None
        assert driven.record.state == "paused"
        assert f"step {taken.step:,}" in driven.text and "blind guess" in driven.text
        assert screen.position == int(np.nanargmax(row.losses_nats))  # what it got most wrong
        await driven.pilot.press("home", "down", "right")
        assert screen.position == screen.forward.cursor == 2
        await driven.pilot.press("enter")
        await driven.until(lambda: screen.error.found is not None and screen.error.found.position == 2)
        assert "raise" in driven.text and "sum of all 0.0000" in driven.text
        await driven.pilot.press("left", "m")
        await driven.until(lambda: screen.error.found is not None and screen.error.found.position == 1)
        await driven.until(lambda: "p - y" in driven.text and "y = 1 at the right token" in driven.text)
        await driven.pilot.press("f")
        await driven.until(lambda: screen.backward.found is not None and "layer 2 MLP" in driven.text)
        assert "Layer 2's heads passed on" in driven.text
        await driven.pilot.press("left_curly_bracket")
        await driven.until(lambda: screen.backward.found is not None and screen.backward.found.layer == 0)
        await driven.pilot.press("right_square_bracket")
        await driven.until(lambda: "head 1 alone" in driven.text)
        await driven.pilot.press("r")
        await driven.until(lambda: screen.backward.found is not None and screen.backward.found.row == 1)
        await driven.pilot.press("backspace", "backspace", "backspace")
        assert screen.deck.current is screen.forward
        await driven.pilot.press("space")
        await driven.until(lambda: screen.taken is not None and screen.taken.step == taken.step + 1)
        await driven.until(lambda: f"step {taken.step + 1:,}" in driven.text)
        await driven.pilot.press("escape")
        await driven.on(TrainScreen)
        await driven.until(lambda: driven.record.state == "running" and driven.record.step > taken.step + 2)
        assert driven.engine.apart is None


async def test_a_weight_is_nudged_by_hand_and_the_loss_goes_as_the_gradient_says(home: Path, text: Path) -> None:
    async with training(home, train=str(text)) as driven:
        screen = await apart(driven)
        pane = screen.weights
        await driven.pilot.press("4")
        await driven.until(lambda: pane.found is not None and pane.weight is not None and pane.nudge.slope is not None)
        assert pane.found is not None and pane.weight is not None
        assert pane.at == (pane.found.top_row, pane.found.top_column) == (pane.weight.row, pane.weight.column)
        one = pane.weight
        assert abs(one.gradient) == pytest.approx(pane.found.top, rel=1e-5)
        assert pane.nudge.slope == pytest.approx(one.gradient, rel=1e-3)
        assert "Raising it by 0.001" in driven.text and "slope measured" in driven.text
        await driven.pilot.press("less_than_sign", "plus", "plus")
        await driven.until(lambda: pane.nudge.change(0.002) is not None)
        assert pane.nudge.change(0.002) == pytest.approx(0.002 * one.gradient, rel=0.05)
        await driven.until(lambda: not pane.nudge.missing() and "the weight, +0.002" in driven.text)
        await driven.pilot.press("u")
        assert pane.nudge.delta == 0.001
        await driven.pilot.press("0", "minus")
        await driven.until(lambda: "the weight, -0.001" in driven.text)
        await driven.pilot.press("up" if pane.at[0] else "down")
        await driven.until(lambda: pane.weight is not None and (pane.weight.row, pane.weight.column) == pane.at)
        assert pane.nudge.delta == 0
        await driven.pilot.press("v", "right_square_bracket")
        await driven.until(lambda: pane.found is not None and pane.found.what == "value")
        await driven.until(lambda: pane.found is not None and pane.found.name == pane.wanted)
        name = pane.wanted
        await driven.pilot.press("left_curly_bracket", "t")
        await driven.until(lambda: pane.found is not None and pane.found.name == pane.wanted)
        assert driven.engine.live is not None and (name == pane.wanted) == (".h." not in name)
        rows = await driven.exported("c")
        assert pane.found is not None and len(rows) == pane.found.values.size


async def test_the_update_adds_up_and_the_batch_is_read_again(home: Path, text: Path) -> None:
    async with training(home, train=str(text)) as driven:
        screen = await apart(driven)
        await driven.pilot.press("5")
        await driven.until(lambda: screen.update.weight is not None and "the optimiser adds" in driven.text)
        one, taken = screen.update.weight, screen.taken
        assert one is not None and taken is not None
        terms = {words: value for words, _, value, _ in screen.update.ladder(taken, one)}
        assert terms["added in all"] == one.after - one.before != 0
        assert [name for name, _ in screen.update.ratios(taken)] == ["embedding", "layer 1", "layer 2", "norm, head"]
        assert "┊10^-3" in driven.text
        await driven.pilot.press("f")
        await driven.until(lambda: screen.after.found is not None and screen.after.held_out is not None)
        found = screen.after.found
        assert found is not None and f"{found.batch_after:.4f}" in driven.text.replace("\n", " ")
        await driven.until(lambda: "Held-out text" in driven.text)
        await driven.pilot.press("f")
        await driven.until(lambda: "That was the last part" in driven.text)


async def test_keys_before_the_step_is_there_do_nothing(home: Path) -> None:
    async with training(home) as driven:
        await driven.until(lambda: driven.play.tokens.snapshot is not None)
        driven.burst("E", "4", "plus", "minus", "t", "v", "u", "0", "r", "m", "greater_than_sign", "6", "5")
        screen = await driven.on(BackpropScreen)
        await driven.until(lambda: screen.update.weight is not None and "the optimiser adds" in driven.text)
        assert screen.hints.tone != "error"


async def test_an_engine_that_dies_meanwhile_takes_the_step_along_and_the_run_is_safe(home: Path, text: Path) -> None:
    async with training(home, train=str(text)) as driven:
        screen = await apart(driven)
        await driven.pilot.press("4")
        await driven.until(lambda: screen.weights.weight is not None)
        driven.engine.die()
        await driven.until(lambda: driven.engine.alive and not driven.play.link.busy)
        await driven.pilot.press("space")
        await driven.until(lambda: "nothing is being trained here" in driven.text)
        await driven.pilot.press("escape")
        await driven.on(TrainScreen)
        await driven.until(lambda: driven.record.state == "interrupted")
        await driven.pilot.press("r")
        await driven.until(lambda: driven.record.state == "running")


async def test_a_run_that_was_held_stays_held(home: Path, text: Path) -> None:
    async with training(home, train=str(text)) as driven:
        await driven.set_going()
        await driven.pilot.press("p")
        await driven.until(lambda: driven.record.state == "paused")
        await driven.pilot.press("f")
        screen = await driven.on(BackpropScreen)
        await driven.until(lambda: screen.row is not None)
        await driven.pilot.press("escape")
        await driven.until(lambda: asked(driven, bp.LeaveStep) and not driven.play.link.busy)
        assert driven.record.state == "paused" and driven.engine.live and driven.engine.live.state == "paused"


async def test_a_run_that_has_ended_has_no_next_step(home: Path, text: Path) -> None:
    async with training(home, train=str(text)) as driven:
        await driven.order(steps="3")
        await driven.until(lambda: driven.record.state == "ended")
        await driven.pilot.press("f")
        await driven.until(lambda: "This run has ended" in driven.text)
        assert isinstance(driven.app.screen, TrainScreen)


async def test_the_last_step_of_a_run_is_followed_by_none(home: Path, text: Path) -> None:
    async with training(home, train=str(text)) as driven:
        screen = await apart(driven)
        live = driven.engine.live
        assert live is not None and screen.taken is not None
        live.trainer.config = changed(live.trainer.config, steps=screen.taken.step)
        await driven.pilot.press("space")
        await driven.until(lambda: "this run has ended" in driven.text)
        await driven.pilot.press("escape")
        await driven.on(TrainScreen)


async def test_a_step_on_the_open_text_from_the_playground(home: Path) -> None:
    async with training(home) as driven:
        await driven.until(lambda: driven.play.tokens.snapshot is not None)
        await driven.pilot.press("E")
        screen = await driven.on(BackpropScreen)
        await driven.until(lambda: screen.row is not None and "one step on your text" in driven.text)
        assert screen.taken is not None and screen.taken.on_text
        await driven.pilot.press("2")
        await driven.until(lambda: screen.error.found is not None)
        await driven.pilot.press("question_mark")
        await driven.until(lambda: "gradient of the logits" in driven.text)
        await driven.pilot.press("escape", "escape")
        await driven.on(PlayScreen)


async def test_a_text_that_is_too_short_says_so(home: Path) -> None:
    async with training(home) as driven:
        await driven.until(lambda: driven.play.tokens.snapshot is not None)
        driven.play.link.set_prompt("t")
        await driven.until(lambda: not driven.play.link.busy and driven.play.link.prompt == "t")
        await driven.pilot.press("E")
        await driven.until(lambda: "two tokens or more" in driven.text)
        await driven.pilot.press("space", "f", "right", "r", "escape")
        await driven.on(PlayScreen)


@pytest.mark.parametrize("size", [(80, 24), (60, 16), (200, 55)])
async def test_every_size_shows_every_part(home: Path, text: Path, size: tuple[int, int]) -> None:
    async with training(home, size, train=str(text)) as driven:
        screen = await apart(driven)
        for number, part in enumerate(screen.parts, 1):
            await driven.pilot.press(str(number))
            await driven.until(lambda part=part: screen.deck.current is part and part.ready)  # type: ignore[misc]
            first = part.PART[:20]
            await driven.until(lambda first=first: first in driven.text)  # type: ignore[misc]


def test_weights_have_plain_names() -> None:
    assert weight_name("transformer.wte.weight") == "token embedding"
    assert weight_name("transformer.h.0.attn.c_proj.weight") == "layer 1 attention: output"
    assert weight_name("transformer.h.11.mlp.c_fc.bias") == "layer 12 MLP: into the neurons, biases"
    assert weight_name("transformer.ln_f.bias") == "final norm, biases"
    assert weight_name("something.else") == "something.else"


@pytest.mark.parametrize(
    ("value", "short", "long"),
    [
        (0.0, "0", "0"), (0.000012, "1.20e-5", "0.000012"), (-0.0123, "-0.0123", "-0.012"), (3.14159, "3.14", "3.1"),
        (12345.6, "1.23e4", "12346"), (-1e-12, "-1.00e-12", "-1.00e-12"), (0.5, "0.500", "0.50"),
        (250.0, "250.0", "250"),
    ],
)  # fmt: skip
def test_numbers_of_any_size_are_short_and_never_nothing(value: float, short: str, long: str) -> None:
    assert (small(value), plain(value)) == (short, long)
