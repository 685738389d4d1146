"""The journey and its walk by their keys and by mouse, on the real engine and tiny random models."""

from pathlib import Path

import pytest

from gpttui.protocol.stream import AskJourney
from gpttui.tui.views.journey import screen as journey_screen
from gpttui.tui.views.journey.screen import JourneyScreen
from gpttui.tui.views.mlp.screen import MLPScreen
from gpttui.tui.views.vectors.screen import VectorsScreen
from tests.fakes import Arch
from tests.tui.opening import opened
from tests.tui.pilot import Playground

SIZES = [(200, 55), (120, 40), (80, 24), (40, 12), (1, 1)]


async def journey(page: Playground, key: str = "i") -> JourneyScreen:
    """The view as it stands once its first answer has come."""
    await page.press(key)
    screen = page.app.screen
    assert isinstance(screen, JourneyScreen)
    await page.until(lambda: screen.pane.journey is not None)
    await page.pilot.pause()
    return screen


def place(page: Playground, words: str) -> tuple[int, int]:
    """Where on the screen those words begin."""
    for y, line in enumerate(page.text.split("\n")):
        if words in line:
            return line.index(words), y
    raise AssertionError(f"{words!r} is not on the screen:\n{page.text}")


# ── The map ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("arch", ["gpt2", "modern"])
async def test_i_shows_every_stop_of_the_selected_token(tmp_path: Path, arch: Arch) -> None:
    async with opened(tmp_path, arch=arch) as page:
        screen = await journey(page)
        for words in ("start", "layer 1", "layer 2", "attention", "MLP", "would say", "what comes next"):
            assert words in page.text
        assert ("+ place" in page.text) == (arch == "gpt2")
        assert ("rotation inside attention" in page.text) == (arch == "modern")
        await page.press("pageup", "down")
        assert ("The vector of place 7 is added" in page.text) == (arch == "gpt2")
        await page.press(*["down"] * (arch == "gpt2"))
        assert "Layer 1's heads look mostly at" in page.text and "Layer 1's MLP asks" not in page.text
        await page.press("down")
        assert "Layer 1's MLP asks this one vector" in page.text
        await page.press("pagedown", "down")
        assert screen.pane.stop == screen.pane.parts - 2 and "This is the last vector" in page.text
        await page.press("i")
        assert page.app.screen is page.play


async def test_a_model_of_attention_alone_has_no_stops_of_mlps(tmp_path: Path) -> None:
    async with opened(tmp_path, d_mlp=0) as page:
        screen = await journey(page)
        assert screen.pane.journey is not None
        assert screen.pane.journey.stops == ("token", "embed", "0 attn", "1 attn")
        await page.press("pagedown")
        assert "Layer 2's heads look" in page.text and "MLP" not in page.text.split("\n", 3)[3]


