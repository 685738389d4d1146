"""The training panes' pure parts, and the scrubber under keys and mouse."""

import numpy as np
import pytest
from textual.app import App, ComposeResult

from gpttui.errors import UserError
from gpttui.protocol.train import Measured, Probe
from gpttui.runs.config import FINE_TUNING, changed
from gpttui.runs.events import SampleDrawn
from gpttui.tui.renderables.heat_strip import strip
from gpttui.tui.session import run_order as drafts
from gpttui.tui.widgets.samples import _lines
from gpttui.tui.widgets.scrubber import LIVE, Scrubber


def probe(step: int, **probs: float) -> Probe:
    ids = [ord(name) for name in probs]
    return Probe(step, np.array(ids, dtype=np.int32), np.array(list(probs.values()), dtype=np.float32))


def test_a_strip_has_the_rows_of_its_step_and_keeps_spikes() -> None:
    probes = [probe(0, a=0.5, b=0.1), probe(10, a=0.9, b=0.1), probe(20, b=0.7, a=0.2)]
    now = strip(probes, rows=2, columns=2)
    assert now is not None and [chr(i) for i in now.ids] == ["b", "a"] and now.at == 20
    assert now.probs[1].max() == pytest.approx(0.9)
    then = strip(probes, rows=2, columns=2, at=10)
    assert then is not None and [chr(i) for i in then.ids] == ["a", "b"]


@pytest.mark.parametrize("width", [1, 2, 7, 40])
@pytest.mark.parametrize("text", ["a long line of words\n\nand another", "日本語のテキスト", "\x1b[31m\x00", ""])
def test_samples_wrap_at_any_width_and_end(width: int, text: str) -> None:
    lines = _lines(SampleDrawn(step=1, prompt="", text=text), width, False)
    assert not set("".join(part for line in lines for part, _ in line)) & set("\x1b\x00")


def test_a_preset_takes_about_its_time_on_a_fast_and_on_a_slow_machine() -> None:
    for step_s in (0.001, 0.04, 0.3):
        measured = Measured(800_000, 65, True, 64, step_s, step_s / 2300, 0.001, 10**7, 10**10)
        for preset in drafts.PRESETS[1:]:
            values = drafts.with_preset(drafts.initial("a.txt"), preset.name)
            values = drafts.with_length(values, measured)
            config = drafts.tempered(drafts.config_of(values, None), measured)
            assert config.minutes * 60 == preset.seconds == drafts.cost(config, measured).seconds
            config = changed(config, minutes=0.0)
            assert 0.75 * preset.seconds < drafts.cost(config, measured).seconds < 1.25 * preset.seconds


def test_muon_s_rate_follows_the_one_shown_and_fine_tuning_is_as_gentle_as_in_the_shell() -> None:
    values = drafts.initial("a.txt")
    assert drafts.config_of(values, None).matrix_lr == pytest.approx(0.02)
    assert drafts.config_of(values | {"lr": "0.0015"}, None).matrix_lr == pytest.approx(0.01)
    tuned = drafts.config_of(values | {"lr": f"{FINE_TUNING['lr']:g}"}, None)
    assert (tuned.lr, tuned.matrix_lr) == pytest.approx((FINE_TUNING["lr"], FINE_TUNING["matrix_lr"]))


@pytest.mark.parametrize(("name", "value"), [("steps", "many"), ("lr", "x"), ("heads", "5"), ("text", " ")])
def test_what_cannot_be_is_one_line(name: str, value: str) -> None:
    with pytest.raises(UserError) as refused:
        drafts.config_of(drafts.initial("a.txt") | {name: value}, None)
    assert "\n" not in str(refused.value)


class Bench(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.wanted: list[int] = []
        self.scrubber = Scrubber()

    def compose(self) -> ComposeResult:
        yield self.scrubber

    def on_scrubber_wanted(self, event: Scrubber.Wanted) -> None:
        self.wanted.append(event.step)


async def test_the_scrubber_by_keys_and_mouse() -> None:
    app = Bench()
    async with app.run_test(size=(80, 3)) as pilot:
        app.scrubber.notches, app.scrubber.at = (0, 100, 500, LIVE), LIVE
        app.scrubber.focus()
        await pilot.press("comma", "left", "full_stop", "home", "home", "end")
        assert app.wanted == [500, 100, 500, 0, LIVE]
        first, width = app.scrubber._rail()
        await pilot.click(app.scrubber, offset=(1 + first, 0))
        await pilot.click(app.scrubber, offset=(first + width, 0))
        assert app.wanted[-2:] == [0, LIVE]
