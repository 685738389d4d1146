"""The header says the same in a wide and in a narrow terminal, only shorter."""

from dataclasses import replace

import pytest
from textual.app import App, ComposeResult

from gpttui.records import ModelCard, Sampling
from gpttui.tokenizers import Tokenizer
from gpttui.tui.renderables.labels import sampling_words
from gpttui.tui.widgets.status_header import StatusHeader, parameters
from tests.tui import made
from tests.tui.bench import screen_text
from tests.tui.made import Bigrams

CARD = ModelCard("tales", "/models/tales", 1_234_567, 4, 4, 128, 2048, 128, "byte-level BPE 2048", 5_000_000)


class Bench(App[None]):
    def compose(self) -> ComposeResult:
        yield StatusHeader()


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (
            150,
            [
                "tales",
                "1.2M parameters",
                "4 layers × 4 heads × 128",
                "3/128",
                "seed 1337",
                "T 0.8  top-k 40",
                "ready 4 ms",
            ],
        ),
        (80, ["tales", "1.2M", "4×4×128", "3/128", "seed 1337", "T 0.8 k40", "ready 4 ms"]),
        (40, ["tales", "3/128", "ready"]),
        (12, ["●"]),
    ],
)
async def test_facts_shorten_before_they_leave(width: int, words: list[str], bpe: Tokenizer, bigrams: Bigrams) -> None:
    app = Bench()
    async with app.run_test(size=(width, 5)) as pilot:
        header = app.query_one(StatusHeader)
        header.card = CARD
        header.snapshot = made.snapshot(bpe, bigrams, bpe.encode("the king of"), n_prompt=3, sampling=Sampling(0.8, 40))
        header.engine_state = "ready"
        await pilot.pause()
        line = screen_text(app).splitlines()[0]
        assert [word for word in words if word not in line] == []


async def test_an_altered_model_says_so(bpe: Tokenizer, bigrams: Bigrams) -> None:
    app = Bench()
    async with app.run_test(size=(120, 5)) as pilot:
        header = app.query_one(StatusHeader)
        header.card = CARD
        plain = made.snapshot(bpe, bigrams, bpe.encode("the"), n_prompt=1)
        header.snapshot = replace(plain, interventions=("head 1.2 silenced [/]",))
        await pilot.pause()
        assert "ALTERED: head 1.2 silenced [/]" in screen_text(app)


async def test_before_anything_is_loaded_it_says_the_engine_starts() -> None:
    app = Bench()
    async with app.run_test(size=(60, 5)):
        assert "gpttui" in screen_text(app) and "starting" in screen_text(app)


def test_sizes_and_settings_in_few_characters() -> None:
    assert [parameters(count) for count in (950, 98_304, 1_200_000, 124_000_000)] == ["950", "98k", "1.2M", "124M"]
    assert sampling_words(Sampling(0.0, 40, 0.9)) == "greedy"
    assert sampling_words(Sampling(1.0, 0, 1.0)) == "T 1"
    assert sampling_words(Sampling(0.8, 40, 0.95), short=True) == "T 0.8 k40 p0.95"
    everything = Sampling(0.8, 40, 0.95, 0.05, 1.1, 0.5, 0.2, ((3, 2.0),))
    in_order = "logit bias 1  repetition 1.1  presence 0.5  frequency 0.2  T 0.8  top-k 40  top-p 0.95  min-p 0.05"
    assert sampling_words(everything) == in_order
    assert sampling_words(everything, short=True) == "bias1 rep1.1 pres0.5 freq0.2 T 0.8 k40 p0.95 min0.05"
    assert sampling_words(Sampling(0.0, 40, 0.9, repetition_penalty=1.1)) == "repetition 1.1  greedy"  # cuts no more


async def test_what_is_left_out_of_a_model_is_said_beside_its_size() -> None:
    app = Bench()
    async with app.run_test(size=(150, 5)) as pilot:
        app.query_one(StatusHeader).card = replace(CARD, notes=("left out: score.weight; a head for another task",))
        await pilot.pause()
        assert "1.2M parameters" in screen_text(app) and "left out: score.weight" in screen_text(app)
        assert "another task" not in screen_text(app)