async def test_moving_along_the_stops_selects_their_layer_everywhere(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        last = len(page.ids) - 1
        screen = await journey(page)
        await page.press("left", "h", "pagedown")
        await page.until(lambda: screen.pane.journey is not None and screen.pane.journey.position == last - 2)
        assert "which follows in the text" in page.text
        await page.press("right_square_bracket", "escape")
        here = page.play.selection
        assert (here.index(len(page.ids)), here.layer, here.head) == (last - 2, 1, 1)


async def test_layer_keys_take_the_cursor_along_and_it_opens_on_the_selected_layer(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await journey(page)
        assert screen.pane.stop == 0
        await page.press("right_curly_bracket")
        assert screen.pane.stop == 4 and page.play.selection.layer == 1
        await page.press("escape")
        assert (await journey(page)).pane.stop == 4


async def test_enter_opens_the_view_of_the_part(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await journey(page)
        await page.press("enter")
        assert isinstance(page.app.screen, VectorsScreen)
        await journey(page)
        await page.press("pagedown", "enter")
        assert isinstance(page.app.screen, MLPScreen) and page.app.screen.selection.layer == 1


async def test_the_journey_follows_steps_taken_in_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        count = len(page.ids)
        screen = await journey(page)
        await page.press("space", "space")
        await page.until(lambda: screen.pane.journey is not None and screen.pane.journey.position == count + 1)
        await page.press("backspace")
        await page.until(lambda: screen.pane.journey is not None and screen.pane.journey.position == count)


async def test_a_click_selects_a_stop_a_second_one_opens_it_the_wheel_moves(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await journey(page)
        await page.pilot.click(offset=place(page, "layer 2"))
        await page.until(lambda: page.play.selection.layer == 1)
        stop = screen.pane.stop
        screen.pane._roll(2)
        await page.until(lambda: screen.pane.stop == stop + 1)
        x, y = place(page, "the")
        await page.pilot.click(offset=(x, 1))
        await page.until(lambda: page.play.selection.position >= 0)
        await page.until(lambda: screen.pane.journey is not None and screen.pane.journey.position == screen.position)
        x, y = place(page, "layer 2")
        await page.pilot.click(offset=(x, y + 3))
        await page.until(lambda: screen.pane.stop == stop)
        await page.pilot.click(offset=(x, y + 3))
        await page.until(lambda: page.app.screen is not screen)


# ── The walk ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_f_uncovers_a_part_with_each_press_then_draws_and_starts_over(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        count = len(page.ids)
        screen = await journey(page, "f")
        assert screen.pane.walked == 1 and "part 1 of 7" in page.text
        assert "is looked up in the embedding table" in page.text and "%" not in page.text.split("what comes next")[0]
        said = []
        for part in range(2, 7):
            await page.press("f" if part % 2 else "space")
            assert f"part {part} of 7" in page.text and "the last vector's chances" not in page.text
            said.append(page.text)
        for words, text in zip(
            ("place 7 is added", "Layer 1's heads", "Layer 1's MLP", "Layer 2's heads", "Layer 2's MLP"),
            said,
            strict=True,
        ):
            assert words in text
        await page.press("f")
        assert "the last vector's chances" in page.text and "The last vector is compared" in page.text
        assert len(page.ids) == count and "draws one of them (temperature" in page.text
        await page.press("f")
        await page.until(lambda: len(page.ids) == count + 1)
        await page.until(lambda: screen.pane.journey is not None and screen.pane.journey.position == count)
        assert screen.pane.walked == 1 and "the random number" in page.text
        assert page.play.link.snapshot is not None and page.play.link.snapshot.last_draw is not None
        assert screen.pane.journey is not None
        assert screen.pane.journey.token_id == page.play.link.snapshot.last_draw.token_id
        await page.press("escape")
        assert page.app.screen is page.play


async def test_what_a_walk_has_not_reached_is_not_given_away(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await journey(page, "f")

        def lengths() -> int:
            return next(line.count("length ") for line in page.text.split("\n") if line.startswith("│ length"))

        assert lengths() == 1
        for part in range(2, 7):
            await page.press("down")
            assert lengths() == part
        await page.press("down", "down", "down")
        assert screen.pane.walked == 7 and len(page.ids) == len("the cat")


async def test_backspace_covers_a_part_again_then_takes_the_token_back(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        count = len(page.ids)
        await page.press("space")
        screen = await journey(page, "f")
        await page.press("f", "f", "backspace")
        assert (screen.pane.walked, screen.pane.stop) == (2, 1)
        await page.press("backspace", "backspace")
        await page.until(lambda: len(page.ids) == count)
        await page.until(lambda: screen.pane.journey is not None and screen.pane.journey.position == count - 1)
        assert screen.pane.walked == 1


async def test_a_walk_of_an_earlier_token_goes_on_with_the_text(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        count = len(page.ids)
        await page.press("comma", "comma", "comma")
        screen = await journey(page, "f")
        await page.press(*["f"] * 6)
        assert "on to the token that follows in the text" in page.text
        await page.press("f")
        await page.until(lambda: screen.pane.journey is not None and screen.pane.journey.position == count - 3)
        assert screen.pane.walked == 1 and len(page.ids) == count


async def test_f_in_the_journey_walks_and_escape_shows_the_whole_way_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await journey(page)
        await page.press("f", "f", "f")
        assert screen.walking and screen.pane.walked == 3
        await page.press("escape")
        assert page.app.screen is screen and not screen.walking and "the last vector's chances" in page.text
        await page.press("escape")
        assert page.app.screen is page.play
        screen = await journey(page, "f")
        await page.press("i")
        assert page.app.screen is screen and not screen.walking


async def test_a_walk_goes_on_after_a_look_into_a_part(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await journey(page, "f")
        await page.press("f", "f", "f", "enter")
        top: object = page.app.screen
        assert isinstance(top, MLPScreen)
        screen = await journey(page)
        assert (screen.pane.walked, screen.pane.stop) == (4, 3)
        await page.press("f")
        assert screen.pane.walked == 5
        await page.press("i", "i")
        assert page.app.screen is page.play and not (await journey(page)).walking


async def test_a_click_on_a_covered_stop_uncovers_the_way_to_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await journey(page, "f")
        await page.pilot.click(offset=place(page, "layer 2"))
        await page.until(lambda: screen.pane.walked == 5)
        assert page.play.selection.layer == 1


async def test_weights_that_change_do_not_start_a_walk_over(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        screen = await journey(page, "f")
        await page.press("f", "f")
        asked = sum(isinstance(request, AskJourney) for request in page.engine.asked)  # type: ignore[attr-defined]
        screen.follow()
        await page.until(
            lambda: sum(isinstance(request, AskJourney) for request in page.engine.asked) > asked  # type: ignore[attr-defined]
        )
        await page.until(lambda: not page.play.link.busy)
        assert screen.pane.walked == 3


# ── Anywhere ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("key", ["i", "f"])
@pytest.mark.parametrize("size", SIZES)
async def test_it_survives_any_terminal(tmp_path: Path, size: tuple[int, int], key: str) -> None:
    async with opened(tmp_path, size) as page:
        screen = await journey(page, key)
        await page.press("down", "up", "d", "c", "t", "pagedown", "pageup", "right_curly_bracket", "z", "z")
        assert screen.pane.journey is not None
        await page.press("escape", *["escape"] * (page.app.screen is not page.play))
        assert page.app.screen is page.play


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_a_walk_says_what_happened_on_a_small_terminal_too(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path, size) as page:
        count = len(page.ids)
        await journey(page, "f")
        for words in (
            "looked up",
            "place 7 is",
            "Layer 1's heads",
            "Layer 1's MLP",
            "Layer 2's heads",
            "Layer 2's MLP",
        ):
            assert words in page.text
            await page.press("f")
        assert "The last vector is compared" in " ".join(page.text.replace("│", " ").split())
        await page.press("f")
        await page.until(lambda: len(page.ids) == count + 1)


@pytest.mark.parametrize("key", ["i", "f"])
async def test_an_empty_text_says_what_to_do(tmp_path: Path, key: str) -> None:
    async with opened(tmp_path, prompt="") as page:
        await page.press(key)
        if not page.ids:
            await page.until(lambda: "press / and type one" in page.text)
        await page.press("left", "right", "up", "down", "f", "backspace", "d")
        while page.app.screen is not page.play:
            await page.press("escape")


@pytest.mark.parametrize("key", ["i", "f"])
async def test_one_token_is_enough(tmp_path: Path, key: str) -> None:
    async with opened(tmp_path, prompt="t") as page:
        screen = await journey(page, key)
        await page.press("left", "right", "down", "down")
        assert screen.hints.tone != "error" and "find nothing before this token" in page.text


async def test_it_explains_itself_and_slash_leaves_for_the_prompt(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        await journey(page)
        await page.press("question_mark")
        await page.until(lambda: "escape closes" in page.text)
        await page.press("escape", "slash")
        await page.until(lambda: page.app.screen is page.play and bool(page.play.query("PromptEditor")))


async def test_without_colours_it_is_drawn_in_signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(tmp_path) as page:
        await journey(page)
        assert any(sign * 3 in page.text for sign in "#+-=")


async def test_a_walk_plays_by_itself_until_its_key_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journey_screen, "PLAY_EVERY_S", 0.01)
    async with opened(tmp_path) as page:
        walk = await journey(page, "f")
        drawn = len(page.ids)
        await page.pilot.press("g")
        await page.until(lambda: "g stops it" in page.text)
        await page.until(lambda: len(page.ids) > drawn)
        await page.pilot.press("g")
        await page.until(lambda: walk._playing is None and "g stops it" not in page.text)
