"""`g` runs at a speed that ↑ and ↓ change; any other key stops it."""

from gpttui.tui.session.opening import Opening
from gpttui.tui.session.running import SPEEDS, other_speed
from tests.tui.pilot import playground


def test_speeds_go_up_to_as_fast_as_the_model_goes_and_down_to_the_slowest() -> None:
    speed, seen = 0.0, []
    for _ in SPEEDS:
        speed = other_speed(speed, faster=False)
        seen.append(speed)
    assert seen == list(reversed(SPEEDS)) and other_speed(speed, faster=False) == SPEEDS[0]
    for _ in SPEEDS:
        speed = other_speed(speed, faster=True)
    assert speed == 0.0 == other_speed(0.0, faster=True)
    assert other_speed(3.0, faster=True) == 4.0 and other_speed(3.0, faster=False) == 2.0


async def test_it_goes_on_at_another_speed_until_another_key() -> None:
    async with playground(opening=Opening("somewhere", run_per_s=4.0)) as page:
        assert page.play.link.steps_per_s == 4.0
        before = len(page.ids)
        await page.pilot.press("g")
        await page.pilot.press("up")
        await page.until(lambda: "8 tokens a second" in page.text and page.play.link.running)
        await page.until(lambda: len(page.ids) >= before + 3)
        assert page.play.link.running
        await page.pilot.press("x")
        await page.until(lambda: not page.play.link.running)
        drawn = len(page.ids)
        await page.press("down")  # now the pane's own key again
        assert len(page.ids) == drawn and page.play.link.steps_per_s == 8.0
